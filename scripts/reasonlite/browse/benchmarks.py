"""Evaluated models by benchmark: who solves which problem how often, and one problem's answers side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite.browse.folder import Folder, Missing
from reasonlite.browse.problems import TEXTS, WITHOUT_TEXT, answer_texts, method
from reasonlite.core import schemas

PARTS = 8  # of the answers by length, each with as many answers
# what readers look for, by the name in an address
ONLY = {
    "cut": "with answers that were cut off",
    "unanswered": "with answers that have no final answer",
    "failed": "with failed requests",
    "undecided": "with a pair that the rules could not decide",
    "apart": "on which models part",
}
COUNTS = ("answers", "problems")
RATE = "rate of "  # before a model's name: a column of pass rates


def evaluated(folder: Folder) -> dict[str, list[str]]:
    """Models by benchmark: benchmarks by name, models as the results table has them and then by name."""
    results = folder.results()
    order = results["model"].unique(maintain_order=True).to_list() if results is not None else []
    found: dict[str, list[str]] = {}
    for path in folder.files("evaluation/*/*/judged.parquet"):
        found.setdefault(path.parent.name, []).append(path.parents[1].name)
    for models in found.values():
        models.sort(key=lambda model: (order.index(model) if model in order else len(order), model))
    return {name: found[name] for name in sorted(found)}


def place(folder: Folder, model: str, benchmark: str) -> Path:
    return folder.path / "evaluation" / model / benchmark


@dataclass(frozen=True)
class Map:
    """``table``: problem_id, a column of pass rates for each model (RATE and its name), and the counts of ONLY."""

    models: list[str]
    table: pl.DataFrame
    totals: dict[str, dict[str, int | None]]  # by model: counts of ONLY, answers; None where nobody counted


def pass_rates(folder: Folder, benchmark: str) -> Map:
    """The share of right answers for each problem and model."""
    models = evaluated(folder).get(benchmark)
    if not models:
        raise Missing(f"there are no verdicts on {benchmark}")
    table: pl.DataFrame | None = None
    totals: dict[str, dict[str, int | None]] = {}
    counted = ["cut", "unanswered", "failed", "undecided"]
    for model in models:
        where = place(folder, model, benchmark)
        judged = folder.remembered(where / "judged.parquet", "map", _rates)
        if judged is None:
            continue
        undecided = folder.remembered(where / "pairs.parquet", "undecided", _undecided)
        if undecided is not None:
            judged = judged.join(undecided, on="problem_id", how="left", maintain_order="left")
        else:
            judged = judged.with_columns(undecided=pl.lit(None, pl.UInt32))
        totals[model] = {
            name: int(judged[name].sum()) if judged[name].count() else None for name in [*counted, *COUNTS]
        }
        counts = [pl.col(name).alias(f"{name} {model}") for name in counted]
        rows = judged.select("problem_id", pl.col("rate").alias(f"{RATE}{model}"), *counts)
        table = rows if table is None else table.join(rows, on="problem_id", how="full", coalesce=True)
    if table is None:
        raise Missing(f"no verdicts on {benchmark} can be read")
    shown = [model for model in models if model in totals]
    sums = [pl.sum_horizontal(pl.col(f"{name} {model}") for model in shown).alias(name) for name in counted]
    rates = [pl.col(f"{RATE}{model}") for model in shown]
    spread = (pl.max_horizontal(rates) - pl.min_horizontal(rates)).alias("apart")
    means = pl.mean_horizontal(rates).alias("mean")
    return Map(shown, table.select("problem_id", *rates, *sums, spread, means).sort("problem_id"), totals)


def _rates(path: Path) -> pl.DataFrame:
    answers = {
        "rate": pl.col("correct").mean(),
        "cut": (pl.col("status") == "cut").sum(),
        "failed": (pl.col("status") == "failed").sum(),
        "unanswered": pl.col("answer").is_null().sum(),
        "answers": pl.len(),
    }
    grouped = pl.scan_parquet(path).group_by("problem_id", maintain_order=True).agg(**answers)
    return grouped.with_columns(problems=pl.lit(1)).collect()


def _undecided(path: Path) -> pl.DataFrame:
    undecided = (pl.col("verdict") == "undecided").sum().alias("undecided")
    return pl.scan_parquet(path).group_by("problem_id").agg(undecided).collect()


def by_length(folder: Folder, benchmark: str, models: Iterable[str]) -> dict[str, list[tuple[float, float]]]:
    """Accuracy in per cent by generated tokens for each model: PARTS parts of as many answers, each at its median."""
    found = {}
    for model in models:
        points = folder.remembered(place(folder, model, benchmark) / "judged.parquet", "lengths", _lengths)
        if points:
            found[model] = points
    return found


def _lengths(path: Path) -> list[tuple[float, float]]:
    rows = pl.read_parquet(path, columns=["tokens", "correct"]).drop_nulls().sort("tokens")
    points = []
    for part in range(PARTS):
        piece = rows.slice(part * rows.height // PARTS, (part + 1) * rows.height // PARTS - part * rows.height // PARTS)
        if piece.height:
            points.append((float(piece["tokens"].median()), 100 * float(piece["correct"].mean())))  # type: ignore[arg-type]
    return points


def texts(folder: Folder, benchmark: str, ids: list[str]) -> dict[str, str]:
    """Texts of a benchmark's problems."""
    path = folder.path / "problems" / "sources" / f"{benchmark}.parquet"
    return dict(folder.rows(path, TEXTS, pl.col("id").is_in(ids)).iter_rows())


