"""What must be in a process's environment before torch or vLLM is imported: kernels, visible GPUs, caches.

What the user has set already is kept. Does not know what will run.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

# what AMD's guide to vLLM on MI300X sets outside its images. Its fast kernels (AITER) stay off unless the user says
# VLLM_ROCM_USE_AITER=1, as ReasonLite does: answers of gpt-oss were silently corrupted by them while the server was
# well (amd/skills pull request 71, ROCm/aiter issue 1455, verl issue 6590). Then ReasonLite's choice of them holds.
ROCM = {
    "VLLM_ROCM_USE_AITER": "0",
    "VLLM_ROCM_USE_AITER_UNIFIED_ATTENTION": "1",
    "VLLM_ROCM_USE_AITER_MHA": "0",
    "HIP_FORCE_DEV_KERNARG": "1",
    "TORCH_BLAS_PREFER_HIPBLASLT": "1",
    "SAFETENSORS_FAST_GPU": "1",
}
# compiled kernels: thousands of small files that a shared file system serves badly, and that jobs must not share
CACHES = {
    "VLLM_CACHE_ROOT": "vllm",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "TRITON_CACHE_DIR": "triton",
    "MIOPEN_USER_DB_PATH": "miopen",
    "AITER_JIT_DIR": "aiter",
}


def prepare(environment: MutableMapping[str, str] = os.environ, devices: Path = Path("/dev")) -> None:
    """Set what is not set: AMD's kernels where ``devices`` holds its driver, node-local caches in a Slurm job."""
    if (devices / "kfd").exists():
        for name, value in ROCM.items():
            environment.setdefault(name, value)
        _number_once(environment)
    environment.setdefault("PYTHONFAULTHANDLER", "1")  # a worker that is ended says where it was (stalls.py)
    job = environment.get("SLURM_JOB_ID")
    if job:
        local = Path(environment.get("SLURM_TMPDIR") or environment.get("TMPDIR") or "/tmp")
        for name, folder in CACHES.items():
            environment.setdefault(name, str(local / f"reasonlite-{os.getuid()}-{job}" / folder))


def _number_once(environment: MutableMapping[str, str]) -> None:
    """AMD's variables filter one after the other: HIP's and CUDA's count among what ROCR's leaves.

    Slurm sets them all to the same numbers, so on any GPU but the first nothing would be visible.
    """
    visible = environment.get("ROCR_VISIBLE_DEVICES")
    if not visible:
        return
    renumbered = ",".join(str(number) for number in range(len(visible.split(","))))
    for name in ("HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"):
        if environment.get(name) == visible:
            environment[name] = renumbered
