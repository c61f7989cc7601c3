"""Problems from their sources, checked; duplicates and benchmark twins dropped; shards.

Does not know models or answers drawn.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import sys
import types
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite.errors import UserError
from reasonlite.files import canonical_json, sha256_file, sha256_text
from reasonlite.models import download
from reasonlite.seeding import shard_of
from reasonlite.sources import Columns, FileSource, GymSource, HubSource, Source
from reasonlite.tables import DROPPED, PROBLEMS, frame_of

PROBLEM_COLUMNS = ("problem", "prompt", "question")
ANSWER_COLUMNS = ("answer", "expected_answer")
ID_COLUMNS = ("id", "index", "task_id")
TASK_SEED_STEP = 1_000_000  # reasoning-gym draws item i with seed + i: tasks must stay far apart


def read_source(name: str, source: Source) -> pl.DataFrame:
    """The problems of one source (PROBLEMS), in the source's order; every defect is refused by name."""
    if isinstance(source, GymSource):
        rows = _gym_rows(name, source)
    elif isinstance(source, FileSource):
        rows = _file_rows(name, source)
    else:
        rows = _hub_rows(name, source)
    listed = list(rows)
    if not listed:
        raise UserError("the source has no problems", where=name, todo="check its path, files and limit")
    seen: dict[str, int] = {}
    for number, row in enumerate(listed, 1):
        if row["id"] in seen:
            raise UserError(
                f"the id {row['id']!r} stands in rows {seen[row['id']]} and {number}",
                where=name,
                todo="make ids unique, or leave columns.id out to number the rows",
            )
        seen[row["id"]] = number
    return frame_of(listed, PROBLEMS)


def _gym_rows(name: str, source: GymSource) -> Iterator[dict[str, Any]]:
    gym = _reasoning_gym()
    number = 0
    for position, task in enumerate(source.tasks):
        if task.name == "zebra_puzzles":
            raise UserError("this task needs a compiled package that is left out", where=f"{name}: {task.name}")
        seed = source.seed + TASK_SEED_STEP * position
        try:
            items = gym.create_dataset(task.name, size=task.size, seed=seed, **task.arguments)
        except (ValueError, TypeError, AssertionError) as error:
            raise UserError(
                f"reasoning-gym refuses it: {error}",
                where=f"{name}: task {task.name}",
                todo="see reasoning_gym.factory.DATASETS for the tasks and their arguments",
            ) from None
        for item in items:
            yield _row(name, str(number), item["question"].strip(), str(item["answer"]))
            number += 1


def _reasoning_gym() -> Any:
    """The package, without pycosat: that is compiled from source, and only zebra_puzzles uses it."""
    if "pycosat" not in sys.modules and importlib.util.find_spec("pycosat") is None:
        sys.modules["pycosat"] = types.ModuleType("pycosat")
    import reasoning_gym

    return reasoning_gym


def _row(source: str, number: str, problem: str, answer: str | None) -> dict[str, Any]:
    identity = number if number.startswith(f"{source}:") else f"{source}:{number}"
    return {"id": identity, "source": source, "problem": problem, "answer": answer}


def _file_rows(name: str, source: FileSource) -> Iterator[dict[str, Any]]:
    path = source.path
    if not path.is_file():
        raise UserError("no such file", where=path, todo=f"correct the path of the source {name!r}")
    if source.sha256 and (found := sha256_file(path)) != source.sha256:
        raise UserError(f"its SHA-256 is {found}, not the configured {source.sha256}", where=path)
    yield from _mapped(name, [path], source.columns, source.limit)


def _hub_rows(name: str, source: HubSource) -> Iterator[dict[str, Any]]:
    folder = download(source.repo, source.revision, "dataset", source.files)
    paths = sorted({path for pattern in source.files for path in folder.glob(pattern) if path.is_file()})
    if not paths:
        raise UserError(
            f"no file matches {', '.join(source.files)}",
            where=f"{source.repo} at {source.revision}",
            todo="list the repository's files and correct files",
        )
    yield from _mapped(name, paths, source.columns, source.limit)


