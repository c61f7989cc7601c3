"""The server engine against vLLM's own server, started on loopback with a tiny model."""

import json
import subprocess
import sys

import polars as pl
import pytest
from running import ROOT, environment, need_vllm, serving

pytestmark = [pytest.mark.slow, pytest.mark.full]


@pytest.fixture(scope="module")
def server(tiny_model, tmp_path_factory):
    need_vllm()
    with serving(tiny_model, tmp_path_factory.mktemp("server") / "log") as url:
        yield url


def test_answers_come_through_a_real_server(server, tmp_path):
    from reasonlite.core.schemas import PROBLEMS
    from reasonlite.core.tables import frame_of, write_table

    rows = [{"id": f"s:{n}", "source": "s", "problem": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(5)]
    write_table(tmp_path / "problems.parquet", frame_of(rows, PROBLEMS), PROBLEMS)

    def generate(name):
        engine = {
            "kind": "server",
            "url": server,
            "model": "served",
            "concurrency": 4,
            "canary": None,
        }  # of random weights
        settings = {"answers_per_problem": 3, "sampling": {"temperature": 1.0, "max_tokens": 8}}
        command = [
            sys.executable,
            "scripts/generate_answers.py",
            "--problems",
            tmp_path / "problems.parquet",
            "--engine",
            json.dumps(engine),
            "--effort",
            "medium",
            "--settings",
            json.dumps(settings),
            "--seed",
            "1",
            "--journal",
            tmp_path / f"{name}.jsonl",
            "--output",
            tmp_path / f"{name}.parquet",
        ]
        done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=3600)
        assert done.returncode == 0, done.stderr
        return pl.read_parquet(tmp_path / f"{name}.parquet")

    answers = generate("first")
    assert answers.height == 15 and answers["error"].null_count() == 15, answers["error"].to_list()
    assert answers["tokens"].min() >= 1 and answers["tokens"].max() <= 8
    assert set(answers["finish_reason"]) <= {"length", "stop"}
    assert answers["text"].n_unique() > 10  # a random model at temperature 1: the seeds differ
