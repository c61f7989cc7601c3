"""The road from judged answers to training files, against a converter of whole JSON Lines files; and the label plane.

    python tests/benchmarks/curate_scale.py [--sizes 10000 100000] [--bytes 20000] [--label-plane]

The same answers lie once as tables, once as ReasonLite's judged JSON Lines. The peer does what its
saving_to_training_format does (facts: read all lines, keep what is judged true and has exactly an analysis and a
final part, join them between think marks, shuffle, write parts of 100,000 lines), with json and lists. Texts are
real: worked answers of public models, resampled and joined to the wanted length, in Harmony's form. Told for each
size: seconds, peak memory of a process, bytes on disk. Ours works a shard, a thousand problems of 32 answers at
most, in a process of its own, and as many beside each other as there are cores, as `snakemake --cores` does; the
peer has one file and cannot. With --jobs 1 they come one after the other. Half of the answers are judged right.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from reasonlite.core.schemas import ANSWERS, DROPPED, JUDGED, PROBLEMS
from reasonlite.core.tables import TableWriter, frame_of, write_table

DATA = ROOT.parent / "shared" / "data" / "outputs"
PER_PROBLEM, SHARD_PROBLEMS, PIECE = 32, 1000, 512
ASKED = "<|start|>system<|message|>You are a model.\n\nreasoning: medium<|end|><|start|>user<|message|>\n{}\n<|end|>"

PEER = """
import json, os, random, sys
source, target = sys.argv[1:]
with open(source) as handle:
    rows = [json.loads(line) for line in handle.readlines()]
kept = []
for row in rows:
    if not row["judge"]:
        continue
    output = row["model_output"]
    if len(output.split("<|start|>assistant<|channel|>")) != 3:
        continue
    text = output.split("<|end|><|start|>assistant<|channel|>analysis<|message|>")[1]
    text = "<think>\\n" + text.replace("<|end|><|start|>assistant<|channel|>final<|message|>", "\\n</think>")
    prompt = row["model_input"].split("<|start|>user<|message|>")[1].split("<|end|>")[0].strip()
    kept.append({"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": text}]})
random.shuffle(kept)
os.makedirs(target, exist_ok=True)
for part in range(0, len(kept), 100_000):
    with open(os.path.join(target, f"data_part{part // 100_000 + 1}.jsonl"), "w") as handle:
        for row in kept[part : part + 100_000]:
            handle.write(json.dumps(row) + "\\n")
print(len(kept))
"""


def texts() -> list[str]:
    """Real answers of public models."""
    found = []
    for name in ("sky_math500", "sky_amc23"):
        with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as handle:
            for line in handle:
                row = json.loads(line)
                found += [value for key, value in row.items() if isinstance(value, str) and len(value) > 500]
    return found


def make(folder: Path, count: int, size: int, peer: bool) -> None:
    """Tables by shard, and the peer's file, of ``count`` answers of about ``size`` bytes."""
    chance, real = random.Random(0), texts()
    shard_size = SHARD_PROBLEMS * PER_PROBLEM
    lines = (folder / "judged.jsonl").open("w") if peer else None
    for shard, first in enumerate(range(0, count, shard_size)):
        numbers = range(first, min(count, first + shard_size))
        ids = sorted({f"p:{number // PER_PROBLEM:08d}" for number in numbers})
        problems = [
            {"id": name, "source": "p", "problem": f"What is the answer to {name}?", "answer": "1"} for name in ids
        ]
        write_table(folder / "problems" / f"{shard:05d}.parquet", frame_of(problems, PROBLEMS), PROBLEMS)
        judged = []
        with TableWriter(folder / "answers" / f"{shard:05d}.parquet", ANSWERS) as table:
            for start in range(numbers.start, numbers.stop, PIECE):
                rows = []
                for number in range(start, min(numbers.stop, start + PIECE)):
                    problem = f"p:{number // PER_PROBLEM:08d}"
                    row, verdict = answer(problem, number, size, real, chance)
                    rows.append(row)
                    judged.append(verdict)
                    if lines:
                        lines.write(json.dumps(line(problem, row["text"], row["answer_id"], verdict)) + "\n")
                table.write(frame_of(rows, ANSWERS))
        write_table(folder / "judged" / f"{shard:05d}.parquet", frame_of(judged, JUDGED), JUDGED)
    if lines:
        lines.close()