@dataclass(frozen=True)
class Question:
    """A benchmark's problem and the answers of each model: rows of JUDGED with text, seed, method and more."""

    problem: dict[str, Any]
    answers: dict[str, list[dict[str, Any]]]


def question(folder: Folder, benchmark: str, wanted: str, models: list[str], most: int, first: int = 0) -> Question:
    """A problem with at most ``most`` answers of each model, from the one numbered ``first`` on."""
    path = folder.path / "problems" / "sources" / f"{benchmark}.parquet"
    rows = folder.rows(path, schemas.PROBLEMS, pl.col("id") == wanted)
    if rows.is_empty():
        raise Missing(f"{benchmark} has no problem {wanted}")
    own = rows.row(0, named=True)
    answers = {}
    for model in models:
        where = place(folder, model, benchmark)
        chosen = pl.col("problem_id") == wanted
        judged = folder.rows(where / "judged.parquet", schemas.JUDGED, chosen).sort("number").slice(first, most)
        drawn = folder.rows(where / "answers.parquet", WITHOUT_TEXT, chosen)
        drawn = drawn.select("answer_id", "seed", "prompt_tokens", "error")
        pairs = folder.rows(where / "pairs.parquet", schemas.PAIRS, chosen).rows(named=True)
        ids = judged["answer_id"].to_list()
        found = answer_texts(folder, where / "answers.parquet", ids)
        graded = _graded(folder, where, chosen)
        programs = folder.rows(where / "executions.parquet", schemas.EXECUTIONS, pl.col("answer_id").is_in(ids))
        ran = {row["answer_id"]: f"{row['status']}: {row['detail']}" for row in programs.iter_rows(named=True)}
        answers[model] = [
            row
            | {"text": found.get(row["answer_id"]), "graded": graded.get(row["answer_id"], {})}
            | {"method": ran.get(row["answer_id"]) or method(row["answer"], own["answer"], pairs)}
            for row in judged.join(drawn, on="answer_id", how="left", maintain_order="left").iter_rows(named=True)
        ]
    return Question(own, answers)


def _graded(folder: Folder, where: Path, chosen: pl.Expr) -> dict[str, dict[str, bool]]:
    """Verdicts of other graders by answer."""
    names = ["equality", "math_verify", "llm", "own"]
    rows = folder.rows(where / "graded.parquet", schemas.GRADED, chosen)
    return {
        row["answer_id"]: {name: row[name] for name in names if row[name] is not None}
        for row in rows.iter_rows(named=True)
    }
