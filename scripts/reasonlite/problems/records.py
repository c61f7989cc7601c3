"""Records of a file of problems, and the problem that each of them holds.

Knows JSON, JSON Lines and Parquet; does not know which records a source drops, or models.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reasonlite.config.sources import Columns
from reasonlite.core.errors import UserError
from reasonlite.core.files import canonical_json, storable
from reasonlite.problems.checks import unusable

PROBLEM_COLUMNS = ("problem", "prompt", "question")
ANSWER_COLUMNS = ("answer", "expected_answer")
ID_COLUMNS = ("id", "index", "task_id")
ROWS = 4_096  # read together


def read_records(path: Path, wanted: set[str] | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of a file with where each stands (file and line or row); of Parquet only ``wanted`` columns, if given."""
    if path.suffix == ".parquet":
        yield from _parquet_rows(path, wanted)
        return
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", errors="strict") as handle:
        try:
            if path.name.removesuffix(".gz").endswith(".json"):
                for number, record in enumerate(_listed(json.load(handle), path), 1):
                    yield f"{path}: entry {number}", record
                return
            for number, line in enumerate(handle, 1):
                if line.strip():
                    yield f"{path}: line {number}", _parse(line, f"{path}: line {number}")
        except (UnicodeDecodeError, gzip.BadGzipFile, zlib.error, EOFError, json.JSONDecodeError) as error:
            raise UserError(f"cannot be read as JSON in UTF-8: {error}", where=path) from None


def used_columns(columns: Columns, wanted: set[str]) -> set[str]:
    """Columns of a source's file that may be asked for, those of its rules (``wanted``) among them."""
    named = {name for name in (columns.problem, columns.answer, columns.id) if name}
    return named | wanted | {*PROBLEM_COLUMNS, *ANSWER_COLUMNS, *ID_COLUMNS, "test", "entry_point"}


def _parquet_rows(path: Path, wanted: set[str] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            used = [name for name in file.schema_arrow.names if wanted is None or name in wanted]
            row = itertools.count(1)
            for batch in file.iter_batches(ROWS, columns=used):
                for record in batch.to_pylist():
                    yield f"{path}: row {next(row)}", record
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"is not a readable Parquet file ({error})", where=path) from None


def _listed(content: Any, path: Path) -> list[dict[str, Any]]:
    if isinstance(content, list) and all(isinstance(record, dict) for record in content):
        return content
    raise UserError("is not one JSON list of objects", where=path, todo="name a file of JSON lines .jsonl")


def _parse(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise UserError(f"is not JSON: {error}", where=where, todo="mend or remove the line") from None
    if not isinstance(record, dict):
        raise UserError(f"is a JSON {type(record).__name__}, expected an object", where=where)
    return record


def problem_of(
    name: str, number: int, where: str, record: dict[str, Any], columns: Columns, reason: str | None
) -> dict[str, Any]:
    problem = record[_column(record, columns.problem, PROBLEM_COLUMNS, "problem", where)]
    answer = _tests(record, problem, where) if columns.tests else record[_answer_column(record, columns, where)]
    if not isinstance(problem, str) or not problem.strip():
        raise UserError(f"the problem is {_shown(problem)}, expected a text", where=where)
    if not _usable(answer):
        if reason is None and columns.missing == "refuse":
            raise UserError(
                f"the problem has no answer (found {_shown(answer)}, expected a text or a number)",
                where=where,
                todo="add the answer, remove the row, or say in columns.missing what is to be done",
            )
        answer, reason = None, reason or ("no answer" if columns.missing == "drop" else None)
    known = columns.id or next((column for column in ID_COLUMNS if column in record), None)
    if columns.id and columns.id not in record:
        raise UserError(f"has no column {columns.id!r}; it has {', '.join(record)}", where=where)
    identity = str(record[known]) if known else str(number)
    label = None if answer is None else label_of(str(answer))
    if not columns.tests:
        reason = reason or unusable(problem, label)
    kept = None if label is None else storable(label)
    return row_of(name, identity, storable(problem.strip()), kept) | {"unusable": reason}


def label_of(answer: str) -> str:
    """The label in a data set's answer: GSM8K gives the solution before it, after four number signs."""
    worked = re.search(r"^####\s*(\S.*?)\s*$", answer, re.MULTILINE)
    return worked[1] if worked else answer.strip()


def _answer_column(record: dict[str, Any], columns: Columns, where: str) -> str:
    return _column(record, columns.answer, ANSWER_COLUMNS, "answer", where)


def _tests(record: dict[str, Any], prompt: Any, where: str) -> str:
    """Prompt, test and entry_point as one JSON text, which stands for the answer of a code problem."""
    for key in ("test", "entry_point"):
        if not isinstance(record.get(key), str) or not record[key].strip():
            raise UserError(f"has no {key}; it has {', '.join(record)}", where=where, todo="columns.tests needs it")
    return canonical_json({"prompt": prompt, "test": record["test"], "entry_point": record["entry_point"]})


def _usable(answer: Any) -> bool:
    if answer is None or answer != answer:  # NaN is not equal to itself
        return False
    return isinstance(answer, str | int | float) and not isinstance(answer, bool) and bool(str(answer).strip())


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:60]!r}"


def _column(record: dict[str, Any], given: str | None, defaults: tuple[str, ...], what: str, where: str) -> str:
    candidates = (given,) if given else defaults
    for candidate in candidates:
        if candidate in record:
            return candidate
    raise UserError(
        f"has no column for the {what} ({' or '.join(candidates)}); it has {', '.join(record) or 'none'}",
        where=where,
        todo=f"name it in columns.{what}",
    )


def qualified(identity: str, source: str) -> str:
    """An id under its source's name."""
    return identity if identity.startswith(f"{source}:") else f"{source}:{identity}"


def row_of(source: str, number: str, problem: str, answer: str | None) -> dict[str, Any]:
    return {"id": qualified(number, source), "source": source, "problem": problem, "answer": answer, "unusable": None}