def answer(problem: str, number: int, size: int, real: list[str], chance: random.Random) -> tuple[dict, dict]:
    wanted, parts = chance.expovariate(1 / size), [f"Answer {number}."]
    while sum(map(len, parts)) < wanted:
        parts.append(chance.choice(real))
    reasoning = "\n".join(parts)[: max(int(wanted), 40)]
    text = f"<|channel|>analysis<|message|>{reasoning}<|end|><|start|>assistant<|channel|>final<|message|>\\boxed{{1}}"
    shared = {"answer_id": f"{problem}_{number % PER_PROBLEM:02d}", "problem_id": problem, "effort": "medium",
              "number": number % PER_PROBLEM, "status": "complete", "answer": "1", "tokens": len(text) // 4,
              "finish_reason": "stop"}  # fmt: skip
    right = chance.random() < 0.5
    verdict = {**shared, "source": "p", "class": 0, "correct": right, "by_rounding": False, "correct_vote": right,
               "pass_rate": 0.5, "share": 1.0, "label_source": "vote"}  # fmt: skip
    return {**shared, "seed": number, "text": text, "prompt_tokens": 20}, verdict


def line(problem: str, text: str, index: str, verdict: dict) -> dict:
    prompt = f"What is the answer to {problem}?"
    asked = ASKED.format(prompt)
    info = {"prompt": prompt, "expected_answer": "1", "index": index}
    return {"info": info, "index": index, "model_input": asked, "model_output": asked + "<|start|>assistant" + text,
            "prompt": prompt, "answer": text, "judge": verdict["correct_vote"]}  # fmt: skip


def timed(command: list[str]) -> tuple[float, float, str]:
    """Seconds, peak MiB and output of a process."""
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        return float("nan"), usage.ru_maxrss / 1024, "failed"
    return time.monotonic() - started, usage.ru_maxrss / 1024, output.strip()


def curate(folder: Path, jobs: int) -> tuple[float, float]:
    """Seconds of all shards, ``jobs`` at a time, and the largest peak MiB of one."""

    def one(path: Path) -> float:
        seconds, memory, _ = timed([
            sys.executable, "scripts/curate.py", "--judged", str(folder / "judged" / path.name), "--answers", str(path),
            "--problems", str(folder / "problems" / path.name), "--stratum", "short", "--shard", str(int(path.stem)),
            "--choice", '{"efforts": ["medium"]}', "--seed", "1", "--output", str(folder / "short" / path.name),
            "--funnel", str(folder / "funnel" / path.name),
        ])  # fmt: skip
        if math.isnan(seconds):
            sys.exit(f"scripts/curate.py failed on {path}; run it by hand to see why")
        return memory

    started = time.monotonic()
    with ThreadPoolExecutor(jobs) as pool:
        peak = max(pool.map(one, sorted((folder / "answers").glob("*.parquet"))))
    return time.monotonic() - started, peak


def label_plane(folder: Path) -> None:
    """Group, vote and judge, the funnel, and their seconds a million answers and peak memory."""
    steps: dict[str, list[tuple[float, float]]] = {}
    count = 0
    for path in sorted((folder / "answers").glob("*.parquet")):
        count += pl.scan_parquet(path).select(pl.len()).collect().item()
        groups, votes = folder / "groups" / path.name, folder / "votes" / path.name
        both = ["--answers", str(path), "--problems", str(folder / "problems" / path.name)]
        pairs = ["--pairs", str(folder / "pairs" / path.name)]
        limits = ["--min-share", "0.9", "--min-votes", "4"]
        judged = ["--votes", str(votes), "--output", str(folder / "judged2" / path.name)]
        for script, more in {
            "group_answers": ["--groups", str(groups), *pairs],
            "vote": ["--groups", str(groups), *limits, "--output", str(votes)],
            "judge_answers": ["--groups", str(groups), *judged],
        }.items():
            steps.setdefault(script, []).append(timed([sys.executable, f"scripts/{script}.py", *both, *more])[:2])
    dropped = folder / "dropped.parquet"
    write_table(dropped, frame_of([], DROPPED), DROPPED)
    tables = {name: [str(path) for path in sorted((folder / name).glob("*.parquet"))] for name in
              ("problems", "votes", "judged", "funnel")}  # fmt: skip
    funnel = [sys.executable, "scripts/tabulate_funnel.py", "--shards", *tables["problems"], "--dropped", str(dropped),
              "--votes", *tables["votes"], "--judged", *tables["judged"], "--strata", *tables["funnel"],
              "--csv", str(folder / "funnel.csv")]  # fmt: skip
    steps["tabulate_funnel"] = [timed(funnel)[:2]]
    spread = [sys.executable, "scripts/tabulate_distributions.py", "--judged", *tables["judged"], "--votes",
              *tables["votes"], "--lengths", str(folder / "l.csv"), "--shares", str(folder / "s.csv")]  # fmt: skip
    steps["tabulate_distributions"] = [timed(spread)[:2]]
    print(f"\nlabel plane, {count:,} answers in {len(tables['votes'])} shards, one job after the other")
    for name, jobs in steps.items():
        seconds = sum(took for took, _ in jobs)
        print(f"  {name:24}{seconds:8.1f} s{seconds / count * 1e6:10.1f} s/million{max(m for _, m in jobs):8.0f} MiB")


