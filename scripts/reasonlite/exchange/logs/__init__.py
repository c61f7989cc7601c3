"""Logs of other programs that drew answers to a benchmark, each read into the same rows.

Does not know the benchmark: which problem a row is about is found in matching.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reasonlite.config.recorded import InspectLog, LightevalLog, LmEvalLog, Log, ReasonLiteLog
from reasonlite.core.errors import UserError

UNEXPECTED = (KeyError, TypeError, AttributeError, IndexError)  # of JSON that has another form


@dataclass(frozen=True)
class Drawn:
    """One answer of a log. ``reply`` is None where the model gave none; ``error`` then says why, if it is known."""

    where: str  # file and line
    texts: list[str]  # the problem's text is one of these, or stands in one
    problem_id: str | None
    reply: str | None
    number: int | None = None  # which draw; None: the order of the rows
    target: str | None = None  # the label it was compared with
    score: float | None = None  # the log's own verdict, 0 to 1
    extracted: str | None = None  # the final answer that the log's program found
    prompt: str | None = None
    tokens: int | None = None
    finish_reason: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Opened:
    """A log: how its answers were drawn, the score that it states for them (0 to 1), and the answers."""

    rows: Iterator[Drawn]
    settings: dict[str, Any] = field(default_factory=dict)
    score: float | None = None


def open_log(path: Path, log: Log) -> Opened:
    """Read a log by the form that the config says it has; a UserError for one of another form or version."""
    folder = isinstance(log, ReasonLiteLog)
    if not (path.is_dir() if folder else path.is_file()):
        what = "folder" if folder else "file"
        raise UserError(f"no such {what}", where=path, todo="correct paths in the model's recorded")
    try:
        opened = _reader(log)(path, log)
        return Opened(_guarded(path, opened.rows), opened.settings, opened.score)
    except UNEXPECTED as error:
        raise _other_form(path, error) from None


def _reader(log: Log) -> Callable[[Path, Any], Opened]:
    if isinstance(log, LmEvalLog):
        from reasonlite.exchange.logs import lm_eval

        return lm_eval.read
    if isinstance(log, LightevalLog):
        from reasonlite.exchange.logs import lighteval

        return lighteval.read
    if isinstance(log, InspectLog):
        from reasonlite.exchange.logs import inspection

        return inspection.read
    from reasonlite.exchange.logs import rows

    return rows.reasonlite if isinstance(log, ReasonLiteLog) else rows.read


def _guarded(path: Path, rows: Iterator[Drawn]) -> Iterator[Drawn]:
    """Rows as they come; one that is built otherwise than the form has it is told by the log's name."""
    try:
        yield from rows
    except UNEXPECTED as error:
        raise _other_form(path, error) from None


def _other_form(path: Path, error: Exception) -> UserError:
    return UserError(
        f"is not built as its kind is ({type(error).__name__}: {error})",
        where=path,
        todo="check the kind of this log and the version of the program that wrote it",
    )


def choose(given: str | None, found: list[str], what: str, key: str, where: object) -> str:
    """The one of several that the config names, or the only one."""
    if given is not None and given in found:
        return given
    if given is None and len(found) == 1:
        return found[0]
    said = f"has no {what} {given!r}" if given is not None else f"has {len(found)} {what}s"
    raise UserError(f"{said}: {', '.join(found) or 'none'}", where=where, todo=f"name one of them as recorded's {key}")


def lacking(where: object, program: str, version: str, key: str) -> UserError:
    """The error for a row that is not of the form that is read here."""
    return UserError(
        f"has no {key}: this is not a log of {program} as {version} writes it",
        where=where,
        todo="check the kind of this log; others can be read as kind: rows with their columns named",
    )


def json_beside(path: Path) -> dict[str, Any]:
    """A file of results beside a log's samples; empty where there is none."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"is not JSON: {error}", where=path, todo="mend it, or move it away") from None
    return found if isinstance(found, dict) else {}
