"""A results tree against its manifest: what is missing, altered, cut off or extra, and what is out of date."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonlite.audit import manifest as manifests
from reasonlite.audit.store import Store
from reasonlite.core.errors import UserError


@dataclass(frozen=True, order=True)
class Fault:
    path: str
    what: str


def verify(manifest: dict[str, Any], folder: Path, *, trust_cache: bool = False) -> list[Fault]:
    """Every way in which ``folder`` is not what the manifest says.

    Without the cache all bytes are read again, so that a file altered under its old size and time
    is found; with it only files whose size, time or inode differ are read.
    """
    if not folder.is_dir():
        raise UserError("no such results folder", where=folder)
    entries = manifest["outputs"]
    present = set(manifests.output_files(folder))
    known = Store(folder).load("cache.json").get("files", {}) if trust_cache else {}
    files = {name: str(folder / name) for name in entries if name in present}
    cached = {name.split("/", 2)[-1]: entry for name, entry in known.items() if name.startswith("results/")}
    digests = manifests.hashed(files, cached, describe=False)
    faults = [Fault(name, "missing") for name in entries if name not in present]
    faults += [Fault(name, "extra: not in the manifest") for name in present if name not in entries]
    for name in files:
        found, said = digests[name]["is"], entries[name]
        if found["sha256"] != said["sha256"]:
            faults.append(Fault(name, _altered(found["bytes"], said["bytes"])))
    return sorted([*faults, *_outdated(manifest, folder)])


def _altered(found: int, said: int) -> str:
    if found < said:
        return f"truncated: {found:,} of {said:,} bytes"
    return f"altered: {found:,} bytes, {said:,} in the manifest" if found != said else "altered: same size, other bytes"


def _outdated(manifest: dict[str, Any], folder: Path) -> list[Fault]:
    """Outputs whose job read another version of an input than the manifest holds; one with the same values is none.

    What a version's values were is known of those that earlier manifests had.
    """
    prefix = f"results/{folder.name}/"
    earlier = [manifests.read(path)["outputs"] for path in Store(folder).history()]
    values = {entry["sha256"]: entry.get("content") for outputs in earlier for entry in outputs.values()}
    now = {f"{prefix}{name}": entry for name, entry in manifest["outputs"].items()} | manifest["sources"]
    return [
        Fault(name, f"out of date: made from another version of {source.removeprefix(prefix)}")
        for name, entry in manifest["outputs"].items()
        for source, digest in (entry.get("inputs") or {}).items()
        if digest
        and source in now
        and now[source]["sha256"] != digest
        and (values.get(digest) is None or values[digest] != now[source].get("content"))
    ]
