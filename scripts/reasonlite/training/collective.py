"""What torch sees of a node's GPUs, and how fast processes of a training exchange gradients."""

from __future__ import annotations

import os
import socket
import time
from datetime import timedelta
from typing import Any

SECONDS = 120  # for all to meet, and for each exchange
ROUNDS = 5
GPU_VALUES, CPU_VALUES = 64 * 2**20, 2 * 2**20  # float32: 256 MiB, 8 MiB


def gpus() -> dict[str, Any]:
    """Names and memory (GB) of the GPUs that torch sees, with its version; an error of the driver as text."""
    import torch

    found: dict[str, Any] = {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "hip": torch.version.hip,
        "seen": [],
    }
    try:
        for number in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(number)
            name = torch.cuda.get_device_name(number)
            found["seen"].append({"name": name, "memory_gb": total / 1e9, "free_gb": free / 1e9})
    except RuntimeError as error:
        found["error"] = str(error).splitlines()[0]
    return found


def measure() -> dict[str, Any] | None:
    """Bus bandwidth (GB/s) of an all-reduce among a node's processes and among all, as NCCL's tests count it.

    Called by every process that ``accelerate launch`` started; gives the first one the result, the others None.
    """
    import torch
    import torch.distributed as dist

    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    local, here = int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(local)
    dist.init_process_group("nccl" if on_gpu else "gloo", timeout=timedelta(seconds=SECONDS))
    values = torch.ones(GPU_VALUES if on_gpu else CPU_VALUES, device="cuda" if on_gpu else "cpu")
    nodes = [dist.new_group(list(range(first, first + here))) for first in range(0, size, here)]
    hosts: list[Any] = [None] * size
    dist.all_gather_object(hosts, os.environ.get("SLURMD_NODENAME") or socket.gethostname())
    found = {
        "processes": size,
        "hosts": sorted(set(hosts)),
        "backend": dist.get_backend(),
        "within": None,
        "between": None,
    }
    if here > 1:
        found["within"] = _bandwidth(values, here, nodes[rank // here])
    if size > here:
        found["between"] = _bandwidth(values, size, None)
    dist.destroy_process_group()
    return found if rank == 0 else None


def _bandwidth(values: Any, size: int, group: Any) -> float:
    import torch
    import torch.distributed as dist

    def exchange() -> None:
        dist.all_reduce(values, group=group)
        if values.is_cuda:
            torch.cuda.synchronize()

    exchange()  # the first one sets connections up
    began = time.monotonic()
    for _ in range(ROUNDS):
        exchange()
    seconds = (time.monotonic() - began) / ROUNDS
    return float(2 * (size - 1) / size * values.nbytes / seconds / 1e9)
