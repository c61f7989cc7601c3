"""Problems from their sources, checked, and spread over shards.

Does not know models or answers drawn.
"""

from __future__ import annotations

import gzip
import importlib.util
import itertools
import json
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import xxhash

from reasonlite.checkable import unusable
from reasonlite.errors import UserError
from reasonlite.files import canonical_json, sha256_file, sha256_text, storable
from reasonlite.models import download
from reasonlite.schemas import PROBLEMS, SOURCED
from reasonlite.seeding import shard_of
from reasonlite.sources import Columns, FileSource, GymSource, HubSource, Source
from reasonlite.tables import frame_of

PROBLEM_COLUMNS = ("problem", "prompt", "question")
ANSWER_COLUMNS = ("answer", "expected_answer")
ID_COLUMNS = ("id", "index", "task_id")
ROWS = 4_096  # read together
TASK_SEED_STEP = 1_000_000  # reasoning-gym draws item i with seed + i: tasks must stay far apart


def read_source(name: str, source: Source) -> pl.DataFrame:
    """The problems of one source (SOURCED), in the source's order; every defect is refused by name."""
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
    return frame_of(listed, SOURCED)


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


def qualified(identity: str, source: str) -> str:
    """An id under its source's name."""
    return identity if identity.startswith(f"{source}:") else f"{source}:{identity}"


def _row(source: str, number: str, problem: str, answer: str | None) -> dict[str, Any]:
    return {"id": qualified(number, source), "source": source, "problem": problem, "answer": answer, "unusable": None}


def _file_rows(name: str, source: FileSource) -> Iterator[dict[str, Any]]:
    path = source.path
    if not path.is_file():
        raise UserError("no such file", where=path, todo=f"correct the path of the source {name!r}")
    if source.sha256 and (found := sha256_file(path)) != source.sha256:
        raise UserError(f"its SHA-256 is {found}, not the configured {source.sha256}", where=path)
    yield from _mapped(name, [path], source)


def _hub_rows(name: str, source: HubSource) -> Iterator[dict[str, Any]]:
    folder = download(source.repo, source.revision, "dataset", source.files)
    paths = sorted({path for pattern in source.files for path in folder.glob(pattern) if path.is_file()})
    if not paths:
        raise UserError(
            f"no file matches {', '.join(source.files)}",
            where=f"{source.repo} at {source.revision}",
            todo="list the repository's files and correct files",
        )
    yield from _mapped(name, paths, source)


def _mapped(name: str, paths: list[Path], source: FileSource | HubSource) -> Iterator[dict[str, Any]]:
    taken = itertools.count()
    seen: set[bytes] = set()
    rules = {reason: _rule(expression, f"{name}: drop.{reason}") for reason, expression in source.drop.items()}
    wanted = {root for rule in rules.values() for root in rule.meta.root_names()}
    for number, (where, record, reason) in enumerate(_judged_records(paths, source.columns, rules, wanted)):
        row = _problem(name, number, where, record, source.columns, reason)
        if source.repeats:
            before, digest = len(seen), xxhash.xxh3_128_digest(row["problem"].encode())
            seen.add(digest)
            if len(seen) == before:
                continue
        if source.limit is not None and next(taken) >= source.limit:
            return
        yield row


def _rule(expression: str, where: str) -> pl.Expr:
    try:
        return pl.sql_expr(expression)
    except pl.exceptions.PolarsError as error:
        todo = "for example: problem_type = 'converted_proof'"
        raise UserError(f"is not an SQL expression: {error}", where=where, todo=todo) from None


def _judged_records(
    paths: list[Path], columns: Columns, rules: dict[str, pl.Expr], wanted: set[str]
) -> Iterator[tuple[str, dict[str, Any], str | None]]:
    """Records with where each stands, and why the source's rules drop it, if they do."""
    records = itertools.chain.from_iterable(_records(path, columns, wanted) for path in paths)
    if not rules:
        yield from ((where, record, None) for where, record in records)
        return
    unseen = set(wanted)
    for batch in _batched(records):
        unseen.difference_update(*(record for _, record in batch))
        used = [{key: record.get(key) for key in wanted} for _, record in batch]
        table = pl.DataFrame(used, infer_schema_length=None)
        try:
            verdicts = table.select(rule.fill_null(False).alias(reason) for reason, rule in rules.items())
        except pl.exceptions.PolarsError as error:
            raise UserError(f"its rules in drop cannot be used: {error}", where=batch[0][0]) from None
        for (where, record), verdict in zip(batch, verdicts.iter_rows(named=True), strict=True):
            yield where, record, next((reason for reason, drops in verdict.items() if drops), None)
    if unseen:
        raise UserError(f"a rule in drop names {', '.join(sorted(unseen))}, which no row has", where=paths[0])


def _batched(records: Iterator[Any]) -> Iterator[tuple[Any, ...]]:
    while batch := tuple(itertools.islice(records, ROWS)):
        yield batch


def _records(path: Path, columns: Columns, wanted: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of a file with where each stands (file and line or row); of Parquet only the columns that are used."""
    if path.suffix == ".parquet":
        yield from _parquet_rows(path, columns, wanted)
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
        except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, json.JSONDecodeError) as error:
            raise UserError(f"cannot be read as JSON in UTF-8: {error}", where=path) from None


def _parquet_rows(path: Path, columns: Columns, wanted: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    import pyarrow
    import pyarrow.parquet

    named = {columns.problem, columns.answer, columns.id, *wanted}
    defaults = {*PROBLEM_COLUMNS, *ANSWER_COLUMNS, *ID_COLUMNS, "test", "entry_point"}
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            used = [name for name in file.schema_arrow.names if name in named | defaults]
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


def _problem(
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
    worked = re.search(r"^####\s*(\S.*?)\s*$", str(answer), re.MULTILINE)  # GSM8K gives the solution before the answer
    label = None if answer is None else worked[1] if worked else str(answer).strip()
    if not columns.tests:
        reason = reason or unusable(problem, label)
    kept = None if label is None else storable(label)
    return _row(name, identity, storable(problem.strip()), kept) | {"unusable": reason}


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


def into_shards(problems: pl.DataFrame, shards: int) -> list[pl.DataFrame]:
    """The problems of each shard, by a hash of the id alone, in the order of ids."""
    places = [shard_of(identity, shards) for identity in problems["id"]]
    placed = problems.with_columns(pl.Series("shard", places, dtype=pl.Int64)).sort("id")
    return [placed.filter(pl.col("shard") == shard).select(PROBLEMS.names()) for shard in range(shards)]
