"""What the audit keeps beside the results, in ``.audit``: known hashes, earlier manifests, replaced files, code.

    cache.json       hash and content of every file, by size, mtime and inode
    history/N.json   the manifests before the current one, oldest first
    objects/         files that a manifest of the history names, by hash; of large ones a sketch
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonlite.audit import sketch
from reasonlite.core.errors import UserError
from reasonlite.core.files import sha256_file, write_text
from reasonlite.core.logs import get_logger

log = get_logger(__name__)

FOLDER = ".audit"
HISTORY = 5  # manifests kept
COPIED_BYTES = 2**17  # smaller ones are copied: a link would follow a change in place


@dataclass(frozen=True)
class Limits:
    """What is kept of files in case they are replaced: ``audit`` in the config."""

    whole_mib: int = 64  # up to this size, all
    sketch_mib: int = 8192  # up to this size, a sketch
    sample_rows: int = 200  # of a table's sketch


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

    def keep(self, files: Iterable[tuple[Path, str, int]], limits: Limits) -> None:
        """Keep files (path, hash, bytes) in case they are replaced: small ones whole, larger ones as a sketch."""
        for path, digest, size in files:
            if size <= limits.whole_mib * 2**20:
                self._keep_whole(path, self._object(digest), size)
            elif size <= limits.sketch_mib * 2**20 and (ending := sketch.ending(path)):
                self._keep_sketch(path, self._object(digest + ending), limits.sample_rows)

    def _keep_whole(self, path: Path, target: Path, size: int) -> None:
        """Small files as copies, the rest as links."""
        if target.is_file():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            if size > COPIED_BYTES:
                os.link(path, target)
                return
        except OSError:  # a file system without links, or another one
            pass
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(path, temporary)
        temporary.replace(target)

    def _keep_sketch(self, path: Path, target: Path, rows: int) -> None:
        if target.is_file():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}{target.suffix}")
        try:
            sketch.sketch(path, temporary, rows)
        except (OSError, ValueError, KeyError) as error:  # a comparison says that it has none
            log.warning("no sketch of %s: %s", path, error)
        if temporary.is_file():
            temporary.replace(target)

    def find(self, digest: str) -> Path | None:
        """A kept file, if it still is what its name says."""
        path = self._object(digest)
        return path if path.is_file() and sha256_file(path) == digest else None

    def find_sketch(self, digest: str, path: Path) -> Path | None:
        """What was kept of a large file of the kind of ``path``."""
        ending = sketch.ending(path)
        target = self._object(digest + ending) if ending else None
        return target if target is not None and target.is_file() else None

    def forget_all_but(self, digests: set[str]) -> None:
        for path in (self.folder / "objects").glob("*/*"):
            if path.name.split(".")[0] not in digests:
                path.unlink(missing_ok=True)

    def _object(self, digest: str) -> Path:
        return self.folder / "objects" / digest[:2] / digest
