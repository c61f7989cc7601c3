"""What reinforcement learning met: its rollouts counted by stage and phase of the training.

Does not know how rewards are made.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from reasonlite.core.schemas import ROLLOUTS, ROLLOUTS_BY_PHASE
from reasonlite.core.tables import scan_table

PHASES = 10
COLUMNS = ["step", "problem_id", "number", "tokens", "truncated", "verdict", "correct", "reward"]


def by_phase(tables: dict[str, Path]) -> pl.DataFrame:
    """ROLLOUTS_BY_PHASE of stages' tables of rollouts; shares are of the answers and groups that were kept."""
    found = [_of_stage(stage, path) for stage, path in tables.items()]
    return pl.concat([pl.DataFrame(schema=ROLLOUTS_BY_PHASE), *found])


def _of_stage(stage: str, path: Path) -> pl.DataFrame:
    rows = scan_table(path, ROLLOUTS).select(COLUMNS)
    # a group begins with its answer 0; one problem may be drawn twice in a step
    rows = rows.with_columns(group=(pl.col("number") == 0).cum_sum())
    phase = ((pl.col("step") - 1) * PHASES // pl.max("step")).alias("phase")
    right, undecided = pl.col("correct") == 1, pl.col("verdict").eq("undecided").fill_null(False)
    groups = (
        rows.with_columns(phase)
        .group_by("phase", "group")
        .agg(
            pl.min("step").alias("first"),
            pl.max("step").alias("last"),
            pl.len().alias("answers"),
            pl.sum("reward"),
            pl.sum("tokens"),
            right.sum().alias("correct"),
            undecided.sum().alias("undecided"),
            pl.col("verdict").is_null().sum().alias("no_answer"),
            pl.sum("truncated"),
            right.all().alias("all_right"),
            (~right).all().alias("all_wrong"),
            (pl.max("reward") == pl.min("reward")).alias("no_signal"),
        )
    )
    answers, per_cent = pl.sum("answers"), [pl.mean(name) * 100 for name in ("all_right", "all_wrong", "no_signal")]
    shares = [pl.sum(name) * 100 / answers for name in ("correct", "undecided", "no_answer", "truncated")]
    counted = (
        groups.group_by("phase")
        .agg(
            pl.min("first"),
            pl.max("last"),
            pl.len().alias("groups"),
            answers,
            pl.sum("reward") / answers,
            *shares,
            *per_cent,
            pl.sum("tokens") / answers,
        )
        .sort("phase")
        .with_columns(pl.lit(stage).alias("stage"))
    )
    return counted.collect().select(ROLLOUTS_BY_PHASE.names()).cast(dict(ROLLOUTS_BY_PHASE.items()))
