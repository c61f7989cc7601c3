"""Some steps of GRPO and of distillation on the GPU: do they run, and how long is a step?

python tests/gpu/on_policy.py [--miniature] [--output on_policy.json]
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import card
import polars as pl

from reasonlite.core.schemas import PROBLEMS
from reasonlite.core.tables import frame_of, write_table


def main() -> None:
    parser = card.parser(__doc__)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=1024, help="of an answer, at most")
    given = parser.parse_args()
    sizes = card.MINIATURE if given.miniature else card.FULL
    name, peak = card.peak()
    tokens = 16 if given.miniature else given.tokens
    shared = {"max_steps": given.steps, "logging_steps": 1, "bf16": peak is not None, "learning_rate": 1e-5}
    shared |= {"per_device_train_batch_size": 8, "max_completion_length": tokens}
    stages = {
        "grpo": {"data": ["s"], "arguments": shared | {"num_generations": 4}},
        "distill": {"data": ["s"], "teacher": "t", "arguments": shared},
    }
    found: dict = {"card": name, "tokens_an_answer": tokens, "steps": {}}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        start, teacher = card.student(folder / "m", sizes), card.student(folder / "t", sizes, seed=1)
        rows = [{"id": f"s:{n}", "source": "s", "problem": f"{n}+1=?", "answer": str(n + 1)} for n in range(16)]
        data = folder / "problems.parquet"
        write_table(data, frame_of(rows, PROBLEMS), PROBLEMS)
        for method, stage in stages.items():
            more = ["--teacher", str(teacher)] if method == "distill" else []
            place = folder / method
            card.finished(card.train(method, start, data, place, stage, *more), place)
            log, speed = pl.read_parquet(place / "log.parquet"), pl.read_parquet(place / "speed.parquet")
            found["steps"][method] = {
                "steps": log["step"][-1],
                "seconds_a_step": speed["seconds"].mean(),
                "peak_gb": speed["peak_memory_mb"].max() * 2**20 / 1e9,
                "loss": log["loss"][-1],
            }
    card.keep(given.output, found)


if __name__ == "__main__":
    main()
