"""SFT at 32K tokens on Qwen3-0.6B's architecture: does it fit, how fast is it, what share of the card's peak?

    python tests/gpu/sft.py [--miniature] [--output sft.json] [--variants ours grouped packed longest trl]

Examples of random tokens, their lengths spread as a teacher's answers are. "ours" has ReasonLite's arguments on our
data set; grouped and packed add one argument; "longest" has rows of full length alone; "trl" is TRL's trainer on a
data set of the same tokens. Each runs some steps in a process of its own. Then a run is killed after a checkpoint and
continued: plainly, and by DeepSpeed where it is installed. The estimate of cluster/memory.py stands beside the peak.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import card
import numpy as np
import polars as pl

from reasonlite.cluster import memory

VARIANTS = {
    "ours": {},
    "grouped": {"train_sampling_strategy": "group_by_length"},
    "packed": {"packing": True},
    "longest": {"max_steps": 2},  # of which the first sets everything up
}
TRL = """
import json, sys, time, torch
sys.path.insert(0, "scripts")
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer
from pathlib import Path
from reasonlite.training.tokens import Examples
start, data, work, arguments = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
cuda = torch.cuda.is_available()
rows = [{"input_ids": each["input_ids"].tolist()} for each in Examples([Path(data)], answers_only=False)]
config = SFTConfig(output_dir=work, seed=0, use_cpu=not cuda, report_to="none", **arguments)
model = AutoModelForCausalLM.from_pretrained(start, dtype=torch.bfloat16 if cuda else torch.float32)
trainer = SFTTrainer(model, config, train_dataset=Dataset.from_list(rows),
                     processing_class=AutoTokenizer.from_pretrained(start))
times = []
class Clock(TrainerCallback):
    def on_log(self, *_, **__): times.append(time.monotonic())
trainer.add_callback(Clock())
trainer.train()
logs = [entry for entry in trainer.state.log_history if "loss" in entry]
print(json.dumps({"seconds": times[len(logs) - 1] - times[0], "tokens": logs[-1]["num_tokens"] - logs[0]["num_tokens"],
                  "loss": logs[-1]["loss"],
                  "peak_gb": torch.cuda.max_memory_allocated() / 1e9 if cuda else None}))
