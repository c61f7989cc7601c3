"""An append-only journal of replies: what was paid for once is never paid for again.

One JSON line a reply, under its request's key; a torn last line (the process was killed
while writing) is recognised and cut off. Does not know what a request is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reasonlite.errors import UserError


class Journal:
    """Entries by key. Later lines win, so a failed request may be answered by a later run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.entries: dict[str, dict[str, Any]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            self._read()

    def _read(self) -> None:
        with self._path.open("rb") as handle:
            good = 0
            for number, line in enumerate(handle, 1):
                if not line.endswith(b"\n"):
                    break  # torn: the writer died here
                try:
                    entry = json.loads(line)
                    self.entries[entry.pop("key")] = entry
                except (ValueError, KeyError, AttributeError):
                    raise UserError(
                        f"line {number} is not a journal entry",
                        where=self._path,
                        todo="restore the file, or delete it to generate these answers again",
                    ) from None
                good += len(line)
        if good < self._path.stat().st_size:
            os.truncate(self._path, good)

    def holds(self, key: str) -> bool:
        """Whether a reply with text is kept under a key; a failed request is asked for again."""
        return self.entries.get(key, {}).get("text") is not None

    def append(self, entries: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Add entries and wait until they are on disk."""
        with self._path.open("a", encoding="utf-8", errors="surrogatepass") as handle:
            for key, entry in entries:
                handle.write(json.dumps({"key": key, **entry}) + "\n")
                self.entries[key] = entry
            handle.flush()
            os.fsync(handle.fileno())
