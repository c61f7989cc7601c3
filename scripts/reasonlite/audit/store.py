"""What the audit keeps beside the results, in ``.audit``: known hashes, earlier manifests, replaced files, code.

    cache.json       hash and content of every file, by size, mtime and inode
    history/N.json   the manifests before the current one, oldest first
    objects/         files that a manifest of the history names, by hash
    code/            files and functions of every script that ran, by the hash in its identity
    locks/           the packages of every lock that jobs ran under

Deleting the folder loses nothing but time and the look inside what was replaced.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reasonlite.core.errors import UserError
from reasonlite.core.files import sha256_file, write_text

FOLDER = ".audit"
HISTORY = 5  # manifests kept
KEPT_BYTES = 64 * 2**20  # larger files are not kept when they are replaced
COPIED_BYTES = 2**17  # smaller ones are copied: a link would follow a change in place


class Store:
    def __init__(self, results: Path) -> None:
        self.folder = results / FOLDER

    def load(self, name: str) -> dict[str, Any]:
        """A JSON file of the store; empty when it is not there or cut off."""
        try:
            found = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def save(self, name: str, value: dict[str, Any]) -> None:
        write_text(self.folder / name, json.dumps(value, sort_keys=True, separators=(",", ":")))

    def save_once(self, name: str, value: dict[str, Any]) -> None:
        """For files named by their content."""
        if not (self.folder / name).is_file():
            self.save(name, value)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other audits of the folder out meanwhile; a `UserError` when one is at work."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError("another audit is at work", where=self.folder, todo="wait for it, then again") from None
            except OSError:
                pass  # a file system without locks; files still appear whole
            yield

    def history(self) -> list[Path]:
        """Earlier manifests, oldest first."""
        return sorted((self.folder / "history").glob("*.json"), key=lambda path: int(path.stem))

    def push(self, manifest: Path) -> None:
        """Copy a manifest that is about to be replaced into the history."""
        known = self.history()
        number = int(known[-1].stem) + 1 if known else 1
        write_text(self.folder / "history" / f"{number}.json", manifest.read_text(encoding="utf-8"))
        for old in self.history()[:-HISTORY]:
            old.unlink()

    def keep(self, files: Iterable[tuple[Path, str, int]]) -> None:
        """Keep files (path, hash, bytes) in case they are replaced: small ones as copies, the rest as links."""
        for path, digest, size in files:
            target = self._object(digest)
            if size > KEPT_BYTES or target.is_file():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                if size > COPIED_BYTES:
                    os.link(path, target)
                    continue
            except OSError:  # a file system without links, or another one
                pass
            temporary = target.with_name(f".{digest}.{os.getpid()}")
            shutil.copyfile(path, temporary)
            temporary.replace(target)

    def find(self, digest: str) -> Path | None:
        """A kept file, if it still is what its name says."""
        path = self._object(digest)
        return path if path.is_file() and sha256_file(path) == digest else None

    def forget_all_but(self, digests: set[str]) -> None:
        for path in (self.folder / "objects").glob("*/*"):
            if path.name not in digests:
                path.unlink(missing_ok=True)

    def _object(self, digest: str) -> Path:
        return self.folder / "objects" / digest[:2] / digest
