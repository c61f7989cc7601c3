"""On a CPU, the model's head is asked of the positions that are learned alone, as TRL does on a GPU.

TRL 1.16 takes the others out where it has Triton, and elsewhere scores every position, for the sake of devices that
compile a step for each shape. On a CPU no shape is compiled, and two thirds of a batch of short answers is prompt
(figures: docs/measurements.md). What is learned is the same: their share of the loss is nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from reasonlite.core.logs import get_logger

log = get_logger(__name__)
# modules of TRL that choose between the two by this function; its kernels ask their own
CHOOSING = ("trl.trainer.utils", "trl.trainer.distillation_trainer")
CHOICE = "_use_triton"


def score_learned_alone() -> None:
    """Have the trainers that are imported choose so on a CPU; one that is built differently is left as it is."""
    for module in (sys.modules[name] for name in CHOOSING if name in sys.modules):
        own = getattr(module, CHOICE, None)
        if own is None:
            log.warning("%s is not as it is known: every position is scored, which is slow on a CPU", module.__name__)
        else:
            setattr(module, CHOICE, _or_cpu(own))


def _or_cpu(own: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda device: device.type == "cpu" or own(device)
