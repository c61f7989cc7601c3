"""The machine that a job runs on: what it is, as one line of the log that the audit reads, and how engines share it.

Names no host and no path.
"""

from __future__ import annotations

import os
import platform
from collections.abc import MutableMapping
from importlib import metadata
from pathlib import Path
from typing import Any

MARK = " machine: "
ENGINE_THREADS, AT_ONCE = 8, 4  # cores that an engine counts for at most, engines that share as many as that gives
CORES = "REASONLITE_CORES"  # of a local run, for its jobs
# what the results depend on; the rest is in the lock
PACKAGES = (
    *("accelerate", "datasets", "deepspeed", "liger-kernel", "math-verify", "matplotlib", "numpy", "peft", "polars"),
    *("pyarrow", "reasoning-gym", "sympy", "tokenizers", "torch", "transformers", "trl", "vllm"),
)


def describe() -> dict[str, Any]:
    """Python's version, processor, GPUs and container by name, and versions of what is installed of PACKAGES."""
    image = os.environ.get("APPTAINER_CONTAINER") or os.environ.get("SINGULARITY_CONTAINER")
    return {
        "container": Path(image).name if image else None,
        "python": platform.python_version(),
        "processor": platform.machine(),
        "gpus": _gpus(),
        "packages": {name: version for name in PACKAGES if (version := version_of(name))},
    }


def version_of(name: str) -> str | None:
    """Version of an installed package; None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def engine_threads(cores: int | None) -> int:
    """Cores that one engine counts for in a local run of ``cores``; a cluster's profile says its own number.

    Without a GPU a quarter of them, so that four engines run side by side (more only above 32 cores): an engine's
    threads wait for one another in every layer, and the others fill these gaps (docs/measurements.md).
    """
    if cores is None or _gpus():
        return ENGINE_THREADS
    return min(ENGINE_THREADS, -(-cores // AT_ONCE))


def hand_on_cores(cores: int | None, environment: MutableMapping[str, str] = os.environ) -> None:
    """Tell the jobs that this process starts what they may use together; None where each has cores of its own."""
    environment.pop(CORES, None)
    if cores is not None:
        environment[CORES] = str(min(cores, AT_ONCE * ENGINE_THREADS))  # no engine is given hundreds of threads


def share_cores(environment: MutableMapping[str, str] = os.environ) -> None:
    """Give an engine on a CPU all of a local run's cores, with threads that sleep while they wait.

    So an engine that runs alone is as fast as it can be, and of several each takes what the others leave. Called before
    torch is imported, which reads these variables once.
    """
    cores = environment.get(CORES)
    if cores is not None and not _gpus():
        environment.update({"OMP_NUM_THREADS": cores, "MKL_NUM_THREADS": cores, "OMP_WAIT_POLICY": "PASSIVE"})


def boot_id() -> str:
    """A name of this machine's present run, which tells whether the number of a process can be of one here."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _gpus() -> list[str]:
    """As the drivers name them: NVIDIA's under /proc, AMD's under /sys; no library is loaded for it."""
    found = []
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        lines = path.read_text(errors="replace").splitlines()
        found += [line.split(":", 1)[1].strip() for line in lines if line.startswith("Model:")]
    for path in sorted(Path("/sys/class/kfd/kfd/topology/nodes").glob("*/properties")):
        values = dict(line.split(maxsplit=1) for line in path.read_text(errors="replace").splitlines() if " " in line)
        if values.get("simd_count", "0") != "0":
            found.append(f"AMD gfx{values.get('gfx_target_version', '')}")
    return found
