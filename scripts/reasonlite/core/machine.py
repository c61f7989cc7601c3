"""The machine and the versions a job ran with, as one line of its log, which the audit reads.

Names no host and no path.
"""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

MARK = " machine: "
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
