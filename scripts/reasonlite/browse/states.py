"""Two states of a results folder: verdicts that flipped, cells, pictures and problems, each with its cause."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from reasonlite.audit import changes, sides, telling
from reasonlite.audit import manifest as manifests
from reasonlite.audit.store import Store
from reasonlite.core.errors import UserError

FLIPS = 100  # verdicts of a table that are listed; all are counted
NAMES = 50  # problems that are listed of each kind
RELEASE_BYTES = 512 * 2**20  # taken out of a release: tables and figures are far smaller
FILE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Flip:
    answer_id: str
    problem_id: str
    before: tuple[bool | None, str | None]  # verdict, final answer
    after: tuple[bool | None, str | None]


@dataclass
class States:
    """``changes``: as the audit tells them, grouped by cause; ``pictures``: by a name, the files before and after."""

    old: str
    new: str
    counts: dict[str, int]
    unchanged: int
    notes: list[str]
    groups: list[tuple[list[str], list[telling.Told]]]  # causes in words, and what they changed
    flips: dict[str, list[Flip]] = field(default_factory=dict)  # by table
    flipped: dict[str, tuple[int, int]] = field(default_factory=dict)  # by table: to right, to wrong
    because: dict[str, list[str]] = field(default_factory=dict)  # causes by output
    gained: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    relabelled: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    pictures: dict[str, tuple[Path, Path]] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)  # tables of which one side's file is gone


def compare(results: Path, against: str | None, root: Path, scratch: Path) -> States:
    """The results as they are against an earlier state: the manifest before, another folder, manifest or release.

    A `UserError` where there is nothing to compare with. A release's tables and figures are taken out to ``scratch``.
    """
    new = sides.open_side(str(results), root)
    if against is None:
        old = sides.before(results)
    elif tarfile_like(against):
        old = _release(Path(against), scratch)
    else:
        old = sides.open_side(against, root)
    found = changes.compare(old.manifest, new.manifest)
    stores = sides.stores_of([old, new])
    told = telling.look(found, old, new, stores)
    looked = telling.sources(found, old, new, stores)
    counts = {kind: len(found.of(kind)) for kind in changes.KINDS if found.of(kind)}
    groups = [
        ([line for cause in telling_order(causes) for line in telling.cause_lines(cause, looked)], list(group))
        for causes, group in telling.by_cause(told)
    ]
    states = States(old.name, new.name, counts, found.unchanged, found.notes, groups)
    states.because = {one.path: [str(cause) for cause in telling_order(one.causes)] for one in found.changes}
    for one in told:
        if one.pictures:
            states.pictures[hashlib.sha256(one.change.path.encode()).hexdigest()[:12]] = one.pictures
    _tables(states, found, old, new, stores)
    return states


def telling_order(causes: Sequence[changes.Cause]) -> list[changes.Cause]:
    """What a user changed first, the code last: of that there may be much that made no difference."""
    return sorted(causes, key=lambda cause: cause.kind == "code")


def picture_name(path: str) -> str:
    return hashlib.sha256(path.encode()).hexdigest()[:12]


def tarfile_like(word: str) -> bool:
    return word.endswith((".tar.gz", ".tgz")) and Path(word).is_file()


def _release(archive: Path, scratch: Path) -> sides.Side:
    """The manifest, tables and figures of a release, each file bounded and under its plain name."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    taken = 0
    try:
        with tarfile.open(archive, "r:gz") as opened:
            for member in opened:
                name = PurePosixPath(*PurePosixPath(member.name).parts[1:])
                wanted = name.as_posix() == manifests.NAME or name.parts[:1] in {("tables",), ("figures",)}
                if not wanted or not member.isfile() or ".." in name.parts or name.is_absolute():
                    continue
                taken += member.size
                if member.size > FILE_BYTES or taken > RELEASE_BYTES:
                    raise UserError(f"holds a file too large to look at: {member.name}", where=archive)
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                source = opened.extractfile(member)
                assert source is not None  # a plain file, as asked above
                with (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UserError(f"is not a whole release ({error})", where=archive, todo="fetch it again") from None
    return sides.Side(archive.name, manifests.read(folder / manifests.NAME), folder, None)


def _tables(
    states: States, found: changes.Difference, old: sides.Side, new: sides.Side, stores: Sequence[Store]
) -> None:
    """Fill in what is told of verdicts and labels, from the tables that both sides still have."""
    for one in found.changes:
        part, name = one.path.split("/", 1)[0], PurePosixPath(one.path).name
        is_judged = one.path.startswith("judged/") or (part == "evaluation" and name == "judged.parquet")
        if one.kind != "changed" or not (is_judged or part == "votes"):
            continue
        left, right = old.file("outputs", one.path, stores), new.file("outputs", one.path, stores)
        if left is None or right is None:
            states.unseen.append(one.path)
        elif is_judged:
            _flips(states, one.path, left, right)
        else:
            _labels(states, left, right)
    before, after = ({*_problems(side, stores)} for side in (old, new))
    if before and after:
        states.gained, states.lost = sorted(after - before), sorted(before - after)
    states.relabelled.sort()


def _flips(states: States, path: str, left: Path, right: Path) -> None:
    names = ["answer_id", "problem_id", "correct", "correct_vote", "answer"]
    try:
        before, after = pl.read_parquet(left, columns=names), pl.read_parquet(right, columns=names)
    except pl.exceptions.PolarsError:
        states.unseen.append(path)
        return
    verdict = pl.coalesce("correct_vote", "correct")
    both = after.with_columns(now=verdict).join(before.with_columns(then=verdict), on="answer_id", suffix="_then")
    flipped = both.filter(pl.col("now").ne_missing(pl.col("then"))).sort("answer_id")
    if flipped.is_empty():
        return
    states.flipped[path] = (flipped.filter("now").height, flipped.filter(~pl.col("now").fill_null(False)).height)
    for row in flipped.head(FLIPS).iter_rows(named=True):
        before_it, after_it = (row["then"], row["answer_then"]), (row["now"], row["answer"])
        states.flips.setdefault(path, []).append(Flip(row["answer_id"], row["problem_id"], before_it, after_it))


def _labels(states: States, left: Path, right: Path) -> None:
    names = ["problem_id", "label"]
    try:
        before, after = pl.read_parquet(left, columns=names), pl.read_parquet(right, columns=names)
    except pl.exceptions.PolarsError:
        return
    both = after.join(before, on="problem_id", suffix="_then")
    changed = both.filter(pl.col("label").ne_missing(pl.col("label_then")))
    states.relabelled += list(changed.select("problem_id", "label_then", "label").iter_rows())


def _problems(side: sides.Side, stores: Sequence[Store]) -> list[str]:
    """Ids of a side's training problems, of the shards whose files can be found; empty where one cannot."""
    found: list[str] = []
    for path in side.manifest["outputs"]:
        if path.startswith("problems/shards/"):
            file = side.file("outputs", path, stores)
            if file is None:
                return []
            found += pl.read_parquet(file, columns=["id"])["id"].to_list()
    return found


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
