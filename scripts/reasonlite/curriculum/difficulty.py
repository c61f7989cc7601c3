"""How hard problems were for those who answered them, so that stages can choose among them.

Does not know who was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from reasonlite.core.schemas import DIFFICULTY, JUDGED
from reasonlite.core.tables import read_tables


def rate(judged: Sequence[Path], votes: pl.DataFrame, problems: pl.DataFrame) -> pl.DataFrame:
    """DIFFICULTY of a shard's problems, sorted by id. ``judged``: all tables of one asked; ``votes``: VOTES."""
    rows = read_tables(list(judged), JUDGED, ["problem_id", "tokens", "correct", "correct_vote"])
    right = pl.coalesce("correct_vote", "correct")
    counted = rows.group_by("problem_id").agg(
        pl.len().alias("answers"), right.mean().alias("pass_rate"), pl.mean("tokens")
    )
    return (
        problems.select(pl.col("id").alias("problem_id"), "source")
        .join(counted, on="problem_id", how="left")
        .join(votes.select("problem_id", "voting", "share", "label_source"), on="problem_id", how="left")
        .with_columns(pl.col("answers").fill_null(0))
        .sort("problem_id")
        .select(DIFFICULTY.names())
        .cast(dict(DIFFICULTY.items()))
    )


def labelled(problems: pl.DataFrame, votes: pl.DataFrame) -> pl.DataFrame:
    """Problems (id, answer) with the label after voting where there is one."""
    known = problems.join(votes.select(pl.col("problem_id").alias("id"), "label"), on="id", how="left")
    return known.with_columns(pl.coalesce("label", "answer").alias("answer")).drop("label")
