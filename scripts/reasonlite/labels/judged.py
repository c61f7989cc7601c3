"""Each answer's verdict, by joins on classes and votes.

Does not compare answers: that was done once, when they were sorted into classes.
"""

from __future__ import annotations

import polars as pl

from reasonlite.core.schemas import JUDGED, VOTES
from reasonlite.core.tables import frame_of


def judge(
    answers: pl.DataFrame, groups: pl.DataFrame, problems: pl.DataFrame, votes: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Each answer's verdict against the data set's label and against the label after voting (JUDGED).

    An answer is right when it equals the data set's label, or is in the class that won the vote;
    without a final answer it is wrong; without a label, or without ``votes``, the verdict is null.
    """
    if votes is None:
        votes = frame_of([], VOTES)
    labels = groups.filter("is_label").select("problem_id", pl.lit(True).alias("labelled"))
    classes = groups.select("problem_id", "answer", "class", "equals_label", "by_rounding")
    placed = (
        answers.join(classes, on=["problem_id", "answer"], how="left")
        .join(labels, on="problem_id", how="left")
        .join(
            votes.select("problem_id", "dataset_class", "label_class", "share", "label_source"),
            on="problem_id",
            how="left",
        )
        .join(problems.select(pl.col("id").alias("problem_id"), "source"), on="problem_id", how="left")
    )
    by_vote = pl.col("class").eq_missing(pl.col("label_class")) & pl.col("answer").is_not_null()
    return (
        placed.with_columns(
            pl.when("labelled").then(pl.col("equals_label").fill_null(False)).alias("correct"),
            pl.when("labelled").then(pl.col("by_rounding").fill_null(False)).alias("by_rounding"),
        )
        .with_columns(
            pl.when(pl.col("label_class") == pl.col("dataset_class"))
            .then("correct")
            .when(pl.col("label_class").is_not_null())
            .then(by_vote)
            .alias("correct_vote")
        )
        .with_columns(pl.coalesce("correct_vote", "correct").mean().over("problem_id", "effort").alias("pass_rate"))
        .sort("problem_id", "effort", "number")
        .select(JUDGED.names())
    )
