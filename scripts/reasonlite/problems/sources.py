"""Problems from their sources: tasks of reasoning-gym, files, and data sets on the hub.

Does not know models or answers drawn.
"""

from __future__ import annotations

import importlib.util
import itertools
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import xxhash

from reasonlite.config.sources import Columns, FileSource, GymSource, HubSource, Source
from reasonlite.core.errors import UserError
from reasonlite.core.files import sha256_file
from reasonlite.core.schemas import SOURCED
from reasonlite.core.tables import frame_of
from reasonlite.models.hub import download
from reasonlite.problems.records import ROWS, problem_of, read_records, row_of, used_columns

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
            yield row_of(name, str(number), item["question"].strip(), str(item["answer"]))
            number += 1


def _reasoning_gym() -> Any:
    """The package, without pycosat: that is compiled from source, and only zebra_puzzles uses it."""
    if "pycosat" not in sys.modules and importlib.util.find_spec("pycosat") is None:
        sys.modules["pycosat"] = types.ModuleType("pycosat")
    import reasoning_gym

    return reasoning_gym


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
        row = problem_of(name, number, where, record, source.columns, reason)
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
    named = used_columns(columns, wanted)
    records = itertools.chain.from_iterable(read_records(path, named) for path in paths)
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
