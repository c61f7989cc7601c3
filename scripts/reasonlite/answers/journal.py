"""An append-only journal of replies: what was paid for once is never paid for again.

A folder of chunks, each a small Parquet file that is written whole, synced to disk and never changed;
a later entry of a key replaces an earlier one. Memory holds keys and places, never texts. Does not know
what a request is.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from reasonlite.core.errors import UserError
from reasonlite.core.files import storable
from reasonlite.core.logs import get_logger
from reasonlite.core.schemas import JOURNAL
from reasonlite.core.tables import frame_of, read_table, stream_table, write_table

log = get_logger(__name__)

LOCK_SECONDS = 60  # a job that is being ended may hold the journal for a moment
CHUNK_ROWS = 1_024  # of a compacted chunk: some 20 MB of replies
FEW_CHUNKS = 16  # so many are left as they are


class Place(NamedTuple):
    """Where a key's last entry stands: number of the chunk, row in it; what it says without its text."""

    chunk: int
    row: int
    tries: int
    failed: bool


class Journal:
    """The journal in ``folder``, open for this process alone until it is closed."""

    def __init__(self, folder: Path, *, lock_seconds: float = LOCK_SECONDS) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder / ".lock", lock_seconds)
        for partial in folder.glob(".*.partial.parquet"):  # of a writer that was killed: nobody else writes now
            partial.unlink()
        self.places: dict[str, Place] = {}
        self._last = 0
        for path in chunks_of(folder):
            self._index(path)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def _index(self, path: Path) -> None:
        self._last = number = int(path.stem)
        try:
            chunk = read_table(path, JOURNAL, ["key", "tries", "error"])
        except UserError as error:
            kept = path.rename(path.with_suffix(".damaged"))
            log.warning("%s\n  its replies are asked for again; it is kept as %s", error, kept)
            return
        failed = chunk["error"].is_not_null()
        for row, (key, tries, bad) in enumerate(zip(chunk["key"], chunk["tries"], failed, strict=True)):
            self.places[key] = Place(number, row, tries, bad)

    def append(self, entries: Sequence[dict[str, Any]]) -> None:
        """Add entries (rows of JOURNAL) as one chunk and wait until it is on disk."""
        if not entries:
            return
        frame = frame_of(
            [{**entry, "text": storable(entry["text"]) if entry["text"] is not None else None} for entry in entries],
            JOURNAL,
        )
        self._write(frame)

    @property
    def last(self) -> int:
        """Number of the newest chunk."""
        return self._last

    def _write(self, frame: pl.DataFrame) -> None:
        number = self._last + 1
        write_table(self.folder / f"{number:06d}.parquet", frame, JOURNAL)
        self._last = number
        for row, (key, tries, error) in enumerate(frame.select("key", "tries", "error").iter_rows()):
            self.places[key] = Place(number, row, tries, error is not None)

    def read(self, keys: Sequence[str], rows: int = CHUNK_ROWS) -> Iterator[pl.DataFrame]:
        """The entries of ``keys`` (JOURNAL), all of them known, in that order, at most ``rows`` at a time."""
        for first in range(0, len(keys), rows):
            wanted = [self.places[key] for key in keys[first : first + rows]]
            order: dict[int, list[int]] = {}
            for place in wanted:
                order.setdefault(place.chunk, []).append(place.row)
            parts = {chunk: self._rows(chunk, numbers) for chunk, numbers in order.items()}
            starts, total = {}, 0
            for chunk, part in parts.items():
                starts[chunk], total = total, total + part.height
            positions = []
            for place in wanted:  # the rows of a chunk come in the order they were asked for
                positions.append(starts[place.chunk])
                starts[place.chunk] += 1
            yield pl.concat(parts.values(), rechunk=False)[positions]

    def _rows(self, chunk: int, numbers: list[int]) -> pl.DataFrame:
        return read_table(self.folder / f"{chunk:06d}.parquet", JOURNAL)[numbers]

    def compact(self, *, always: bool = False) -> None:
        """Write what counts into few chunks and remove the others, if that makes them much fewer or ``always``.

        Killed half-way, it leaves entries twice, the same ones, and loses none.
        """
        old = chunks_of(self.folder)
        if not always and len(old) <= max(FEW_CHUNKS, 2 * -(-len(self.places) // CHUNK_ROWS)):
            return
        keys = sorted(self.places, key=lambda key: self.places[key][:2])
        for frame in self.read(keys):
            self._write(frame)
        for path in old:
            path.unlink()


def chunks_of(folder: Path) -> list[Path]:
    """The chunks of a journal in the order they were written."""
    return sorted(path for path in folder.glob("*.parquet") if path.stem.isdigit())


def put_aside(folder: Path, after: int) -> None:
    """Let no entry of the chunks after that number count any more; they are kept beside, as .suspect."""
    for path in chunks_of(folder):
        if int(path.stem) > after:
            path.rename(path.with_suffix(f".{time.time_ns()}.suspect"))


def report(folder: Path) -> dict[str, int]:
    """What a journal holds, without opening it for writing: chunks, damaged, bytes, replies, failed, tokens."""
    paths = chunks_of(folder)
    last: dict[str, tuple[bool, int]] = {}
    entries = 0
    for path in paths:
        for chunk in stream_table(path, JOURNAL, ["key", "error", "tokens"]):
            entries += chunk.height
            last |= {key: (error is not None, tokens or 0) for key, error, tokens in chunk.iter_rows()}
    return {
        "chunks": len(paths),
        "damaged": len(list(folder.glob("*.damaged"))),
        "bytes": sum(path.stat().st_size for path in paths),
        "replies": sum(not failed for failed, _ in last.values()),
        "failed": sum(failed for failed, _ in last.values()),
        "replaced": entries - len(last),
        "tokens": sum(tokens for failed, tokens in last.values() if not failed),
    }


def _locked(path: Path, seconds: float) -> int:
    """Hold the lock; the kernel gives it back when the process ends, however it ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            holder = os.pread(descriptor, 200, 0).decode(errors="replace") or "another process"
            os.close(descriptor)
            raise UserError(
                f"{holder} writes to this journal",
                where=path.parent,
                todo="let that run end, or end it; two runs of one experiment at once would pay twice",
            ) from None
        except OSError as error:
            log.warning("%s: no locks on this file system (%s); see to it that only one run writes", path, error)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        return descriptor