def storage() -> None:
    """Bytes an answer takes as a table and as a line, of real answers that are all different."""
    real = list(dict.fromkeys(texts()))
    rows = [answer(f"p:{number:08d}", number, 1, real, random.Random(0)) for number in range(len(real))]
    rows = [({**row, "text": text}, verdict) for (row, verdict), text in zip(rows, real, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        with TableWriter(Path(folder) / "a.parquet", ANSWERS) as table:
            for first in range(0, len(rows), PIECE):
                table.write(frame_of([row for row, _ in rows[first : first + PIECE]], ANSWERS))
        lines = sum(len(json.dumps(line(row["problem_id"], row["text"], row["answer_id"], verdict))) + 1
                    for row, verdict in rows)  # fmt: skip
        stored = (Path(folder) / "a.parquet").stat().st_size
    count, characters = len(real), sum(map(len, real)) // len(real)
    print(f"{count:,} different real answers of {characters:,} characters: {stored / count:.0f} bytes each as a table,"
          f" {lines / count:.0f} as JSONL, {lines / stored:.1f} to 1")  # fmt: skip


def apart(work: Callable[..., None], *arguments: object) -> None:
    """Do it in a process of its own: a child's peak memory counts from its parent's."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join()


def size_of(path: Path) -> int:
    return sum(each.stat().st_size for each in ([path] if path.is_file() else path.rglob("*")) if each.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000], help="answers")
    parser.add_argument("--bytes", type=int, default=20_000, help="mean bytes of an answer")
    parser.add_argument("--no-peer", action="store_true", help="leave the peer out: it holds all texts in memory")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="shards of ours at a time")
    parser.add_argument("--label-plane", action="store_true", help="group, vote, judge and the funnel as well")
    arguments = parser.parse_args()
    apart(storage)
    for count in arguments.sizes:
        folder = Path(tempfile.mkdtemp())
        apart(make, folder, count, arguments.bytes, not arguments.no_peer)
        seconds, peak = curate(folder, arguments.jobs)
        stored, given = size_of(folder / "answers") / count, size_of(folder / "short")
        print(f"{count:>9,} answers  ours     {seconds:7.1f} s  peak {peak:6.0f} MiB  {stored:6.0f} bytes an answer"
              f"  {given / 2**20:7.0f} MiB of examples", flush=True)  # fmt: skip
        if not arguments.no_peer:
            command = [sys.executable, "-c", PEER, str(folder / "judged.jsonl"), str(folder / "format_data")]
            theirs, memory, kept = timed(command)
            line_bytes = size_of(folder / "judged.jsonl") / count
            written = size_of(folder / "format_data") / 2**20
            print(f"{count:>9,} answers  JSONL    {theirs:7.1f} s  peak {memory:6.0f} MiB  {line_bytes:6.0f} bytes an"
                  f" answer  {written:7.0f} MiB of examples ({kept})", flush=True)  # fmt: skip
            print(f"{'':19}ratio    {theirs / seconds:7.1f}    {memory / peak:10.1f}      {line_bytes / stored:10.1f}")
        if arguments.label_plane:
            label_plane(folder)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
