"""How many processes train, how they share a step's batch, what memory they keep and what ends them.

Does not import torch.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from reasonlite.core.errors import UserError

PR_SET_PDEATHSIG = 1  # linux/prctl.h
# malloc.h: blocks mapped on their own (none), free bytes before they are given back (never), bytes taken on top
MALLOPT = {"M_MMAP_MAX": (-4, 0), "M_TRIM_THRESHOLD": (-1, -1), "M_TOP_PAD": (-2, 2**28)}
ROWS = 8  # per_device_train_batch_size where a stage says nothing (transformers' TrainingArguments)


def end_with_the_launcher() -> None:
    """Have this process killed when its launcher dies, even of a signal that it cannot pass on.

    torch puts each rank into a session of its own; left alone they would train on beside the next try.
    """
    if "LOCAL_RANK" in os.environ:
        launcher = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != launcher:  # it died just before
            os.kill(os.getpid(), signal.SIGKILL)


def read_configuration(config_file: Path) -> dict[str, Any]:
    """Accelerate's configuration file, which says at least how many processes a node has."""
    try:
        read = yaml.safe_load(config_file.read_text(encoding="utf-8"))
        return {**read, "num_processes": int(read["num_processes"])}
    except OSError:
        raise UserError(
            "no such file", where=config_file, todo="name a file of envs/accelerate in the profile"
        ) from None
    except (KeyError, TypeError, ValueError, yaml.YAMLError):
        raise UserError("says no num_processes", where=config_file, todo="see envs/accelerate") from None


def keep_memory() -> None:
    """On a CPU, have glibc keep what is freed for the next step.

    It gives large blocks back at once, and has them zeroed again at the next step: two thirds of a small model's step
    went into that (CHANGELOG.md). Kept, they cost a tenth more memory. Another C library has no such switch.
    """
    with contextlib.suppress(AttributeError):
        option = ctypes.CDLL(None).mallopt
        for name, value in MALLOPT.values():
            option(name, value)


def accumulation(stage: Mapping[str, Any], processes: int) -> int | None:
    """Parts that each process adds up to a step's batch of ``batch_size``; None where the stage gives no such size.

    ``stage``: a stage of the config, with ``name``, ``batch_size`` and ``arguments``.
    """
    size = stage["batch_size"]
    if size is None:
        return None
    rows = int(stage["arguments"].get("per_device_train_batch_size", ROWS))
    parts, rest = divmod(size, rows * processes)
    if rest or not parts:
        raise UserError(
            f"{size} is no multiple of {rows * processes}: {processes} processes take {rows} each at once",
            where=f"stages.{stage['name']}.batch_size",
            todo="choose arguments.per_device_train_batch_size, or the nodes of train in the profile, so that it is",
        )
    return parts