"""


def lengths(count: int, longest: int) -> list[int]:
    """Log-normal with a median of a sixth of the longest, cut there, as long chains of thought are."""
    drawn = np.random.default_rng(0).lognormal(np.log(longest / 6), 0.9, count)
    return [int(value) for value in np.clip(drawn, 32, longest)]


def ours(start: Path, data: Path, folder: Path, arguments: dict) -> dict:
    card.finished(card.train("sft", start, data, folder, {"arguments": arguments}), folder)
    log, speed = pl.read_parquet(folder / "log.parquet"), pl.read_parquet(folder / "speed.parquet")
    return {
        "seconds": speed["seconds"].sum(),
        "tokens": log["tokens"][-1] - log["tokens"][0],  # the first step sets everything up
        "loss": log["loss"][-1],
        "peak_gb": speed["peak_memory_mb"].max() * 2**20 / 1e9,
    }


def trl(start: Path, data: Path, folder: Path, arguments: dict) -> dict:
    line = [sys.executable, "-c", TRL, str(start), str(data), str(folder), json.dumps(arguments)]
    done = subprocess.run(line, cwd=card.ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-4000:])
    return json.loads(done.stdout.splitlines()[-1])


def resumed(start: Path, data: Path, folder: Path, arguments: dict, config: str | None) -> dict:
    """Kill a run after its first checkpoint and continue it; the curve beside that of one left in peace."""
    stage = {"arguments": arguments | {"save_steps": 2, "max_steps": 6}}

    def train(place: Path) -> subprocess.Popen:
        return card.train("sft", start, data, place, stage, config=config)

    card.finished(train(folder / "whole"), folder / "whole")
    place = folder / "killed"
    process = train(place)
    while not (place / "work" / "checkpoint-2" / "trainer_state.json").exists():
        if process.poll() is not None:
            raise SystemExit((place / "log").read_text()[-4000:])
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    card.finished(train(place), place)
    curves = [pl.read_parquet(each / "log.parquet")["loss"].to_list() for each in (folder / "whole", place)]
    return {
        "continued": "continuing from checkpoint-" in (place / "log").read_text(),
        "largest_difference_of_losses": max(abs(a - b) for a, b in zip(*curves, strict=True)),
    }


def figures(measured: dict, shape: memory.Shape, lengths: list[int], peak: float | None) -> dict:
    """Tokens a second, and the share of the card's peak: 6 FLOPs a parameter and token, and attention's."""
    speed = measured["tokens"] / measured["seconds"]
    seen = sum(length**2 for length in lengths) / sum(lengths)  # the length that a token finds itself in, on the mean
    attention = 6 * shape.layers * shape.heads * shape.head_dim * seen
    used = speed * (6 * shape.parameters + attention)
    return measured | {"tokens_per_second": speed, "share_of_peak": used / peak if peak else None}


def variant(name: str, start: Path, folder: Path, arguments: dict, shape: memory.Shape, words: int) -> dict:
    """The figures of one variant; what it said at its end if it failed, so that the others run yet."""
    rows, steps, most = (arguments[key] for key in ("per_device_train_batch_size", "max_steps", "max_length"))
    drawn = [most] * rows * 2 if name == "longest" else lengths(rows * steps * 2, most)
    own = arguments | VARIANTS.get(name, {})
    data = card.token_file(folder / name / "short" / "00000.arrow", drawn, words)
    run = trl if name == "trl" else ours
    try:
        measured = run(start, data, folder / name / "run", own)
    except SystemExit as failure:
        return {"failed": str(failure)}
    return figures(measured, shape, drawn, card.peak()[1]) | {
        "mean_length": float(np.mean(drawn)),
        "estimated_gb": sum(memory.training(shape, own, 1).values()),
    }


def main() -> int:
    plain = "gpu" if card.peak()[1] else "cpu"
    configs = [plain, *(["zero1"] if importlib.util.find_spec("deepspeed") else [])]
    parser = card.parser(__doc__)
    parser.add_argument("--variants", nargs="*", default=[*VARIANTS, "trl"], choices=[*VARIANTS, "trl"])
    parser.add_argument("--killed", nargs="*", default=configs, help="configurations of accelerate to kill and resume")
    parser.add_argument("--steps", type=int, default=8)
    given = parser.parse_args()
    sizes = card.MINIATURE if given.miniature else card.FULL
    longest, rows = (256, 4) if given.miniature else (32_768, 8)
    name, peak = card.peak()
    arguments = {
        **{"max_length": longest, "per_device_train_batch_size": rows, "max_steps": given.steps, "logging_steps": 1},
        **{"bf16": peak is not None, "gradient_checkpointing": True, "learning_rate": 1e-4, "max_grad_norm": 0.3},
        "use_liger_kernel": importlib.util.find_spec("liger_kernel") is not None and peak is not None,
    }
    found: dict = {"card": name, "arguments": arguments, "variants": {}, "kill_and_resume": {}}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        start = card.student(folder / "m", sizes)
        shape = memory.Shape(
            *(sizes[key] for key in card.NAMES), tied=True, attention_bias=False, qk_norm=True, weights_gb=0,
        )  # fmt: skip
        for each in given.variants:
            found["variants"][each] = variant(each, start, folder, arguments, shape, sizes["words"])
        data = card.token_file(folder / "short" / "00000.arrow", lengths(256, longest // 16), sizes["words"])
        for config in given.killed:
            try:
                found["kill_and_resume"][config] = resumed(start, data, folder / config, arguments, config)
            except SystemExit as failure:
                found["kill_and_resume"][config] = {"failed": str(failure)}
    card.keep(given.output, found)
    return 1 if any("failed" in each for each in (found["variants"] | found["kill_and_resume"]).values()) else 0


if __name__ == "__main__":
    sys.exit(main())
