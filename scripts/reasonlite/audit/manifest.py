"""The manifest of a results folder: every output, what it holds, and what it was made from.

version    of this layout
outputs    by path in the folder: sha256, bytes; rows, schema and content of a table; and of what
           the workflow made: rule, wildcards, inputs (with the hash the job read), settings, code,
           shell, start, seconds, machine
sources    by path from the project's root: files that jobs read and no job made
code       by the hash in a rule's identity: the files that ran, each with its hash
shells     by hash: the rules' commands, before values are put in
functions  by the hash of a file: its functions, each with its hash
lock       hash of the environment's lock at the time
container  sha256 and bytes of envs/image.sif, where there is one; which jobs ran in it, their machine says
locks      by hash: packages and versions of that lock, and of those that outputs name
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reasonlite.audit import content, records
from reasonlite.audit.store import FOLDER, Limits, Store
from reasonlite.core.errors import UserError
from reasonlite.core.files import sha256_file, sha256_text, write_json

VERSION = 2
NAME = "manifest.json"
# not outputs: they tell of one run, or change while it goes on
APART = {"logs", "benchmarks", "journals", "trackers", NAME, FOLDER, "report.html", "release.tar.gz"}
IMAGE = "envs/image.sif"
VOLATILE = {"tables/ledger.csv"}  # hours, which are never the same twice
OF_A_RUN = ("start", "seconds", "machine", "told")  # what two equal runs do not share


def write(
    results: Path, root: Path, *, lock: Path | None = None, trust_cache: bool = True, limits: Limits | None = None
) -> bool:
    """Bring the manifest of ``results`` up to date; False when it already was.

    ``root`` is where the workflow runs. What it replaces goes into the history, and of both what ``limits`` allow (by
    default those of the last time) is kept, so that a later comparison can look inside. Raises `UserError` for a
    folder that is not there, a file that changes while it is read, metadata or tables that cannot be read.
    """
    if not results.is_dir():
        raise UserError("no such results folder", where=results, todo="run the workflow first")
    store = Store(results)
    with store.alone():
        known = Limits(**store.load("limits.json"))
        if limits not in (None, known):
            store.save("limits.json", asdict(limits))
        seen = _look(results, root, store, lock, trust_cache)
        if seen.unchanged:
            return False
        new, old = _build(results, root, store, seen), current(results)
        changed = old is None or _lasting(old) != _lasting(new)
        if changed:
            if old is not None:
                store.push(results / NAME)
            write_json(results / NAME, new)
            _keep(results, root, store, new, limits or known)
        seen.cache["manifest"] = stamp(results / NAME)
        store.save("cache.json", seen.cache)
    return changed


@dataclass(frozen=True)
class _Seen:
    """All there is to say: ``cache`` has files, records, the lock and the manifest's own stamp as they are now."""

    cache: dict[str, Any]
    outputs: list[str]
    sources: list[str]
    unchanged: bool


def _look(results: Path, root: Path, store: Store, lock: Path | None, trust_cache: bool) -> _Seen:
    """Look at every file, and read those that the store does not know by size, mtime and inode."""
    known = store.load("cache.json") if trust_cache else {}
    prefix = f"{results.as_posix()}/"
    recorded = _recorded(results, root, known.get("records", {}))
    outputs = sorted(output_files(results))
    inputs = {name for entry in recorded.values() for name in (entry["is"] or {}).get("inputs", ())}
    sources = sorted(name for name in inputs if not name.startswith(prefix) and (root / name).is_file())
    paths = {f"{prefix}{name}": f"{prefix}{name}" for name in outputs} | {name: str(root / name) for name in sources}
    paths |= {IMAGE: str(root / IMAGE)} if (root / IMAGE).is_file() else {}
    now: dict[str, Any] = {"files": hashed(paths, known.get("files", {})), "records": recorded}
    if lock is not None:
        now["lock"], now["packages"] = read_lock(root / lock)
    elif "lock" in known:
        now |= {"lock": known["lock"], "packages": known["packages"]}
    if (results / NAME).is_file():
        now["manifest"] = stamp(results / NAME)
    return _Seen(now, outputs, sources, now == known)


def _build(results: Path, root: Path, store: Store, seen: _Seen) -> dict[str, Any]:
    prefix = f"{results.as_posix()}/"
    described = {name: entry["is"] for name, entry in seen.cache["files"].items()}
    made = {name: entry["is"] for name, entry in seen.cache["records"].items() if entry["is"] is not None}
    shells = {text: sha256_text(text)[:16] for text in {record["shell"] for record in made.values()}}
    made = {name: record | {"shell": shells[record["shell"]]} for name, record in made.items()}
    entries = {name: described[f"{prefix}{name}"] | _record_of(f"{prefix}{name}", made) for name in seen.outputs}
    codes = {entry["code"] for entry in entries.values() if entry.get("code")}
    catalogues = {code: store.load(f"code/{code}.json") for code in sorted(codes)}
    digests = {entry["lock"] for entry in entries.values() if entry.get("lock")}
    manifest: dict[str, Any] = {
        "version": VERSION,
        "outputs": entries,
        "sources": {name: described[name] for name in seen.sources},
        "code": {code: found.get("files", {}) for code, found in catalogues.items()},
        "functions": {digest: of for found in catalogues.values() for digest, of in found.get("functions", {}).items()},
        "shells": {digest: text for text, digest in sorted(shells.items())},
        "locks": {digest: store.load(f"locks/{digest}.json") for digest in sorted(digests)},
    }
    if IMAGE in described:
        manifest["container"] = described[IMAGE]
    if "lock" in seen.cache:
        manifest["lock"] = seen.cache["lock"]
        manifest["locks"][seen.cache["lock"]] = seen.cache["packages"]
    return manifest


