"""A run while it goes on: what it says of itself, its logs' ends, and the newest replies in its journals."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite.browse.folder import Folder, Missing
from reasonlite.core.machine import boot_id
from reasonlite.core.pace import RUN_FILE, RUN_VERSION, Seen, duration, seen_in
from reasonlite.core.schemas import JOURNAL

SILENT_SECONDS = 90.0  # after which a run on another machine counts as gone
TAIL_BYTES = 64_000
REPLIES = 5


@dataclass(frozen=True)
class Job:
    rule: str
    message: str
    seconds: float
    runs: bool
    log: str | None  # path in the folder
    seen: Seen | None


@dataclass(frozen=True)
class Run:
    """``state``: runs, done, failed, interrupted, or gone (it ended without a word)."""

    state: str
    began: float
    seconds: float
    rules: list[tuple[str, int, int, int, int]]  # name, wanted, finished, running, failed
    jobs: list[Job]
    total: int
    finished: int
    left: str


def run(folder: Folder) -> Run | None:
    """What the last run of these results said of itself; None where none said anything."""
    try:
        told = json.loads((folder.path / RUN_FILE).read_text(encoding="utf-8"))
        if told["version"] != RUN_VERSION:
            return None
        return _run(folder, told)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _run(folder: Folder, told: dict[str, Any]) -> Run:
    state = told["ended"] or ("runs" if _alive(told) else "gone")
    jobs = [_job(folder, each, told["seen"] if state != "runs" else time.time()) for each in told["jobs"]]
    running: dict[str, int] = {}
    for job in jobs:
        running[job.rule] = running.get(job.rule, 0) + 1
    finished, failed = told["finished"], told["failed"]
    rules = [
        (rule, wanted, finished.get(rule, 0), running.get(rule, 0), failed.get(rule, 0))
        for rule, wanted in told["wanted"].items()
    ]
    seconds, left = float(told["left"]["seconds"]), ""
    if state == "runs":
        left = f"{'about' if told['left']['whole'] else 'at least'} {duration(seconds)} left" if seconds >= 1 else ""
    until = time.time() if state == "runs" else told["seen"]
    took = until - told["began"]
    return Run(state, told["began"], took, rules, jobs, told["total"], sum(finished.values()), left)


def _alive(told: dict[str, Any]) -> bool:
    """Whether it still says something; on this machine also whether its process is there."""
    here = told["boot"] and told["boot"] == boot_id()
    there = not here or Path(f"/proc/{int(told['process'])}").exists()
    return there and time.time() - float(told["seen"]) < SILENT_SECONDS


def _job(folder: Folder, told: dict[str, Any], now: float) -> Job:
    paths = [Path(log) for log in told["logs"]]
    names = [name for path in paths if (name := _in_folder(folder, path)) is not None]
    seen = next((found for name in names if (found := seen_in(folder.path / name))), None) if told["runs"] else None
    message = told["message"]
    return Job(told["rule"], message, now - told["since"], told["runs"], names[0] if names else None, seen)


def _in_folder(folder: Folder, path: Path) -> str | None:
    """A log as the run names it, from its working folder: results/EXPERIMENT/logs/…"""
    parts = path.parts
    if "logs" not in parts:
        return None
    name = Path(*parts[parts.index("logs") :]).as_posix()
    try:
        folder.inside(name)
    except Missing:
        return None
    return name


def logs(folder: Folder, most: int = 400) -> list[tuple[str, float, int]]:
    """Logs by path in the folder with time and size, newest first."""
    found = []
    for base, _, names in os.walk(folder.path / "logs"):
        for name in names:
            if name.endswith(".log"):
                path = Path(base, name)
                stamp = folder.stamp(path)
                if stamp is not None:
                    found.append((path.relative_to(folder.path).as_posix(), stamp[1] / 1e9, stamp[0]))
    return sorted(found, key=lambda entry: -entry[1])[:most]


def tail(folder: Folder, name: str) -> tuple[str, int]:
    """The end of a log and how many bytes stand before it."""
    if not name.startswith("logs/"):
        raise Missing("only logs are shown here")
    path = folder.inside(name)
    with path.open("rb") as file:
        whole = file.seek(0, 2)
        first = max(whole - TAIL_BYTES, 0)
        file.seek(first)
        text = file.read(TAIL_BYTES).decode("utf-8", "replace")
    # of a bar that writes over itself the last state
    lines = [line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").split("\n")]
    return "\n".join(lines[1:] if first else lines), first


def replies(folder: Folder, most: int = REPLIES) -> Iterator[dict[str, Any]]:
    """The newest replies in the journals, from the chunk written last."""
    newest: tuple[int, Path] | None = None
    for base, _, names in os.walk(folder.path / "journals"):
        chunks = [name for name in names if name.endswith(".parquet") and name[:-8].isdigit()]
        for name in sorted(chunks)[-1:]:
            stamp = folder.stamp(Path(base, name))
            if stamp is not None and (newest is None or stamp[1] > newest[0]):
                newest = (stamp[1], Path(base, name))
    if newest is None:
        return
    rows = folder.rows(newest[1], JOURNAL).tail(most)
    where = newest[1].relative_to(folder.path / "journals").parent.as_posix()
    for row in rows.reverse().iter_rows(named=True):
        yield row | {"journal": where, "written": newest[0] / 1e9}


def kept(folder: Folder) -> list[tuple[str, int, int]]:
    """Journals with how many replies and failed requests they hold; of a compacted journal each once."""
    found: dict[str, list[int]] = {}
    for path in folder.files("journals/**/*.parquet"):
        if not path.stem.isdigit():
            continue
        counts = folder.remembered(path, "journal", _counts)
        if counts is not None:
            entry = found.setdefault(path.relative_to(folder.path / "journals").parent.as_posix(), [0, 0])
            entry[0] += counts[0]
            entry[1] += counts[1]
    return [(name, *found[name]) for name in sorted(found)]  # type: ignore[misc]


def _counts(path: Path) -> tuple[int, int]:
    failed = pl.col("error").is_not_null()
    rows = pl.scan_parquet(path).select(pl.len().alias("all"), failed.sum().alias("failed")).collect()
    return rows["all"][0] - rows["failed"][0], rows["failed"][0]
