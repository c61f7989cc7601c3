"""A real engine whose weights are corrupt, and one that hangs: each ends its job, and nothing false is kept."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from running import ROOT, environment, need_vllm

from reasonlite.core.schemas import PROBLEMS
from reasonlite.core.tables import frame_of, write_table

pytestmark = [pytest.mark.slow, pytest.mark.full]
# the first step after the canary's round never comes back
HANGING = """
import runpy, sys, time
sys.argv = sys.argv[1:]
sys.path.insert(0, "scripts")
from vllm.v1.engine.llm_engine import LLMEngine
from reasonlite.answers.canary import Watch
settle = Watch._settle
def then_hang(self, *given):
    settle(self, *given)
    LLMEngine.step = lambda engine: time.sleep(10_000)
Watch._settle = then_hang
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def generate(folder: Path, model: Path, canary: dict, code: str | None = None, **surroundings: str):
    engine = {"kind": "vllm", "max_model_len": 512, "dtype": "float32", "canary": canary}
    settings = {"answers_per_problem": 2, "sampling": {"temperature": 0.7, "max_tokens": 16}}
    line = ["scripts/generate_answers.py", "--problems", str(folder / "problems.parquet"), "--model", str(model)]
    line += ["--engine", json.dumps(engine), "--effort", "medium", "--settings", json.dumps(settings), "--seed", "1"]
    line += ["--journal", str(folder / "journal"), "--output", str(folder / "answers.parquet")]
    begin = [sys.executable, *(["-c", code] if code else [])]
    around = environment() | surroundings
    return subprocess.run([*begin, *line], cwd=ROOT, env=around, capture_output=True, text=True, timeout=3600)


@pytest.fixture(scope="module")
def folder(smollm2, tmp_path_factory) -> Path:
    need_vllm()
    folder = tmp_path_factory.mktemp("engine")
    rows = [{"id": f"s:{n}", "source": "s", "problem": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(2)]
    write_table(folder / "problems.parquet", frame_of(rows, PROBLEMS), PROBLEMS)
    (folder / "model").symlink_to(smollm2)
    return folder


def test_an_engine_that_hangs_is_ended_with_its_stack_and_the_next_try_answers(folder):
    hung = generate(folder, folder / "model", {"max_tokens": 8}, HANGING, REASONLITE_STALL_SECONDS="90")
    assert hung.returncode == 75, hung.stderr[-3000:]
    assert "canary: sane" in hung.stderr and "stalled: no step of the engine for" in hung.stderr
    assert "in _replies" in hung.stderr and not (folder / "answers.parquet").exists()
    done = generate(folder, folder / "model", {"max_tokens": 8})
    assert done.returncode == 0 and pl.read_parquet(folder / "answers.parquet").height == 4
    rounds = [json.loads(line) for line in (folder / "journal" / "canary.jsonl").read_text().splitlines()]
    assert all(found["sane"] for found in rounds)
    fresh, again, last = (found["drift"] for found in rounds)  # the last round is not read once more
    assert fresh < 0.1 and again < 0.1 and last is None


def scramble(file: Path, part: str) -> None:
    """Shuffle the bfloat16 values of a layer's matrices, in place."""
    content = bytearray(file.read_bytes())
    begin = 8 + int.from_bytes(content[:8], "little")
    random = np.random.default_rng(0)
    for name, entry in json.loads(content[8:begin]).items():
        if part in name and "proj" in name:
            first, last = (begin + place for place in entry["data_offsets"])
            values = np.frombuffer(bytes(content[first:last]), np.uint16)
            content[first:last] = random.permutation(values).tobytes()
    file.write_bytes(content)


def test_corrupt_weights_are_noticed_before_a_single_answer(folder, tmp_path):
    """The first attention layer's values scrambled in the file, as by a bad disk: vLLM itself is content."""
    trusted = folder / "journal" / "canary.jsonl"
    shutil.copytree(folder / "model", tmp_path / "model")
    scramble(tmp_path / "model" / "model.safetensors", "layers.1.")
    shutil.copy(folder / "problems.parquet", tmp_path)
    done = generate(tmp_path, tmp_path / "model", {"max_tokens": 8, "reference": str(trusted)})
    assert done.returncode == 2, done.stderr[-3000:]
    assert "the canary's answers are garbage" in done.stderr and str(trusted) in done.stderr
    assert "VLLM_ROCM_USE_AITER=0" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "answers.parquet").exists()
    assert not [path for path in (tmp_path / "journal").iterdir() if path.suffix == ".parquet"]
    assert not json.loads((tmp_path / "journal" / "canary.jsonl").read_text())["sane"]
