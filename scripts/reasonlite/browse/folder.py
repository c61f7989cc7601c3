"""A results folder as the pages read it: its parts as far as they are there, and what cannot be read.

Files may appear, be replaced or vanish at any time, because a run may be at work; nothing here is locked or written.
Texts are read when a page shows them; what is kept in memory is a few numbers for each problem.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import polars as pl

from reasonlite.audit import manifest as manifests
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import RESULTS
from reasonlite.core.tables import scan_table

T = TypeVar("T")
Stamp = tuple[int, int, int]
KEPT = 16_384  # summaries of files that are remembered
LOOK_SECONDS, REST = 2.0, 10  # between two looks; REST times as long as a look takes


class Missing(Exception):
    """A page asks for what is not there; the text says what."""


class Folder:
    """Results of one experiment."""

    def __init__(self, results: Path) -> None:
        if not results.is_dir():
            raise UserError("no such results folder", where=results, todo="name one: results/EXPERIMENT")
        self.path = results
        self.name = results.resolve().name
        self._root = os.path.realpath(results)
        self._making: dict[str, threading.Lock] = {}
        self._known: dict[tuple[str, str], tuple[Any, Any]] = {}
        self._lock = threading.Lock()
        self._complaints: dict[str, str] = {}

    def inside(self, name: str) -> Path:
        """A file of the folder by its path in it; `Missing` where it is not there or would lie outside."""
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or not name or "\0" in name:
            raise Missing(f"{name!r} is no path in this folder")
        path = self.path / pure
        if self.stamp(path) is None:
            raise Missing(f"there is no {name}")
        if self._is_elsewhere(path) or not path.is_file():
            raise Missing(f"there is no file {name} in this folder")
        return path

    def files(self, pattern: str) -> list[Path]:
        """Files by a pattern as `Path.glob` takes it, hidden ones left out, in the order of their names."""
        try:
            found = list(self.path.glob(pattern))
        except OSError:
            return []
        return sorted(path for path in found if not path.name.startswith("."))

    def stamp(self, path: Path) -> Stamp | None:
        """What changes when a file does; None where there is none."""
        try:
            status = path.stat()
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns, status.st_ino

    def cached(self, key: str, stamp: Any, make: Callable[[], T]) -> T:
        """``make()``, made once for each ``stamp``; the last one is kept."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:  # who comes second waits, and takes what the first one made
            known = self._known.get((key, ""))
            if known is not None and known[0] == stamp:
                found: T = known[1]
                return found
            made = make()
            self._keep((key, ""), stamp, made)
        return made

    def at_times(self, key: str, make: Callable[[], T]) -> T:
        """``make()``, at most every LOOK_SECONDS, and a tenth of the time where it takes long.

        So a shared file system of many files is not asked for each click.
        """
        started = time.monotonic()
        with self._lock:
            known = self._known.get((key, "time"))
        if known is not None and started < known[0]:
            found: T = known[1]
            return found
        made = make()
        ended = time.monotonic()
        self._keep((key, "time"), ended + max(LOOK_SECONDS, REST * (ended - started)), made)
        return made

    def _keep(self, key: tuple[str, str], stamp: Any, made: Any) -> None:
        with self._lock:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[key] = (stamp, made)

    def remembered(self, path: Path, what: str, make: Callable[[Path], T]) -> T | None:
        """``make(path)``, made once for each state of the file; None where it cannot be read, which is then told."""
        stamp = self.stamp(path)
        if stamp is None:
            return None

        def read() -> T:
            self._check(path)
            return make(path)

        try:
            made = self.cached(f"{what} of {path}", stamp, read)
        except FileNotFoundError:
            return None  # replaced at this moment; the next look finds it
        except (UserError, OSError, ValueError, pl.exceptions.PolarsError) as error:
            self._complain(path, error)
            return None
        self._complaints.pop(str(path), None)
        return made

    def rows(self, path: Path, schema: pl.Schema, condition: pl.Expr | None = None) -> pl.DataFrame:
        """Rows of a table; none where it is absent or cannot be read, which is then told."""
        try:
            self._check(path)
            frame = scan_table(path, schema) if path.is_file() else None
            found = (
                schema.to_frame() if frame is None else frame.filter(True if condition is None else condition).collect()
            )
            self._complaints.pop(str(path), None)
            return found
        except (UserError, OSError, pl.exceptions.PolarsError) as error:
            if path.is_file():
                self._complain(path, error)
            return schema.to_frame()

    def _check(self, path: Path) -> None:
        if self._is_elsewhere(path):
            raise UserError("is a link that leads out of the folder", where=path, todo="copy the file in")

    def _is_elsewhere(self, path: Path) -> bool:
        """Whether a link leads out of the folder."""
        return not os.path.realpath(path).startswith(f"{self._root}/")

    def _complain(self, path: Path, error: Exception) -> None:
        said = str(error).split("\n", 1)[0]
        self._complaints[str(path)] = said if str(path) in said else f"{path}: {said}"

    def csv(self, name: str, columns: Iterable[str] = ()) -> pl.DataFrame | None:
        """A table for readers; None where it is not there, or lacks one of ``columns``, which is then told."""

        def read(file: Path) -> pl.DataFrame:
            frame = pl.read_csv(file, infer_schema_length=None)
            if missing := [column for column in columns if column not in frame.columns]:
                raise ValueError(f"lacks the column {missing[0]!r}: it is of another version, or damaged")
            return frame

        return self.remembered(self.path / "tables" / f"{name}.csv", f"csv {columns}", read)

    def results(self) -> pl.DataFrame | None:
        """The table of results (RESULTS)."""
        return self.csv("results", tuple(RESULTS))

    def manifest(self) -> dict[str, Any] | None:
        """The manifest, if there is one that can be read."""
        path = self.path / manifests.NAME
        return self.remembered(path, "manifest", manifests.read) if path.is_file() else None

    def complaints(self) -> list[str]:
        """What could not be read, a line each, by path in the folder."""
        root = f"{self.path}/"
        there = [(path, line) for path, line in sorted(self._complaints.items()) if Path(path).exists()]
        return [line.replace(root, "") for _, line in there]