def _mapped(name: str, paths: Iterable[Path], columns: Columns, limit: int | None) -> Iterator[dict[str, Any]]:
    number = 0
    for path in paths:
        for where, record in _records(path):
            if limit is not None and number >= limit:
                return
            yield _problem(name, number, where, record, columns)
            number += 1


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of a file with where each stands (file and line or row)."""
    if path.suffix == ".parquet":
        try:
            frame = pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise UserError(f"is not a readable Parquet file ({error})", where=path) from None
        for row, record in enumerate(frame.iter_rows(named=True), 1):
            yield f"{path}: row {row}", record
        return
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", errors="strict") as handle:
        try:
            for line_number, line in enumerate(handle, 1):
                if line.strip():
                    yield f"{path}: line {line_number}", _parse(line, f"{path}: line {line_number}")
        except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
            raise UserError(f"cannot be read as JSON Lines in UTF-8: {error}", where=path) from None


def _parse(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise UserError(f"is not JSON: {error}", where=where, todo="mend or remove the line") from None
    if not isinstance(record, dict):
        raise UserError(f"is a JSON {type(record).__name__}, expected an object", where=where)
    return record


def _problem(name: str, number: int, where: str, record: dict[str, Any], columns: Columns) -> dict[str, Any]:
    problem = record[_column(record, columns.problem, PROBLEM_COLUMNS, "problem", where)]
    answer = _tests(record, problem, where) if columns.tests else record[_answer_column(record, columns, where)]
    if not isinstance(problem, str) or not problem.strip():
        raise UserError(f"the problem is {_shown(problem)}, expected a text", where=where)
    if not _usable(answer, columns):
        raise UserError(
            f"the problem has no answer (found {_shown(answer)}, expected a text or a number)",
            where=where,
            todo="add the answer, remove the row, or set columns.answer_may_be_missing",
        )
    known = columns.id or next((column for column in ID_COLUMNS if column in record), None)
    if columns.id and columns.id not in record:
        raise UserError(f"has no column {columns.id!r}; it has {', '.join(record)}", where=where)
    identity = str(record[known]) if known else str(number)
    worked = re.search(r"^####\s*(\S.*?)\s*$", str(answer), re.MULTILINE)  # GSM8K gives the solution before the answer
    label = worked[1] if worked else str(answer).strip()
    return _row(name, identity, problem.strip(), None if answer is None else label)


def _answer_column(record: dict[str, Any], columns: Columns, where: str) -> str:
    return _column(record, columns.answer, ANSWER_COLUMNS, "answer", where)


def _tests(record: dict[str, Any], prompt: Any, where: str) -> str:
    """Prompt, test and entry_point as one JSON text, which stands for the answer of a code problem."""
    for key in ("test", "entry_point"):
        if not isinstance(record.get(key), str) or not record[key].strip():
            raise UserError(f"has no {key}; it has {', '.join(record)}", where=where, todo="columns.tests needs it")
    return canonical_json({"prompt": prompt, "test": record["test"], "entry_point": record["entry_point"]})


def content_hash(problems: pl.DataFrame) -> str:
    """SHA-256 of problems and answers in the order of the table, ids left out."""
    return sha256_text(canonical_json(problems.select("problem", "answer").rows()))


_GIVEN_AWAY = r"(?:\\boxed\s*\{{\s*{0}\s*\}}|(?:answer|ans)\s*(?:is|:|=)\s*\$?{0}(?!\w|\.\d))"


def check_benchmark(problems: pl.DataFrame, name: str, expected: str | None) -> str:
    """Refuse a benchmark of other content than its hash says, or whose problems give their answers away."""
    for row in problems.iter_rows(named=True):
        pattern = _GIVEN_AWAY.format(re.escape(row["answer"])) if row["answer"] and len(row["answer"]) < 100 else "(?!)"
        if re.search(pattern, row["problem"], re.IGNORECASE):
            raise UserError(
                f"the problem {row['id']} holds its own answer, {row['answer']!r}",
                where=name,
                todo="take a clean copy of the benchmark",
            )
    found = content_hash(problems)
    if expected is not None and found != expected:
        raise UserError(
            f"its content has the hash {found}, not the configured {expected}",
            where=name,
            todo="compare the copy with the one that was pinned, or pin this one in content_sha256",
        )
    return found


def _usable(answer: Any, columns: Columns) -> bool:
    if answer is None or answer != answer:  # NaN is not equal to itself
        return columns.answer_may_be_missing and answer is None
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


def normalised(problem: str) -> str:
    """A problem's text for finding exact copies: NFKC, lower case, one space, no outer punctuation."""
    text = unicodedata.normalize("NFKC", problem).lower()
    return re.sub(r"\s+", " ", text).strip(" .:;,!?$")


def clean(problems: pl.DataFrame, benchmarks: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop exact copies: of a benchmark problem, or of an earlier problem. Returns (PROBLEMS, DROPPED)."""
    held_out: dict[str, str] = {}
    for row in benchmarks.iter_rows(named=True):
        held_out.setdefault(normalised(row["problem"]), row["id"])
    first: dict[str, str] = {}
    kept, dropped = [], []
    for row in problems.iter_rows(named=True):
        text = normalised(row["problem"])
        if text in held_out:
            dropped.append({**row, "reason": "contaminated", "twin": held_out[text]})
        elif text in first:
            dropped.append({**row, "reason": "duplicate", "twin": first[text]})
        else:
            first[text] = row["id"]
            kept.append(row)
    return frame_of(kept, PROBLEMS), frame_of(dropped, DROPPED)


def into_shards(problems: pl.DataFrame, shards: int) -> list[pl.DataFrame]:
    """The problems of each shard, by a hash of the id alone, in the order of ids."""
    places = [shard_of(identity, shards) for identity in problems["id"]]
    placed = problems.with_columns(pl.Series("shard", places, dtype=pl.Int64)).sort("id")
    return [placed.filter(pl.col("shard") == shard).select(PROBLEMS.names()) for shard in range(shards)]
