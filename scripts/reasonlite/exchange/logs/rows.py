"""Logs that are plain rows: any JSON, JSON Lines or Parquet by the columns named in the config, and ReasonLite's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reasonlite.config.recorded import ReasonLiteLog, RowsLog
from reasonlite.core.errors import UserError
from reasonlite.exchange.jsonl import PARTS, lines_of
from reasonlite.exchange.logs import Drawn, Opened
from reasonlite.problems.records import label_of, read_records


def read(path: Path, log: RowsLog) -> Opened:
    """The rows of a file that are as ``where`` says."""
    named = {column for column in log.columns.model_dump().values() if column}
    return Opened(_drawn(path, log, named))


def _drawn(path: Path, log: RowsLog, named: set[str]) -> Iterator[Drawn]:
    columns, found, total, unseen = log.columns, 0, 0, set(named)
    for where, row in read_records(path, named | set(log.where)):
        absent = [name for name in log.where if name not in row]
        if absent:
            raise UserError(f"has no column {absent[0]!r}, which recorded's where names", where=where)
        total += 1
        unseen.difference_update(row)
        if any(row[name] != value for name, value in log.where.items()):
            continue
        found += 1
        absent = [name for name in (columns.reply, columns.problem, columns.id) if name and name not in row]
        if absent:
            todo = "name the file's columns in recorded's columns"
            raise UserError(f"has no column {absent[0]!r}; it has {', '.join(row)}", where=where, todo=todo)
        yield _row(where, row, log)
    if unseen and found:
        names = ", ".join(sorted(unseen))
        raise UserError(f"no row has the column {names}", where=path, todo="correct recorded's columns")
    if not found:
        said = f"none of its {total} rows is as recorded's where says: {log.where}" if total else "holds no rows"
        raise UserError(said, where=path, todo="correct the values; they are compared as they stand")


def _row(where: str, row: dict[str, Any], log: RowsLog) -> Drawn:
    columns = log.columns

    def value(name: str | None) -> Any:
        return row.get(name) if name else None

    def text(name: str | None) -> str | None:
        found = value(name)
        return None if found is None else str(found)

    reply, problem, target = value(columns.reply), text(columns.problem), text(columns.target)
    if not isinstance(reply, str | None):
        raise UserError(f"the reply is a {type(reply).__name__}, expected a text", where=where)
    number = value(columns.number)
    return Drawn(
        where,
        [problem] if problem else [],
        text(columns.id),
        reply,
        number=None if number is None else _whole(number, where),
        target=None if target is None else label_of(target),
        score=_verdict(value(columns.verdict), where),
        extracted=text(columns.extracted),
        prompt=text(columns.prompt),
        tokens=None if (tokens := value(columns.tokens)) is None else _whole(tokens, where),
        finish_reason=text(columns.finish_reason),
        error=None if reply is not None else "the log has no reply",
    )


def _whole(value: Any, where: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise UserError(f"{value!r} is no whole number", where=where) from None


def _verdict(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool | int | float) and 0 <= value <= 1:
        return float(value)
    raise UserError(f"the verdict is {value!r}, expected true or false, or 0 to 1", where=where)


def reasonlite(path: Path, _: ReasonLiteLog) -> Opened:
    """An experiment's folder of ReasonLite's: its judged answers, or those that were not judged."""
    present = [part for part in reversed(PARTS[:2]) if any(lines_of(path, part))]
    if not present:
        todo = "give an experiment's folder of theirs"
        raise UserError(f"holds none of {', '.join(PARTS[:2])}", where=path, todo=todo)
    return Opened(_theirs(path, present[0]), {"part": present[0]})


def _theirs(path: Path, part: str) -> Iterator[Drawn]:
    for where, row in lines_of(path, part):
        problem_id, _, number = row["index"].rpartition("_")
        problem, reply, judge = row.get("prompt"), row.get("answer"), row.get("judge")
        target = (row.get("info") or {}).get("expected_answer", row.get("expected_answer"))
        yield Drawn(
            where,
            [problem] if isinstance(problem, str) else [],
            problem_id or None,
            reply if isinstance(reply, str) and reply.strip() else None,
            number=_whole(number, where),
            target=None if target is None else str(target),
            score=None if judge is None else float(judge),
            prompt=row.get("model_input"),
            error=None if isinstance(reply, str) and reply.strip() else "recorded as failed",
        )
