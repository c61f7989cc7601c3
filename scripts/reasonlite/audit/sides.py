"""The two sides of a comparison: a manifest, and where the files it names can still be found."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonlite.audit import manifest as manifests
from reasonlite.audit.store import FOLDER, Store
from reasonlite.core.errors import UserError
from reasonlite.core.files import sha256_file


@dataclass(frozen=True)
class Side:
    name: str
    manifest: dict[str, Any]
    folder: Path | None  # the results the manifest lies in
    root: Path | None  # from which its sources are named

    def file(self, part: str, path: str, stores: Sequence[Store]) -> Path | None:
        """A file as this side's manifest knows it, or None where it is gone."""
        entry = self.manifest[part].get(path)
        base = self.folder if part == "outputs" else self.root
        if entry is None:
            return None
        here = base / path if base is not None else None
        alike = here is not None and here.is_file() and here.stat().st_size == entry["bytes"]
        if here is not None and alike and sha256_file(here) == entry["sha256"]:
            return here
        return next((found for store in stores if (found := store.find(entry["sha256"]))), None)


def open_side(word: str, root: Path) -> Side:
    """A results folder, a manifest file, or one in a git revision (REVISION:PATH)."""
    path = Path(word)
    if path.is_dir():
        return Side(word, manifests.read(path / manifests.NAME), path, root)
    if path.is_file() or ":" not in word:
        in_place = path.name == manifests.NAME and (path.parent / FOLDER).is_dir()
        return Side(word, manifests.read(path), path.parent if in_place else None, root if in_place else None)
    done = subprocess.run(["git", "show", word], cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"git has no such file: {done.stderr.strip()}", where=word, todo="name REVISION:PATH")
    return Side(word, manifests.parse(done.stdout, word), None, None)


def before(results: Path) -> Side:
    """The manifest that the current one of a results folder replaced."""
    history = Store(results).history()
    if not history:
        raise UserError(
            "no earlier manifest", where=results, todo="change something, run the workflow again, then compare"
        )
    return Side("the manifest before", manifests.read(history[-1]), None, None)


def stores_of(sides: Sequence[Side]) -> list[Store]:
    """Where replaced files of either side may have been kept."""
    folders = dict.fromkeys(side.folder for side in sides if side.folder is not None)
    return [Store(folder) for folder in folders]
