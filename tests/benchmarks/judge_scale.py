"""Time and peak memory of grouping, voting and judging, by the number of answers.

python tests/benchmarks/judge_scale.py [--data ../shared/data] [--sizes 10000 100000 1000000]

Answers are resampled from the real multi-sample outputs: problems are drawn with their own
answers, 32 of them to a problem as ReasonLite draws, until the size is reached. Each size
runs in a process of its own; its table is read from a file, as in the workflow. Prints
seconds by step, microseconds an answer, peak memory of the process, and what the imports took of it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

FILES = ["math100_qwen_rm_maj", "sky_math500", "sky_amc23", "gsm8k_openai_model_solutions", "zeroeval_gsm"]
PER_PROBLEM = 32


def resampled(data: Path, size: int, folder: Path) -> None:
    """Write answers.parquet and problems.parquet with ``size`` answers."""
    import polars as pl

    drawn: dict[tuple[str, str], list[str | None]] = defaultdict(list)
    for name in FILES:
        with gzip.open(data / "outputs" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as handle:
            for row in map(json.loads, handle):
                answer = str(row["pred"])[:2000] if row.get("pred") not in (None, "") else None
                drawn[f"{name}:{row['id']}", str(row["gold"])].append(answer)
    generator = random.Random(0)
    known = sorted(drawn)
    problems, answers, ids = [], [], []
    for number in range(-(-size // PER_PROBLEM)):
        source, gold = generator.choice(known)
        problems.append((f"{source}:{number}", gold, "s"))
        answers += generator.choices(drawn[source, gold], k=PER_PROBLEM)
        ids += [f"{source}:{number}"] * PER_PROBLEM
    frame = pl.DataFrame({"problem_id": ids[:size], "answer": answers[:size]}).with_columns(
        (pl.int_range(pl.len()) % PER_PROBLEM).cast(pl.Int32).alias("number"),
        *(pl.lit("x").alias(name) for name in ("effort", "status", "finish_reason", "answer_id")),
        pl.lit(1, dtype=pl.Int32).alias("tokens"),
    )
    frame.write_parquet(folder / "answers.parquet")
    pl.DataFrame(problems, schema=["id", "answer", "source"], orient="row").write_parquet(folder / "problems.parquet")


def peak() -> float:
    """Peak resident memory of this process in MiB (not getrusage's, which a child inherits)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def child(folder: Path) -> None:
    import polars as pl

    from reasonlite.labels.groups import group
    from reasonlite.labels.judged import judge
    from reasonlite.labels.votes import vote

    found: dict[str, float] = {"imports_mib": peak()}
    started = time.perf_counter()
    answers, problems = (pl.read_parquet(folder / f"{name}.parquet") for name in ("answers", "problems"))
    groups, pairs, _ = group(answers, problems)
    grouped = time.perf_counter()
    votes = vote(answers, groups, problems, min_share=0.9, min_votes=4)
    voted = time.perf_counter()
    judged = judge(answers, groups, problems, votes)
    found |= {"group": grouped - started, "vote": voted - grouped, "judge": time.perf_counter() - voted}
    found |= {"answers": answers.height, "distinct": groups.height, "pairs": pairs.height, "peak_mib": peak()}
    print(json.dumps(found | {"right": int(judged["correct"].sum())}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child)
        return
    print(f"{'answers':>9s} {'distinct':>9s}   group s    vote s   judge s  us an answer  peak MiB  of it imports")
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            resampled(arguments.data, size, Path(folder))
            command = [sys.executable, __file__, "--child", folder]
            row = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        seconds = row["group"] + row["vote"] + row["judge"]
        print(
            f"{row['answers']:9d} {row['distinct']:9d} {row['group']:9.2f} {row['vote']:9.2f} {row['judge']:9.2f} "
            f"{1e6 * seconds / row['answers']:13.1f} {row['peak_mib']:9.0f} {row['imports_mib']:14.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
