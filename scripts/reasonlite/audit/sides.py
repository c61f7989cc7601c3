"""The two sides of a comparison: a manifest, and where the files it names can still be found.

A side may be a release. Nothing in an archive is trusted: names, kinds and sizes of its members are looked at before
anything is written, and a file counts only if it is what the manifest says.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reasonlite.audit import manifest as manifests
from reasonlite.audit.store import FOLDER, Store
from reasonlite.core.errors import UserError
from reasonlite.core.files import sha256_file

MOST_BYTES, MOST_FILES = 4 * 2**30, 100_000  # of a release: tables, figures and pages, no weights and no answers


@dataclass(frozen=True)
class Side:
    name: str
    manifest: dict[str, Any]
    folder: Path | None  # the results the manifest lies in
    root: Path | None  # from which its sources are named
    scratch: tempfile.TemporaryDirectory[str] | None = None  # where a release's files are, as long as this is in use

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

    def sketch(self, part: str, path: str, stores: Sequence[Store]) -> Path | None:
        """What was kept of a file that was too large to keep."""
        entry = self.manifest[part].get(path)
        found = (store.find_sketch(entry["sha256"], Path(path)) for store in stores) if entry else ()
        return next(filter(None, found), None)


def open_side(word: str, root: Path) -> Side:
    """A results folder, a release (.tar.gz), a manifest file, or one in a git revision (REVISION:PATH)."""
    path = Path(word)
    if path.is_file() and word.endswith((".tar.gz", ".tgz")):
        return _open_release(path)
    if path.is_dir():
        return Side(word, manifests.read(path / manifests.NAME), path, root)
    if path.is_file() or ":" not in word:
        in_place = path.name == manifests.NAME and (path.parent / FOLDER).is_dir()
        return Side(word, manifests.read(path), path.parent if in_place else None, root if in_place else None)
    done = subprocess.run(["git", "show", word], cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"git has no such file: {done.stderr.strip()}", where=word, todo="name REVISION:PATH")
    return Side(word, manifests.parse(done.stdout, word), None, None)


def _open_release(archive: Path) -> Side:
    """The manifest, tables, figures and configs of a release, taken out to where nobody else looks."""
    scratch = tempfile.TemporaryDirectory(prefix="release-")
    folder = Path(scratch.name)
    try:
        with tarfile.open(archive, "r|gz") as opened:
            whole = 0
            for count, member in enumerate(opened):
                whole += member.size
                if whole > MOST_BYTES or count > MOST_FILES:
                    raise UserError("unpacks to more than a release does", where=archive, todo="do not use it")
                name = PurePosixPath(*PurePosixPath(member.name).parts[1:])
                outside = member.name.startswith("/") or ".." in name.parts
                if member.isfile() and not outside and _is_looked_into(name):
                    _take(opened, member, folder / name)
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise UserError(f"is not a whole release ({error})", where=archive, todo="fetch it again") from None
    if not (folder / manifests.NAME).is_file():
        raise UserError(f"holds no {manifests.NAME}", where=archive, todo="name a release")
    return Side(archive.name, manifests.read(folder / manifests.NAME), folder, folder, scratch)


def _is_looked_into(name: PurePosixPath) -> bool:
    return name.as_posix() == manifests.NAME or name.parts[:1] in {("tables",), ("figures",), ("config",)}


def _take(opened: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = opened.extractfile(member)
    assert source is not None  # a plain file
    if target.exists():
        raise UserError(f"holds {member.name} twice", where=opened.name, todo="do not use it")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        shutil.copyfileobj(source, file)


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
