"""Rows on their way into an order of their own, when they are more than memory holds.

Rows come with a random 64-bit rank; they lie in files by their rank's first bits until all are there, and
are then given back in the order of ranks, a file's worth at a time. Does not know what the rows are.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from reasonlite.core.tables import system_errors

PART_BYTES = 48 * 2**20  # of rows that are sorted together, about


class Spool:
    """Rows in ``folder``, a temporary one of its own, made only when ``expected_bytes`` do not fit into one part."""

    def __init__(self, folder: Path, expected_bytes: int) -> None:
        self._folder = folder
        self._bits = max(0, (expected_bytes - 1) // PART_BYTES).bit_length()
        self._held: list[pl.DataFrame] = []
        self._held_bytes = 0
        self._files: dict[int, list[Path]] = {}
        shutil.rmtree(folder, ignore_errors=True)  # of a job that was killed

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows; their column ``rank`` (UInt64, evenly spread) is their place."""
        self._held.append(rows)
        self._held_bytes += int(rows.estimated_size())
        if self._bits and self._held_bytes > PART_BYTES:
            self._put_away()

    def _put_away(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        part = pl.col("rank") // 2 ** (64 - self._bits)
        rows = pl.concat(self._held, rechunk=False).with_columns(part.alias("part"))
        for (number,), frame in rows.partition_by("part", as_dict=True, include_key=False).items():
            files = self._files.setdefault(int(number), [])
            files.append(self._folder / f"{number}-{len(files)}.arrow")
            with system_errors(files[-1]):
                frame.write_ipc(files[-1], compression="uncompressed")  # read again at once: packing costs more
        self._held, self._held_bytes = [], 0

    def parts(self) -> Iterator[pl.DataFrame]:
        """All rows in the order of their ranks, without the ranks."""
        if not self._files:
            if self._held:
                yield pl.concat(self._held, rechunk=False).sort("rank").drop("rank")
            return
        if self._held:
            self._put_away()
        for number in sorted(self._files):
            frames = [pl.read_ipc(path) for path in self._files[number]]
            yield pl.concat(frames, rechunk=False).sort("rank").drop("rank")
