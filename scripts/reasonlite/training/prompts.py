"""Problems as prompts for training on the student's own answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from reasonlite.answers.prompts import messages_for
from reasonlite.config.stages import DistillStage, GrpoStage
from reasonlite.core.conditions import parse_filter, parse_weight
from reasonlite.core.errors import UserError
from reasonlite.core.logs import get_logger
from reasonlite.core.schemas import DIFFICULTY, PROBLEMS
from reasonlite.core.seeding import shuffle_key
from reasonlite.core.tables import read_tables
from reasonlite.training import common

log = get_logger(__name__)
DIFFICULTIES = "difficulty"  # folder of the tables that say how hard problems were, difficulty/<asked>/<shard>.parquet


def prompts_of(job: common.Job, stage: DistillStage | GrpoStage) -> Any:
    """Problems of the stage's sources as prompts with their labels, as often as its weight says."""
    from datasets import Dataset

    where, rated = f"stage {stage.name}", [path for path in job.data if path.parent.parent.name == DIFFICULTIES]
    shards = [path for path in job.data if path not in set(rated)]
    problems = read_tables(shards, PROBLEMS).filter(pl.col("source").is_in(stage.data)).sort("id")
    if isinstance(stage, GrpoStage):
        problems = problems.filter(pl.col("answer").is_not_null())
    if problems.is_empty():
        raise UserError(
            f"there are no problems of {', '.join(stage.data)}" + (" with a label" if stage.method == "grpo" else ""),
            where=where,
            todo="look at problems/dropped.parquet, or name another source in data",
        )
    log.info("%d problems of %s", problems.height, ", ".join(stage.data))
    if stage.rated:
        problems = chosen(problems, read_tables(rated, DIFFICULTY), stage, job.seed)
    rows = [
        {"prompt": messages_for(row["problem"], stage.prompt), "answer": row["answer"] or "", "id": row["id"]}
        for row in problems.iter_rows(named=True)
    ]
    return Dataset.from_list(rows)


def chosen(problems: pl.DataFrame, rated: pl.DataFrame, stage: DistillStage | GrpoStage, seed: int) -> pl.DataFrame:
    """The problems that pass the stage's filter, each as often as its weight says.

    Weights are scaled to a mean of 1, so an epoch is as long as there are problems; of a fraction, the seed draws
    which problems are seen once more. A weight that is null counts as 0.
    """
    where = f"stages.{stage.name}"
    known = problems.with_columns(pl.col("id").alias("problem_id")).join(
        rated.drop("source"), on="problem_id", how="left", maintain_order="left"
    )
    if stage.filter is not None:
        known = known.filter(parse_filter(stage.filter, f"{where}.filter", DIFFICULTY).fill_null(False))
        if known.is_empty():
            todo = f"look at difficulty/{stage.verdicts}/ for the values, and loosen the filter"
            raise UserError(f"no problem passes {stage.filter!r}", where=f"{where}.filter", todo=todo)
        log.info("%d of %d problems pass %s", known.height, problems.height, stage.filter)
    if stage.weight is None:
        return known.select(problems.columns)
    weights = known.select(parse_weight(stage.weight, f"{where}.weight", DIFFICULTY).fill_null(0).alias("w"))["w"]
    if not weights.is_finite().all() or (weights < 0).any() or not weights.sum():
        worst = next((value for value in weights if not value >= 0 or value == float("inf")), 0.0)
        raise UserError(
            f"{stage.weight!r} gives {worst:g}" if weights.sum() else f"{stage.weight!r} gives 0 for every problem",
            where=f"{where}.weight",
            todo="give an expression that is finite, not below 0, and above 0 for some problem",
        )
    scaled = weights.to_numpy() / weights.to_numpy().mean()
    times = np.floor(scaled).astype(int)
    draws = np.array([shuffle_key(seed, f"weight:{name}") / 2**64 for name in known["id"]])
    times += draws < scaled - times
    repeated = np.repeat(np.arange(known.height), times)
    log.info("%d problems by weight, %d prompts an epoch", int((times > 0).sum()), len(repeated))
    return known[repeated].select(problems.columns)
