"""Problems as prompts for training on the student's own answers."""

from __future__ import annotations

from typing import Any

import polars as pl

from reasonlite.answers.prompts import messages_for
from reasonlite.config.stages import DistillStage, GrpoStage
from reasonlite.core.errors import UserError
from reasonlite.core.logs import get_logger
from reasonlite.core.schemas import PROBLEMS
from reasonlite.core.tables import read_tables
from reasonlite.training import common

log = get_logger(__name__)


def prompts_of(job: common.Job, stage: DistillStage | GrpoStage) -> Any:
    """Problems of the stage's sources as prompts, with their labels; GRPO needs a label."""
    from datasets import Dataset

    problems = read_tables(job.data, PROBLEMS).filter(pl.col("source").is_in(stage.data)).sort("id")
    if isinstance(stage, GrpoStage):
        problems = problems.filter(pl.col("answer").is_not_null())
    if problems.is_empty():
        raise UserError(
            f"there are no problems of {', '.join(stage.data)}" + (" with a label" if stage.method == "grpo" else ""),
            where=f"stage {stage.name}",
            todo="look at problems/dropped.parquet, or name another source in data",
        )
    log.info("%d problems of %s", problems.height, ", ".join(stage.data))
    rows = [
        {"prompt": messages_for(row["problem"], stage.prompt), "answer": row["answer"] or "", "id": row["id"]}
        for row in problems.iter_rows(named=True)
    ]
    return Dataset.from_list(rows)
