"""Two states of a results folder: verdicts that flipped, cells, pictures and problems, each with its cause."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from reasonlite.audit import changes, sides, telling
from reasonlite.audit.store import Store

FLIPS = 100  # verdicts of a table that are listed; all are counted


@dataclass(frozen=True)
class Flip:
    """An answer's verdict and final answer, before and after."""

    answer_id: str
    problem_id: str
    before: tuple[bool | None, str | None]
    after: tuple[bool | None, str | None]


@dataclass(frozen=True)
class Flips:
    """Verdicts of one set of answers (judged/EFFORT, or evaluation/MODEL/BENCHMARK) that are not what they were.

    The first FLIPS of them are listed, all are counted by what they are now; ``gained`` and ``lost``: answers that
    only one side has.
    """

    name: str
    listed: list[Flip]
    right: int
    wrong: int
    none: int
    gained: int
    lost: int
    because: list[str]


@dataclass
class States:
    """``changes``: as the audit tells them, grouped by cause; ``pictures``: by a name, the files before and after."""

    old: sides.Side  # kept: the files of a release are there as long as it is
    new: str
    counts: dict[str, int]
    unchanged: int
    notes: list[str]
    groups: list[tuple[list[str], list[telling.Told]]]  # causes in words, and what they changed
    flips: list[Flips] = field(default_factory=list)
    gained: list[str] = field(default_factory=list)  # problems
    lost: list[str] = field(default_factory=list)
    relabelled: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    pictures: dict[str, tuple[Path, Path]] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)  # tables of which one side's file is gone


def compare(results: Path, against: str | None, root: Path) -> States:
    """The results as they are against an earlier state: the manifest before, or what `sides.open_side` takes.

    A `UserError` where there is nothing to compare with.
    """
    new = sides.open_side(str(results), root)
    old = sides.before(results) if against is None else sides.open_side(against, root)
    found = changes.compare(old.manifest, new.manifest)
    stores = sides.stores_of([old, new])
    told = telling.look(found, old, new, stores)
    looked = telling.sources(found, old, new, stores)
    counts = {kind: len(found.of(kind)) for kind in changes.KINDS if found.of(kind)}
    groups = [
        ([line for cause in telling_order(causes) for line in telling.cause_lines(cause, looked)], list(group))
        for causes, group in telling.by_cause(told)
    ]
    states = States(old, new.name, counts, found.unchanged, found.notes, groups)
    for one in told:
        if one.pictures:
            states.pictures[picture_name(one.change.path)] = one.pictures
    _tables(states, _Pairs(found, old, new, stores, states.unseen))
    return states


def telling_order(causes: Iterable[changes.Cause]) -> list[changes.Cause]:
    """What a user changed first, the code last: of that there may be much that made no difference."""
    return sorted(causes, key=lambda cause: cause.kind == "code")


def picture_name(path: str) -> str:
    return hashlib.sha256(path.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class _Pairs:
    """The files of both sides that belong together and are not the same, as far as they can still be found.

    Shards are taken together, because with another number of them an answer may lie in another file.
    """

    found: changes.Difference
    old: sides.Side
    new: sides.Side
    stores: Sequence[Store]
    unseen: list[str]

    def sets(self) -> dict[str, list[changes.Change]]:
        """Changes by the set of tables that they belong to."""
        sets: dict[str, list[changes.Change]] = {}
        for one in self.found.changes:
            parts = PurePosixPath(one.path).parts
            name = ""
            if parts[0] == "judged" or (parts[0] == "evaluation" and parts[-1] == "judged.parquet"):
                name = "/".join(parts[:-1])
            elif parts[0] == "votes" or parts[:2] == ("problems", "shards"):
                name = parts[0]
            if name and one.kind != "rewritten":
                sets.setdefault(name, []).append(one)
        return sets

    def read(self, ones: Sequence[changes.Change], columns: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Both sides' rows in ``columns``, of the files that are not the same."""
        frames: tuple[list[pl.DataFrame], list[pl.DataFrame]] = ([], [])
        for one in ones:
            for side, kind, kept in ((self.old, "added", frames[0]), (self.new, "removed", frames[1])):
                if one.kind == kind:
                    continue
                file = side.file("outputs", one.path, self.stores)
                try:
                    kept.append(pl.read_parquet(file, columns=columns) if file is not None else pl.DataFrame())
                except (pl.exceptions.PolarsError, OSError):
                    file = None
                if file is None and one.path not in self.unseen:
                    self.unseen.append(one.path)
        empty = pl.DataFrame(schema={name: pl.Boolean if name.startswith("correct") else pl.String for name in columns})
        before, after = (pl.concat([empty, *each], how="diagonal_relaxed") for each in frames)
        return before, after


def _tables(states: States, pairs: _Pairs) -> None:
    """Fill in what is told of verdicts, labels and problems."""
    for name, ones in pairs.sets().items():
        if name == "votes":
            before, after = pairs.read(ones, ["problem_id", "label"])
            both = after.join(before, on="problem_id", suffix="_then")
            changed = both.filter(pl.col("label").ne_missing(pl.col("label_then")))
            states.relabelled = sorted(changed.select("problem_id", "label_then", "label").iter_rows())
        elif name == "problems":
            before, after = pairs.read(ones, ["id"])
            old, new = set(before["id"]), set(after["id"])
            states.gained, states.lost = sorted(new - old), sorted(old - new)
        elif (flips := _flips(name, ones, pairs)) is not None:
            states.flips.append(flips)


def _flips(name: str, ones: Sequence[changes.Change], pairs: _Pairs) -> Flips | None:
    before, after = pairs.read(ones, ["answer_id", "problem_id", "correct", "correct_vote", "answer"])
    verdict = pl.coalesce("correct_vote", "correct").cast(pl.Boolean)
    before, after = before.with_columns(then=verdict), after.with_columns(now=verdict)
    both = after.join(before, on="answer_id", suffix="_then")
    flipped = both.filter(pl.col("now").ne_missing(pl.col("then"))).sort("answer_id")
    gained, lost = after.height - both.height, before.height - both.height
    if flipped.is_empty() and not gained and not lost:
        return None
    listed = [
        Flip(row["answer_id"], row["problem_id"], (row["then"], row["answer_then"]), (row["now"], row["answer"]))
        for row in flipped.head(FLIPS).iter_rows(named=True)
    ]
    now = flipped["now"]
    right, none = int(now.sum()), now.null_count()
    causes = telling_order({cause: None for one in ones for cause in one.causes})
    return Flips(name, listed, right, flipped.height - right - none, none, gained, lost, [str(each) for each in causes])


def cells(details: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Lines of the form ``row · column: old → new`` apart; other lines stand alone in the first place."""
    found = []
    for line in details:
        where, middle, rest = line.partition(" · ")
        column, colon, values = rest.partition(": ")
        old, arrow, new = values.partition(" → ")
        found.append((where.strip(), column, old, new) if middle and colon and arrow else (line, "", "", ""))
    return found


def plain(value: Any) -> str:
    return {True: "right", False: "wrong", None: "no verdict"}[value]
