"""The training problems of a run: a row of numbers for each, and one problem with all that was made of it.

The index is made a shard at a time from narrow columns; of 343 shards with 9.1M answers it holds some tens of MB.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite.answers.transcripts import split_reply
from reasonlite.browse.folder import Folder, Missing
from reasonlite.core import schemas
from reasonlite.judge.reading import plain_number

TEXTS = pl.Schema({"id": pl.String, "problem": pl.String})


@dataclass(frozen=True)
class Index:
    """``table``: a row a problem, in the order of shards and ids; ``efforts`` and ``strata`` name parts of columns."""

    table: pl.DataFrame
    efforts: list[str]
    strata: list[str]


def index(folder: Folder) -> Index:
    """What there is of every problem; columns of steps that have not run yet are null."""
    return folder.at_times("index", lambda: _index(folder))


def _index(folder: Folder) -> Index:
    shards = folder.files("problems/shards/*.parquet")
    efforts = _folders(folder, "answers", "judged")
    strata = _folders(folder, "curriculum")
    stamps = tuple(tuple(map(folder.stamp, _parts(folder, path, efforts, strata).values())) for path in shards)

    def make() -> pl.DataFrame:
        parts = []
        for path, stamp in zip(shards, stamps, strict=True):
            read = functools.partial(_shard, folder, path, efforts, strata)
            if (part := folder.cached(f"shard {path.name}", stamp, read)) is not None:
                parts.append(part)
        return pl.concat(parts, how="vertical_relaxed") if parts else _shard_of(folder, None, {}, efforts, strata)

    columns = (*efforts, "", *strata)
    return Index(folder.cached("problems", (columns, stamps), make), efforts, strata)


def _folders(folder: Folder, *names: str) -> list[str]:
    return sorted({path.parent.name for name in names for path in folder.files(f"{name}/*/*.parquet")})


def _parts(folder: Folder, path: Path, efforts: list[str], strata: list[str]) -> dict[str, Path]:
    """Files that a shard's rows come from, by what they hold."""
    name, root = path.name, folder.path
    judged = {f"judged {effort}": root / "judged" / effort / name for effort in efforts}
    kept = {f"kept {stratum}": root / "curriculum" / stratum / name for stratum in strata}
    return {"problems": path, "votes": root / "votes" / name, "pairs": root / "groups/pairs" / name, **judged, **kept}


def _shard(folder: Folder, path: Path, efforts: list[str], strata: list[str]) -> pl.DataFrame | None:
    base = folder.remembered(path, "problems", _problems)
    if base is None:
        return None
    base = base.with_columns(shard=pl.lit(path.stem))
    return _shard_of(folder, base, _parts(folder, path, efforts, strata), efforts, strata)


def _shard_of(
    folder: Folder, base: pl.DataFrame | None, parts: dict[str, Path], efforts: list[str], strata: list[str]
) -> pl.DataFrame:
    """Rows of the problems of ``base`` with what the other parts say; null where a part is not there."""
    if base is None:
        base = pl.DataFrame(schema={"id": pl.String, "source": pl.String, "has_label": pl.Boolean, "shard": pl.String})
    joined = base
    readers = {"votes": _votes, "pairs": _pairs}
    readers |= {f"judged {effort}": _judged for effort in efforts} | {f"kept {stratum}": _kept for stratum in strata}
    for name, reader in readers.items():
        found = folder.remembered(parts[name], "index", reader) if name in parts else None
        made = reader(None) if found is None else found
        suffix = name.partition(" ")[2]
        made = made.rename({column: f"{column}_{suffix}" for column in made.columns if column != "id" and suffix})
        joined = joined.join(made, on="id", how="left", maintain_order="left")
        if found is not None and reader is not _votes:  # what has no row there was counted: nothing
            counts = [name for name in made.columns if name != "id" and not name.startswith("longest")]
            joined = joined.with_columns(pl.col(name).fill_null(0) for name in counts)
    return _together(joined, efforts, strata)


def _problems(path: Path) -> pl.DataFrame:
    frame = pl.scan_parquet(path).select("id", "source", has_label=pl.col("answer").is_not_null())
    return frame.collect()


def _votes(path: Path | None) -> pl.DataFrame:
    names = ["voting", "share", "top_votes", "label_source"]
    frame = schemas.VOTES.to_frame().lazy() if path is None else pl.scan_parquet(path)
    agrees = pl.col("top_class") == pl.col("dataset_class")
    return frame.select(pl.col("problem_id").alias("id"), *names, agrees.alias("vote_agrees")).collect()


