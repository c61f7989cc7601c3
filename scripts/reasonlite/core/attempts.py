"""Tries that came to nothing: those that a run saw fail, and those that Slurm broke off and began again.

The first stand in ``logs/failed.jsonl`` of the results, a line each, written by the run's main process. The second
stand in the job's own log, because Slurm starts a job again without a word to Snakemake.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from reasonlite.core.errors import UserError

ATTEMPTS = "logs/failed.jsonl"
HEAD_BYTES = 16_384  # of a log, among which its script's first lines are
HANDED_ON = "REASONLITE_RESTARTS"  # the job's number and its restarts
_RESTARTED = re.compile(r"restarted by Slurm: (\d+)$", re.MULTILINE)


def hand_on_restarts(environment: MutableMapping[str, str] = os.environ) -> None:
    """Keep Slurm's count for the scripts of a job: Snakemake's plugin takes it from the step that they run in.

    Called where the workflow is read, which happens in the job, too, before the step is begun.
    """
    if "SLURM_RESTART_COUNT" in environment:
        environment[HANDED_ON] = f"{environment.get('SLURM_JOB_ID')}:{environment['SLURM_RESTART_COUNT']}"


def restarts(environment: Mapping[str, str] = os.environ) -> int:
    """How often Slurm has begun the job of this process again; 0 outside Slurm.

    A count that was handed on holds for its own job alone: jobs inherit what surrounds the one that submits them.
    """
    job, _, count = environment.get(HANDED_ON, "").partition(":")
    if not job or job != environment.get("SLURM_JOB_ID"):
        count = environment.get("SLURM_RESTART_COUNT", "0")
    return int(count) if count.isdigit() else 0


def restarts_in(log: Path) -> int:
    """The same of a job by its log; 0 for a log that is not there."""
    try:
        with log.open("rb") as file:
            found = _RESTARTED.search(file.read(HEAD_BYTES).decode("utf-8", errors="replace"))
    except OSError:
        return 0
    return int(found[1]) if found else 0


def note_attempt(path: Path, attempt: dict[str, Any]) -> None:
    """Add a failed try: rule, wildcards, seconds. A full disk ends the run in other ways."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(attempt) + "\n")


def attempts_in(path: Path) -> list[dict[str, Any]]:
    """The failed tries of a results folder's runs; none where nothing has failed. A last line cut off is left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            found.append({name: entry[name] for name in ("rule", "wildcards", "seconds")})
        except (ValueError, KeyError, TypeError):
            if number < len(lines):
                raise UserError("is not a list of failed tries", where=f"{path}:{number}", todo="delete it") from None
    return found
