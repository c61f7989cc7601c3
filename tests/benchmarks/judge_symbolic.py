"""Time of verdicts on symbolic answers: the labels of olympiad, physics and college benchmarks, beside math-verify.

    python tests/benchmarks/judge_symbolic.py [--data ../shared/data] [--peer 100] [--show 3]

Every label is compared with the next one of its benchmark and with itself in another spelling. Each pair is judged for
the first time, so that reading both answers is in it; imports and the start of the algebra worker are not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from math_verify import parse, verify  # noqa: E402

from reasonlite.judge import algebra, compare

SOURCES = ["olympiadbench_en", "imo_answerbench_v2", "minerva_math", "college_math", "gaokao2023en", "carp_en"]
COLUMNS = ["answer", "final_answer", "Short Answer", "gold"]


def labels(path: Path) -> list[str]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    column = next(name for name in COLUMNS if name in rows[0])
    found = [row[column] for row in rows]
    return list(dict.fromkeys(str(each[0] if isinstance(each, list) and each else each) for each in found))


def respelled(label: str) -> str:
    return label.replace("\\frac", "\\dfrac").replace("+", " + ").replace("=", " = ")


def timed(judge: Callable[[str, str], object], pairs: list[tuple[str, str]]) -> tuple[list[float], Counter]:
    seconds, verdicts = [], Counter()
    for pair in pairs:
        began = time.perf_counter()
        verdicts[str(judge(*pair))] += 1
        seconds.append(time.perf_counter() - began)
    return seconds, verdicts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--peer", type=int, default=100, help="pairs of each source that math-verify is asked, too")
    parser.add_argument("--show", type=int, default=0, help="slowest pairs to print of each source")
    given = parser.parse_args()
    algebra.equal("x", "y")  # its worker starts
    verify(parse("1"), parse("2"))
    everything: list[float] = []
    print(f"{'source':20s} {'pairs':>6s}  mean ms  median     99%     most   math-verify's mean")
    for source in SOURCES:
        found = labels(given.data / "bench" / f"{source}.jsonl")
        pairs = list(zip(found, found[1:], strict=False))
        pairs += [(label, other) for label in found if (other := respelled(label)) != label]
        seconds, verdicts = timed(lambda left, right: compare(left, right).verdict, pairs)
        everything += seconds
        sample = pairs[:: max(len(pairs) // max(given.peer, 1), 1)][: given.peer]
        peer, _ = timed(lambda left, right: verify(parse(left), parse(right)), sample)
        cuts = statistics.quantiles(seconds, n=100)
        figures = [statistics.mean(seconds), cuts[49], cuts[98], max(seconds), statistics.mean(peer or [0.0])]
        print(f"{source:20s} {len(pairs):6d} " + " ".join(f"{1e3 * value:8.2f}" for value in figures), dict(verdicts))
        for value, pair in sorted(zip(seconds, pairs, strict=True), reverse=True)[: given.show]:
            print(f"    {1e3 * value:.0f} ms, {compare(*pair)}: {pair[0][:60]!r} | {pair[1][:60]!r}")
    print(f"all: {len(everything)} pairs, {1e3 * statistics.mean(everything):.2f} ms each")


if __name__ == "__main__":
    main()