def _pairs(path: Path | None) -> pl.DataFrame:
    frame = schemas.PAIRS.to_frame().lazy() if path is None else pl.scan_parquet(path)
    undecided = (pl.col("verdict") == "undecided").sum()
    return frame.group_by(id="problem_id").agg(compared=pl.len(), undecided=undecided).collect()


def _judged(path: Path | None) -> pl.DataFrame:
    frame = schemas.JUDGED.to_frame().lazy() if path is None else pl.scan_parquet(path)
    right = pl.coalesce("correct_vote", "correct")
    counts = {
        "answers": pl.len(),
        "right": right.sum(),
        "judged": right.count(),
        "tokens": pl.col("tokens").sum(),
        "known": pl.col("tokens").count(),  # answers whose tokens are known: not those of a failed request
        "longest": pl.col("tokens").max(),
        "cut": (pl.col("status") == "cut").sum(),
        "failed": (pl.col("status") == "failed").sum(),
        "unanswered": pl.col("answer").is_null().sum(),
    }
    return frame.group_by(id="problem_id").agg(**counts).collect()


def _kept(path: Path | None) -> pl.DataFrame:
    frame = schemas.CURRICULUM.to_frame().lazy() if path is None else pl.scan_parquet(path)
    return frame.group_by(id="problem_id").agg(kept=pl.len()).collect()


def _together(joined: pl.DataFrame, efforts: list[str], strata: list[str]) -> pl.DataFrame:
    """Columns over all efforts, and of each only what readers filter by."""

    def total(name: str) -> pl.Expr:
        if not efforts:
            return pl.lit(None, pl.Int64)
        columns = [pl.col(f"{name}_{effort}") for effort in efforts]
        known = pl.any_horizontal(column.is_not_null() for column in columns)
        return pl.when(known).then(pl.sum_horizontal(columns))

    answers, judged = total("answers"), total("judged")
    rate = [
        (pl.col(f"right_{effort}") / pl.col(f"judged_{effort}")).fill_nan(None).alias(f"pass_{effort}")
        for effort in efforts
    ]
    longest = [pl.col(f"longest_{effort}") for effort in efforts]
    return joined.select(
        *("id", "source", "shard", "has_label"),
        *(pl.col(name) for name in ("label_source", "share", "voting", "top_votes", "vote_agrees")),
        answers.cast(pl.Int64).alias("answers"),
        (total("right") / judged).fill_nan(None).alias("pass_rate"),
        *rate,
        (total("tokens") / total("known")).fill_nan(None).alias("tokens"),
        (pl.max_horizontal(longest) if longest else pl.lit(None, pl.Int32)).cast(pl.Int64).alias("longest"),
        *(total(name).cast(pl.Int64).alias(name) for name in ("cut", "failed", "unanswered")),
        *(pl.col(name).cast(pl.Int64) for name in ("compared", "undecided")),
        *(pl.col(f"kept_{stratum}").cast(pl.Int64).alias(f"in_{stratum}") for stratum in strata),
    )


def texts(folder: Folder, rows: pl.DataFrame) -> dict[str, str]:
    """Texts of the problems of a page (id, shard)."""
    found: dict[str, str] = {}
    for (shard,), part in rows.group_by("shard", maintain_order=True):
        path = folder.path / "problems" / "shards" / f"{shard}.parquet"
        found |= dict(folder.rows(path, TEXTS, pl.col("id").is_in(part["id"].to_list())).iter_rows())
    return found


def with_text(folder: Folder, table: pl.DataFrame, wanted: str) -> pl.DataFrame:
    """The problems of ``table`` whose text or id holds ``wanted``, letters' case aside."""
    pattern = f"(?i){re.escape(wanted)}"
    ids = table.filter(pl.col("id").str.contains(pattern))["id"].to_list()
    for path in folder.files("problems/shards/*.parquet"):
        ids += folder.rows(path, TEXTS, pl.col("problem").str.contains(pattern))["id"].to_list()
    return table.filter(pl.col("id").is_in(ids))


@dataclass(frozen=True)
class Problem:
    """One problem and what was made of it: rows of the tables that are there."""

    row: dict[str, Any]
    vote: dict[str, Any] | None
    groups: list[dict[str, Any]]
    pairs: list[dict[str, Any]]
    adjudicated: list[dict[str, Any]]
    answers: list[dict[str, Any]]  # without texts, of all efforts
    kept: dict[str, list[str]]  # strata by answer
    judged: dict[str, dict[str, Any]]


