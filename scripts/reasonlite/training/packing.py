"""Several examples in one row of ``max_length`` tokens, chosen by their lengths alone: no pass over the tokens."""

from __future__ import annotations

import bisect
from typing import Any

import numpy as np

from reasonlite.training.tokens import PLACES, Examples


def bins(lengths: np.ndarray, size: int, seed: int) -> list[np.ndarray]:
    """Positions of the examples of each row: the longest first, then always the longest that still fits.

    ``lengths`` (int): none above ``size``. Which of several equally long ones is taken is drawn by the seed.
    """
    order = np.random.default_rng(seed).permutation(len(lengths))
    order = order[np.argsort(lengths[order], kind="stable")]
    kinds, firsts, counts = (part.tolist() for part in np.unique(lengths[order], return_index=True, return_counts=True))
    ends = [first + count for first, count in zip(firsts, counts, strict=True)]
    rows = []
    while kinds:
        row, room = [], size
        while (kind := bisect.bisect_right(kinds, room) - 1) >= 0:
            ends[kind] -= 1
            row.append(order[ends[kind]])
            room -= kinds[kind]
            if ends[kind] == firsts[kind]:
                del kinds[kind], firsts[kind], ends[kind]
        rows.append(np.array(row))
    return rows


class Packed:
    """Rows of packed examples in the form of TRL's collator: ``seq_lengths`` says where one ends."""

    def __init__(self, examples: Examples, size: int, seed: int) -> None:
        self._examples, self._rows = examples, bins(examples.lengths, size, seed)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def lengths(self) -> np.ndarray:
        lengths = self._examples.lengths
        return np.array([lengths[row].sum() for row in self._rows], np.int32)

    def __getitem__(self, position: int) -> dict[str, Any]:
        members = [self._examples[place] for place in self._rows[position]]
        joined = {name: np.concatenate([member[name] for member in members]) for name in ("input_ids", "labels")}
        lengths = [len(member["input_ids"]) for member in members]
        return {**joined, "seq_lengths": lengths, PLACES: self._rows[position]}
