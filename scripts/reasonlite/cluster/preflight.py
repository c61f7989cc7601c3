"""What a node is found to be before hours are spent on it, and what of that would stop or slow a run.

Facts are plain values that one job a kind of node writes down; verdicts are worked out from them where the user is.
Does not know models or training.
"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from reasonlite.core import machine

GB = 1e9
READ_BYTES = 2_000_000_000  # of a model at most, to see how fast it comes
CACHE_GB, SHARED_MEMORY_GB = 10.0, 1.0  # compiled kernels; what collectives and loaders exchange
SLOW_MB = 200.0  # a second: 65 GB of weights would take five minutes
CLOCK_SECONDS = 5.0
FILES = 4096  # open at once
SWITCHES = (
    "VLLM_",
    "NCCL_",
    "RCCL_",
    "HIP_",
    "HSA_",
    "ROCR_",
    "CUDA_",
    "GPU_",
    "AITER_",
    "PYTORCH_",
    "TRITON_",
    "OMP_",
)


class Finding(NamedTuple):
    """Something that will stop a run (``stops``) or slow it or may do so, and what to do."""

    stops: bool
    what: str
    todo: str


def node_facts(results: Path, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What can be seen of this node without any library."""
    cores = Path("/sys/devices/system/cpu/smt/active")
    return {
        "host": socket.gethostname(),
        "architecture": platform.machine(),
        "machine": machine.describe(),
        "cpus": len(os.sched_getaffinity(0)),
        "hyper_threads": cores.is_file() and cores.read_text().strip() == "1",
        "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GB,
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "srun": shutil.which("srun"),
        "clock_seconds": clock_offset(results),
        "folders": {name: folder_facts(path) for name, path in folders(results, environment).items()},
        "switches": {name: value for name, value in sorted(environment.items()) if name.startswith(SWITCHES)},
    }


def folders(results: Path, environment: Mapping[str, str]) -> dict[str, Path]:
    """Where jobs write: results, home, the hub's cache, node-local scratch, shared memory."""
    home = Path(environment.get("HOME", "/"))
    local = environment.get("SLURM_TMPDIR") or environment.get("TMPDIR") or "/tmp"
    hub = environment.get("HF_HOME") or str(home / ".cache" / "huggingface")
    return {"results": results, "home": home, "hub": Path(hub), "scratch": Path(local), "shm": Path("/dev/shm")}


def folder_facts(path: Path) -> dict[str, Any]:
    """Free space of the nearest folder that exists, and whether a file can be made there."""
    place = next(folder for folder in (path, *path.parents) if folder.exists())
    return {"path": str(path), "free_gb": shutil.disk_usage(place).free / GB, "writable": _writable(place)}


def _writable(folder: Path) -> bool:
    probe = folder / f".reasonlite-preflight-{os.getpid()}"
    try:
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError:
        return False
    return True


def clock_offset(folder: Path) -> float | None:
    """Seconds by which this node's clock is ahead of the file system's, which may be another machine's."""
    probe = folder / f".reasonlite-clock-{os.getpid()}"
    try:
        before = time.time()
        probe.write_bytes(b"x")
        stamped = probe.stat().st_mtime
        after = time.time()
        probe.unlink()
    except OSError:
        return None
    return max(before - stamped, stamped - after, 0.0)


def read_speed(folder: Path) -> dict[str, Any] | None:
    """MB a second of the model's largest file, past the cache of this node where the kernel lets us; None without.

    A folder of links to what this node or container does not show gives where one of them points.
    """
    lost = [file for file in folder.glob("*") if file.is_symlink() and not file.exists()] if folder.is_dir() else []
    if lost:
        return {"lost": str(lost[0].readlink())}
    files = [file for file in folder.glob("*") if file.is_file()] if folder.is_dir() else []
    if not files:
        return None
    largest = max(files, key=lambda file: file.stat().st_size)
    done, began = 0, time.monotonic()
    with largest.open("rb", buffering=0) as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while done < READ_BYTES and (piece := opened.read(2**24)):
            done += len(piece)
    total = sum(file.stat().st_size for file in files)
    return {"mb_per_second": done / 1e6 / max(time.monotonic() - began, 1e-6), "model_gb": total / GB}