def output_files(results: Path) -> Iterator[str]:
    """Paths in the folder, without logs, hidden files and what else is no output."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        for entry in os.scandir(results / folder):
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith(".") or name in APART or name in VOLATILE or name == "training/work":
                continue
            if entry.is_dir():
                waiting.append(name)
            elif entry.is_file():
                yield name


def hashed(files: dict[str, str], known: dict[str, Any], *, describe: bool = True) -> dict[str, Any]:
    """For each file what is known by its size, mtime and inode, else worked out, several at once.

    Without ``describe`` the hash of the bytes alone.
    """
    stamps = {name: stamp(path) for name, path in files.items()}
    found = {name: known[name] for name, at in stamps.items() if name in known and known[name]["at"] == at}
    missing = sorted(files.keys() - found.keys(), key=lambda name: -stamps[name][0])
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        read = pool.map(lambda name: _read(Path(files[name]), describe), missing)
        found |= dict(zip(missing, read, strict=True))
    return found


def stamp(path: str | os.PathLike[str]) -> list[int]:
    status = os.stat(path)  # noqa: PTH116 (of ten thousand strings, which Path would parse)
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _read(path: Path, describe: bool) -> dict[str, Any]:
    before = stamp(path)
    try:
        entry = {"sha256": sha256_file(path), "bytes": before[0], **(content.describe(path) if describe else {})}
    finally:
        if stamp(path) != before:  # also where that is why it could not be read
            raise UserError("is written to while it is read", where=path, todo="wait for the run that writes it")
    return {"at": before, "is": entry}


def _recorded(results: Path, root: Path, known: dict[str, Any]) -> dict[str, Any]:
    """How each output was made, read again only where the metadata file is another than ``known``."""
    prefix, found = f"{results.as_posix()}/", {}
    for name, path in records.metadata_files(root).items():
        if name.startswith(prefix):
            at = stamp(path)
            same = name in known and known[name]["at"] == at
            found[name] = known[name] if same else {"at": at, "is": records.read(Path(path), root, results)}
    return found


def _record_of(name: str, made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The record of a file, or of the folder it was made in; empty where no job made it."""
    while name:
        if name in made:
            return made[name]
        name = name.rpartition("/")[0]
    return {}


def _lasting(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest without what two equal runs do not share."""
    outputs = {
        path: {name: value for name, value in entry.items() if name not in OF_A_RUN}
        for path, entry in manifest["outputs"].items()
    }
    return {**manifest, "outputs": outputs}


def _keep(results: Path, root: Path, store: Store, manifest: dict[str, Any], limits: Limits) -> None:
    held = {entry["sha256"] for entry in [*manifest["outputs"].values(), *manifest["sources"].values()]}
    for path in store.history():
        try:
            earlier = read(path)
        except UserError:
            continue
        held |= {entry["sha256"] for entry in [*earlier["outputs"].values(), *earlier["sources"].values()]}
    for folder, part in ((results, "outputs"), (root, "sources")):
        files = ((folder / name, entry["sha256"], entry["bytes"]) for name, entry in manifest[part].items())
        store.keep(files, limits)
    store.forget_all_but(held)


def read_lock(path: Path) -> tuple[str, dict[str, str]]:
    """Hash of a lock file, and its packages' versions: lines of the form name==version."""
    if not path.is_file():
        raise UserError("no such lock", where=path, todo="correct environment.lock in the config")
    lines = [line.split(" ", 1)[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [line.split("==", 1) for line in lines if "==" in line and not line.startswith("#")]
    return sha256_file(path), dict(pairs)


def read(path: Path) -> dict[str, Any]:
    """Read and check a manifest; a `UserError` where it is not one, is cut off, or is of another version."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError("no such manifest", where=path, todo="make one: audit.py manifest FOLDER") from None
    except IsADirectoryError:
        return read(path / NAME)
    return parse(text, path)


def current(results: Path) -> dict[str, Any] | None:
    """A results folder's manifest; None where it has none, or one that cannot be read and is to be made again."""
    try:
        return read(results / NAME)
    except UserError:
        return None


def parse(text: str, where: object) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UserError(f"is not whole JSON ({error})", where=where, todo="make it again or fetch it again") from None
    if not isinstance(found, dict) or "version" not in found:
        raise UserError("is not a manifest", where=where)
    if found["version"] != VERSION:
        raise UserError(
            f"is a manifest of version {found['version']}; this program reads {VERSION}",
            where=where,
            todo="make it again with this version, or compare with the version that made it",
        )
    for part in ("outputs", "sources"):
        entries = found.get(part)
        if not isinstance(entries, dict) or not all(_is_entry(entry) for entry in entries.values()):
            raise UserError(f"is not a manifest: its {part!r} cannot be read", where=where)
    for name in found["outputs"]:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UserError(f"names a path outside its folder: {name!r}", where=where, todo="do not use this manifest")
    return found


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("sha256"), str) and isinstance(entry.get("bytes"), int)
