"""The plan of a run, made by its main process and read by the Snakemake inside each job.

A cluster's job reads the workflow anew, twice on Slurm. What takes seconds (the config's models,
its checks, the hashes of all code) is done by the main process alone and left in a file; this
module, which every job imports, loads nothing heavy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reasonlite.core.errors import UserError, surroundings
from reasonlite.core.files import sha256_text, write_text

NOTES = Path(".snakemake") / "reasonlite"  # in the working folder, which all nodes see
CODE = NOTES / "code.json"


def open_plan(raw: dict[str, Any], root: Path, *, main: bool) -> dict[str, Any]:
    """The plan of the config ``raw``: checked and left for the jobs if ``main``, else what was left.

    ``root`` is the folder of the workflow's own files. A job that finds no file makes the plan itself.
    """
    file = plan_file(raw)
    if not main and file.is_file():
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found
    from reasonlite.audit import provenance
    from reasonlite.workflow.checks import checked
    from reasonlite.workflow.plan import plan_of

    plan = plan_of(checked(raw), root)
    if main:
        _leave(file, _ordered(plan))
        provenance.remember(CODE)
    return plan


def plan_file(raw: dict[str, Any]) -> Path:
    """Where the plan of the config ``raw`` is left, in the working folder."""
    try:
        return NOTES / f"plan-{sha256_text(_ordered(raw))[:16]}.json"
    except (TypeError, ValueError) as error:
        raise UserError(f"holds a value that JSON cannot: {error}", where="config", todo="use plain values") from None


def _ordered(value: dict[str, Any]) -> str:
    """JSON in the value's own order: that of efforts and models is the order of their files and rows."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _leave(file: Path, text: str) -> None:
    """Write a file anew only where it says something else, so that planning alone writes next to nothing."""
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return
    try:
        write_text(file, text)
    except OSError as error:
        known = surroundings(OSError(error.errno, error.strerror, str(file.parent.absolute())))
        if known is None:
            raise
        raise known from None


def rule_identity(scripts: Sequence[Path], settings: dict[str, Any], lock: str) -> str:
    """The identity of a rule that runs ``scripts``, with what is known already of unchanged files."""
    from reasonlite.audit import provenance

    found: str = provenance.identity(scripts, settings, lock)
    return found