def findings(kind: str, facts: dict[str, Any], asked: dict[str, Any]) -> Iterator[Finding]:
    """What is wrong with a node of this kind; ``asked``: gpus, cpus, nodes as in the profile."""
    yield from _of_gpus(facts.get("gpus"), asked)
    yield from _of_folders(kind, facts["folders"])
    yield from _of_collectives(facts.get("collective"), asked)
    if facts["cpus"] < asked["cpus"]:
        todo = "lower set-threads in the profile, or ask the cluster's staff how CPUs are counted"
        yield Finding(False, f"{asked['cpus']} CPUs are asked for and this job has {facts['cpus']}", todo)
    if facts["hyper_threads"] and kind != "cpu":
        todo = "count threads, not cores, in set-threads, or add --hint=nomultithread to slurm_extra"
        yield Finding(False, f"hyper-threads are on: {asked['cpus']} CPUs are half as many cores", todo)
    if kind == "train" and asked["nodes"] > 1 and facts["srun"] is None:
        todo = "ask for Slurm's commands on compute nodes and in the container (--bind), or train on one node"
        yield Finding(True, "there is no srun on this node, and training over several nodes starts with it", todo)
    if (offset := facts["clock_seconds"]) is not None and offset > CLOCK_SECONDS:
        todo = "tell the cluster's staff; until then results may be made again, or be taken for newer than they are"
        yield Finding(False, f"the clock is {offset:.0f} s away from the file system's", todo)
    if facts["open_files"] < FILES:
        yield Finding(False, f"only {facts['open_files']} files may be open", "ulimit -n 65536 before snakemake")
    read = facts.get("read") or {}
    if "lost" in read:
        todo = "put HF_HOME into a shared file system; in a container also apptainer-args: --bind PATH"
        yield Finding(True, f"the model's files are links to {read['lost']}, which is not here", todo)
    elif read and read["mb_per_second"] < SLOW_MB and read["model_gb"] > 1:
        minutes = read["model_gb"] * 1000 / read["mb_per_second"] / 60
        todo = "put HF_HOME on a faster file system; each engine reads the whole model when it starts"
        yield Finding(False, f"a model comes with {read['mb_per_second']:.0f} MB/s: {minutes:.0f} minutes", todo)
    if error := (facts.get("canary") or {}).get("error"):
        yield Finding(True, f"the engine does not answer as it should: {error}", "read the log of preflight")


def _of_gpus(gpus: dict[str, Any] | None, asked: dict[str, Any]) -> Iterator[Finding]:
    if not asked["gpus"]:
        return
    if gpus is None or len(gpus["seen"]) < asked["gpus"]:
        seen = 0 if gpus is None else len(gpus["seen"])
        reason = f" ({gpus['error']})" if gpus and gpus.get("error") else ""
        todo = "see gres in the profile; the environment's role (make setup ROLE=cuda) or container (apptainer-args)"
        yield Finding(True, f"{asked['gpus']} GPUs are asked for and torch sees {seen}{reason}", todo)
        return
    taken = {n: gpu["memory_gb"] - gpu["free_gb"] for n, gpu in enumerate(gpus["seen"])}
    busy = {n: gigabytes for n, gigabytes in taken.items() if gigabytes > 0.1 * gpus["seen"][n]["memory_gb"]}
    if busy:
        todo = "exclude the node (slurm_extra: --exclude), and tell the cluster's staff"
        yield Finding(True, f"{max(busy.values()):.0f} GB of GPU {', '.join(map(str, busy))} are taken by others", todo)


def _of_folders(kind: str, found: dict[str, Any]) -> Iterator[Finding]:
    for name, folder in found.items():
        if not folder["writable"] and name == "results":
            yield Finding(True, f"{folder['path']} cannot be written from this node", "clone into a shared file system")
        elif not folder["writable"] and name == "scratch":
            yield Finding(
                True, f"{folder['path']} cannot be written", "set TMPDIR in the profile's envvars or the site's"
            )
        elif not folder["writable"] and name in ("home", "hub"):
            todo = "set HF_HOME and XDG_CACHE_HOME to folders that jobs may write"
            yield Finding(False, f"{folder['path']} is read-only here", todo)
    scratch, shared = found["scratch"], found["shm"]
    if kind != "cpu" and scratch["free_gb"] < CACHE_GB:
        todo = "set TMPDIR to a folder with 10 GB free; compiled kernels are cached there"
        yield Finding(False, f"{scratch['free_gb']:.1f} GB are free in {scratch['path']}", todo)
    if kind != "cpu" and (not shared["writable"] or shared["free_gb"] < SHARED_MEMORY_GB):
        todo = "ask for a larger /dev/shm, or bind one into the container"
        yield Finding(False, f"{shared['free_gb']:.1f} GB are free in /dev/shm", todo)


def _of_collectives(found: dict[str, Any] | None, asked: dict[str, Any]) -> Iterator[Finding]:
    if found is None:
        return
    if "error" in found:
        todo = "read the log; often the network's interface: set NCCL_SOCKET_IFNAME and GLOO_SOCKET_IFNAME"
        yield Finding(True, f"the processes of a training cannot talk to each other: {found['error']}", todo)
    elif len(found["hosts"]) < asked["nodes"]:
        what = f"{asked['nodes']} nodes are asked for and the processes run on {len(found['hosts'])}"
        yield Finding(True, what, "see nodes, tasks and slurm_extra of train in the profile")
    elif found.get("between") and asked["gpus"] and found["between"] < 5:
        todo = "see whether the fast network is used: NCCL_DEBUG=INFO names it; NCCL_IB_HCA, NCCL_SOCKET_IFNAME"
        yield Finding(False, f"gradients go between nodes with {found['between']:.1f} GB/s", todo)
