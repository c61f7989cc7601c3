"""Which examples each step learnt from: noted as batches come, kept with checkpoints, one table in the end.

The order of steps is the trainer's own and stands nowhere else. Memory holds eight bytes an example.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from reasonlite.core.schemas import LEARNED
from reasonlite.core.tables import TableWriter, frame_of
from reasonlite.training.tokens import PLACES

FILE = "examples_{rank}.npy"  # in a checkpoint: steps and places, int32, (2, examples)
ROWS = 100_000  # of the table, written together


class Collator:
    """The trainer's collator, with the rows' places beside what it makes of them."""

    def __init__(self, collate: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> None:
        self._collate = collate

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        import torch

        places = np.concatenate([row[PLACES] for row in rows])
        made = self._collate([{name: value for name, value in row.items() if name != PLACES} for row in rows])
        return {**made, PLACES: torch.from_numpy(places)}


class Noted:
    """What one process saw, and after `read` what all of an earlier run did."""

    def __init__(self) -> None:
        self.steps, self.places = array("i"), array("i")

    def take(self, step: int, inputs: Any) -> None:
        """Note a batch's examples and take their places out of it; a batch of prompts, as RL has them, has none."""
        places = inputs.pop(PLACES, None) if isinstance(inputs, dict) else None
        if places is not None:
            self.places.extend(places.tolist())
            self.steps.extend([step] * len(places))

    def write(self, checkpoint: Path, rank: int) -> None:
        np.save(checkpoint / FILE.format(rank=rank), np.array([self.steps, self.places], np.int32))

    def read(self, checkpoint: Path) -> None:
        """Take over what all processes had noted when a checkpoint was written."""
        for path in sorted(checkpoint.glob(FILE.format(rank="*"))):
            steps, places = np.load(path)
            self.steps.extend(steps.tolist())
            self.places.extend(places.tolist())

    def gathered(self) -> np.ndarray:
        """Steps and places of all processes, int32, (2, examples), in the order of steps; called by every process."""
        import torch.distributed as dist

        own = np.array([self.steps, self.places], np.int32)
        if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
            parts: list[Any] = [None] * dist.get_world_size()
            dist.all_gather_object(parts, own)
            own = np.concatenate(parts, axis=1)
        return own[:, np.argsort(own[0], kind="stable")]


def write(table: Path, noted: np.ndarray, named: Callable[[int], tuple[str, str]]) -> None:
    """Write what was noted (LEARNED); ``named``: stratum and answer's id of a place."""
    with TableWriter(table, LEARNED) as writer:
        for first in range(0, noted.shape[1], ROWS):
            piece = noted[:, first : first + ROWS].tolist()
            writer.write(frame_of([(step, *named(place)) for step, place in zip(*piece, strict=True)], LEARNED))