def problem(folder: Folder, number: Index, wanted: str) -> Problem:
    """All there is about one problem but its answers' texts; `Missing` where there is no such problem."""
    found = number.table.filter(pl.col("id") == wanted)
    if found.is_empty():
        raise Missing(f"there is no problem {wanted}")
    shard = f"{found['shard'][0]}.parquet"
    own = pl.col("problem_id") == wanted
    path = folder.path
    text = folder.rows(path / "problems" / "shards" / shard, schemas.PROBLEMS, pl.col("id") == wanted)
    settled = path / "groups" / "settled" / shard
    groups = settled if settled.is_file() else path / "groups" / shard
    answers: list[dict[str, Any]] = []
    judged: dict[str, dict[str, Any]] = {}
    for effort in number.efforts:
        drawn = folder.rows(path / "answers" / effort / shard, WITHOUT_TEXT, own)
        answers += drawn.sort("number").rows(named=True)
        verdicts = folder.rows(path / "judged" / effort / shard, schemas.JUDGED, own)
        judged |= {f"{effort}/{row['answer_id']}": row for row in verdicts.iter_rows(named=True)}
    kept: dict[str, list[str]] = {}
    for stratum in number.strata:
        rows = folder.rows(path / "curriculum" / stratum / shard, IDS, own)
        for effort, answer in rows.select("effort", "answer_id").iter_rows():
            kept.setdefault(f"{effort}/{answer}", []).append(stratum)
    votes = folder.rows(path / "votes" / shard, schemas.VOTES, own).rows(named=True)
    return Problem(
        found.row(0, named=True) | (text.row(0, named=True) if text.height else {"problem": None, "answer": None}),
        votes[0] if votes else None,
        folder.rows(groups, schemas.GROUPS, own).sort("class", "count", descending=[False, True]).rows(named=True),
        folder.rows(path / "groups" / "pairs" / shard, schemas.PAIRS, own).rows(named=True),
        folder.rows(path / "groups" / "adjudicated" / shard, schemas.ADJUDICATED, own).rows(named=True),
        answers,
        kept,
        judged,
    )


def reason(found: Problem, answer: str | None) -> str:
    """By what an answer of a problem has its verdict: the label is the vote's where that decides."""
    vote = found.vote or {}
    label = vote.get("label") if vote else found.row["answer"]
    if answer is None or label is None or answer == label:
        return method(answer, label, [])
    asked = {(row["left"], row["right"]): f"{row['verdict']}, by the model that judges" for row in found.adjudicated}
    by_model = asked.get((answer, label)) or asked.get((label, answer))
    return by_model or method(answer, label, found.pairs)


def method(answer: str | None, label: str | None, pairs: list[dict[str, Any]]) -> str:
    """By what an answer was compared with a label; pairs of plain numbers and equal texts have no row."""
    if answer is None:
        return "no final answer"
    if label is None:
        return "no label"
    if answer == label:
        return "the label's text"
    for row in pairs:
        if {row["left"], row["right"]} == {answer, label}:
            return f"{row['verdict']}: {row['method']}"
    numbers = plain_number(answer), plain_number(label)
    return "as numbers" if None not in numbers else "through another answer of its class"


WITHOUT_TEXT = pl.Schema([(name, kind) for name, kind in schemas.ANSWERS.items() if name != "text"])
IDS = pl.Schema([(name, schemas.CURRICULUM[name]) for name in ("answer_id", "problem_id", "effort")])
ONE_TEXT = pl.Schema({name: schemas.ANSWERS[name] for name in ("answer_id", "problem_id", "text")})


def answer_texts(folder: Folder, table: Path, ids: list[str]) -> dict[str, str | None]:
    """Texts of answers by their ids."""
    # a problem's rows lie together, so that this reads one or two row groups of a large table
    owners = list({answer.rpartition("_")[0] for answer in ids})
    chosen = pl.col("problem_id").is_in(owners) & pl.col("answer_id").is_in(ids)
    return dict(folder.rows(table, ONE_TEXT, chosen).select("answer_id", "text").iter_rows())


def parts_of(text: str | None, finish_reason: str | None) -> tuple[str, str]:
    """A reply's reasoning and its final part; what cannot be told apart is shown as the final part."""
    if text is None:
        return "", ""
    found = split_reply(text, finish_reason)
    if found.reasoning is None and found.final is None:
        return "", text
    return found.reasoning or "", found.final or ""
