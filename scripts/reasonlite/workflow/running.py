"""Before and after a run: what a later audit needs, the manifest, and the closing lines for the user."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from reasonlite.audit import manifest
from reasonlite.audit.changes import lock_lines
from reasonlite.audit.provenance import catalogue, code_id
from reasonlite.audit.store import Limits, Store


def note_run(results: Path, lock: Path, scripts: Iterable[tuple[Path, ...]], *, rerun: bool) -> list[str]:
    """Keep what a later audit needs to name causes; a line for each thing that changed since the last manifest.

    Called when jobs are about to run, with the environment's lock and the scripts of each rule; ``rerun``: a
    changed lock makes everything anew, so it need not be told.
    """
    store = Store(results)
    for each in scripts:
        store.save_once(f"code/{code_id(each)}.json", catalogue(each))
    digest, packages = manifest.read_lock(lock)
    store.save_once(f"locks/{digest}.json", packages)
    old = manifest.current(results) or {}
    if rerun or old.get("lock", digest) == digest:
        return []
    lines = lock_lines(old["locks"].get(old["lock"]) or {}, packages) or "other lines, same versions"
    return [
        f"{lock} changed since the last manifest: {lines}\n"
        "  what to do: nothing, to keep what there is; environment.changed: rerun to make all again"
    ]


def note_success(results: Path, root: Path, lock: Path, limits: Limits) -> list[str]:
    """Bring the manifest up to date, keeping files within ``limits``; lines for the user."""
    if not manifest.write(results, root, lock=lock, limits=limits):
        return []
    return [f"what changed and why: python scripts/audit.py diff {results}"] if Store(results).history() else []


def summary(folder: Path) -> list[str]:
    """Lines that show the results table and say where everything lies; empty before there is any."""
    table = folder / "tables" / "results.md"
    if not table.is_file():
        return []
    return [
        "",
        table.read_text(encoding="utf-8"),
        f"tables    {folder / 'tables'}/",
        f"figures   {folder / 'figures'}/",
        *([f"models    {folder / 'checkpoints'}/"] if (folder / "checkpoints").is_dir() else []),
        f"manifest  {folder / 'manifest.json'}",
        f"report    make report, or: snakemake --report {folder / 'report.html'}",
        f"answers   make browse, or: python {os.path.relpath(Path(__file__).parents[2] / 'browse.py')} {folder}",
    ]
