"""Cost of judging each answer of the multi-sample outputs: ours beside math-verify called as a user would.

python tests/benchmarks/judge_throughput.py [--data ../shared/data] [--peer 300] [--repeat 1]

Both start from the same replies and gold answers, each in a process of its own; imports
apart. Ours is the workflow's road: split and extract every reply, group distinct answers,
judge by a join. The peer parses gold and reply and verifies, for every answer; as that is
slow, on a random sample of --peer answers a file. Prints microseconds an answer, where
ours spends them, and the ratio; then the cost of each distinct pair alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import subprocess
import sys
import time
from pathlib import Path

FILES = ["math100_qwen_rm_maj", "sky_math500", "sky_amc23", "gsm8k_openai_model_solutions", "zeroeval_gsm"]


def read(data: Path, name: str) -> list[tuple[str, str, str]]:
    """(problem id, gold, reply) of every answer."""
    with gzip.open(data / "outputs" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as handle:
        rows = [json.loads(line) for line in handle]
    return [(row["id"], str(row["gold"]), row["response"] or "") for row in rows]


def ours(rows: list[tuple[str, str, str]]) -> dict[str, float]:
    """Seconds by step, for all answers of a file."""
    import polars as pl

    from reasonlite.answers.transcripts import final_answer, split_reply
    from reasonlite.labels.groups import group
    from reasonlite.labels.judged import judge

    started = time.perf_counter()
    found = [final_answer(split_reply(text, "stop")) for _, _, text in rows]
    extracted = time.perf_counter()
    columns = {"problem_id": [row[0] for row in rows], "answer": found}
    table = pl.DataFrame(columns, schema_overrides={"answer": pl.String}).with_columns(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("number"),
        *(pl.lit("x").alias(name) for name in ("effort", "status", "finish_reason", "answer_id")),
        pl.lit(1, dtype=pl.Int32).alias("tokens"),
    )
    labels = {row[0]: row[1] for row in rows}
    problems = pl.DataFrame({"id": list(labels), "answer": list(labels.values())}).with_columns(source=pl.lit("s"))
    groups, *_ = group(table, problems)
    grouped = time.perf_counter()
    judged = judge(table, groups, problems)
    done = time.perf_counter()
    return {
        "extract": extracted - started,
        "group": grouped - extracted,
        "judge": done - grouped,
        "answers": len(rows),
        "distinct": groups.height,
        "right": int(judged["correct"].sum()),
        "with an answer": sum(answer is not None for answer in found),
    }


def peer(rows: list[tuple[str, str, str]], size: int) -> dict[str, float]:
    from math_verify import parse, verify

    chosen = random.Random(0).sample(rows, min(size, len(rows)))
    started = time.perf_counter()
    right = sum(bool(verify(parse(gold), parse(text))) for _, gold, text in chosen)
    return {"all": time.perf_counter() - started, "answers": len(chosen), "right": right}


def child(who: str, data: Path, size: int) -> None:
    """One judge in this process: warm up on a trifle, then every file, one JSON line each."""
    warm = [("p", "x+1", "so \\boxed{1+x}"), ("q", "1", "so \\boxed{\\sum_{k=1}^1 k}")]  # the worker starts too
    run = ours if who == "ours" else lambda rows: peer(rows, size)
    run(warm)
    for name in FILES:
        print(json.dumps({"file": name, **run(read(data, name))}), flush=True)


def measured(who: str, arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    command = [sys.executable, __file__, "--child", who, "--data", arguments.data, "--peer", arguments.peer]
    # the peer logs whole replies to the error stream when its time-out strikes
    done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return {row.pop("file"): row for row in map(json.loads, done.stdout.splitlines())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--peer", type=int, default=300, help="answers of each file that the peer judges")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each; the best counts")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
    if arguments.child:
        child(arguments.child, arguments.data, arguments.peer)
        return
    runs = [(measured("ours", arguments), measured("peer", arguments)) for _ in range(arguments.repeat)]
    print(f"{'file':30s} {'answers':>8s} {'distinct':>8s}   extract    group    judge    ours     peer    ratio")
    totals = [0.0, 0.0]
    for name in FILES:
        steps = ("extract", "group", "judge")
        best = min((run[0][name] for run in runs), key=lambda row: sum(row[step] for step in steps))
        micro = [1e6 * best[step] / best["answers"] for step in steps]
        theirs = min(1e6 * run[1][name]["all"] / run[1][name]["answers"] for run in runs)
        totals = [totals[0] + sum(micro) * best["answers"], totals[1] + theirs * best["answers"]]
        print(
            f"{name:30s} {best['answers']:8.0f} {best['distinct']:8.0f}  "
            + " ".join(f"{value:8.1f}" for value in (*micro, sum(micro), theirs))
            + f" {theirs / sum(micro):7.0f}x   right: ours {best['right'] / best['answers']:.3f}, "
            f"peer's sample {runs[0][1][name]['right'] / runs[0][1][name]['answers']:.3f}"
        )
    print(
        f"all answers, microseconds an answer in the order of the columns; ratio over all {totals[1] / totals[0]:.0f}x"
    )


if __name__ == "__main__":
    main()
