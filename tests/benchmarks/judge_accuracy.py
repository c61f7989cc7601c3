"""Accuracy and speed of our verdicts beside math-verify 0.9, on labelled pairs and real outputs.

python tests/benchmarks/judge_accuracy.py [--data ../shared/data] [--sample 2000]

Prints, per source, false accepts, false rejects and undecided of four judges: ours, ours where a label may be a rounded
decimal, math-verify, and "math-verify OR exact string". An undecided pair counts as a reject in
neither direction; it is listed on its own. Then the time each judge took for the same
pairs in this run (imports apart) and, with --show, the pairs ours gets wrong.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from math_verify import parse, verify  # noqa: E402

from reasonlite.judge.equivalence import compare, compare_with_label
from reasonlite.judge.extraction import extract
from reasonlite.judge.verdicts import Verdict

OUTPUTS = {  # file: column of the verdict
    "math100_qwen_rm_maj": "score",
    "sky_math500": "score",
    "sky_amc23": "score",
    "gsm8k_openai_model_solutions": "correct",
}


def read(path: Path) -> list[dict]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def pairs(data: Path, sample: int) -> dict[str, list[tuple[str, str, bool]]]:
    """(gold, predicted, right) by source; ``predicted`` may be a whole reply."""
    found: dict[str, list[tuple[str, str, bool]]] = defaultdict(list)
    for row in read(data / "labels" / "equivalence_cases.jsonl"):
        if not (isinstance(row.get("extra"), dict) and row["extra"].get("strict") is False):
            found[f"labels: {row['source']}"].append((row["gold"], row["pred"], row["verdict"]))
    for name, column in OUTPUTS.items():
        rows = [row for row in read(data / "outputs" / f"{name}.jsonl.gz") if row.get("pred") not in (None, "")]
        distinct = {(str(row["gold"]), str(row["pred"]), bool(row[column])) for row in rows}
        chosen = sorted(distinct)
        random.Random(0).shuffle(chosen)
        found[f"outputs: {name}"] = chosen[:sample]
    return found


def ours(gold: str, predicted: str, judge: Callable[[str, str], Verdict] = compare) -> bool | None:
    left, right = (extract(text, prose=True) or text for text in (gold, predicted))
    verdict = judge(left, right).verdict
    return None if verdict == "undecided" else verdict == "equal"


def with_rounding(gold: str, predicted: str) -> bool | None:
    """As ours where labels.rounding is on."""
    return ours(gold, predicted, compare_with_label)


def math_verify(gold: str, predicted: str) -> bool | None:
    return bool(verify(parse(gold), parse(predicted)))


def math_verify_or_text(gold: str, predicted: str) -> bool | None:
    return gold.strip() == predicted.strip() or math_verify(gold, predicted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--sample", type=int, default=2000, help="distinct pairs of each output file at most")
    parser.add_argument("--show", type=int, default=0, help="wrong or undecided pairs of ours to print, per source")
    arguments = parser.parse_args()
    judges = {
        "ours": ours,
        "ours with rounding": with_rounding,
        "math-verify": math_verify,
        "math-verify or text": math_verify_or_text,
    }
    for judge in judges.values():
        judge("x+1", "1+x")  # imports apart
    seconds = dict.fromkeys(judges, 0.0)
    print(f"{'source':45s} {'pairs':>6s}  judge                 false accepts  false rejects  undecided")
    total = 0
    for source, listed in pairs(arguments.data, arguments.sample).items():
        total += len(listed)
        for name, judge in judges.items():
            started = time.perf_counter()
            verdicts = [judge(gold, predicted) for gold, predicted, _ in listed]
            seconds[name] += time.perf_counter() - started
            wrong = [(v, *pair) for v, pair in zip(verdicts, listed, strict=True) if v is not pair[2]]
            accepts, rejects = (sum(v is value for v, *_ in wrong) for value in (True, False))
            undecided = sum(v is None for v in verdicts)
            print(f"{source:45s} {len(listed):6d}  {name:20s} {accepts:14d} {rejects:14d} {undecided:10d}", flush=True)
            if name == "ours":
                for v, gold, predicted, right in wrong[: arguments.show]:
                    print(f"    said {v}, is {right}: {gold[:120]!r} ~ {predicted[-160:]!r}")
    for name, value in seconds.items():
        print(f"{name:20s} {value:8.1f} s for {total} pairs, {1e6 * value / total:8.0f} us a pair")


if __name__ == "__main__":
    main()
