"""Votes over classes of equal answers, and verdicts by joins on them.

Does not read or compare the text of any answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from reasonlite.core.schemas import SWEEP, VOTES
from reasonlite.core.tables import frame_of


def vote(
    answers: pl.DataFrame,
    groups: pl.DataFrame,
    problems: pl.DataFrame,
    *,
    min_share: float,
    min_votes: int,
    weights: dict[str, float] | None = None,
) -> pl.DataFrame:
    """The label of each problem after voting (VOTES), one row a problem, in the order of ids.

    ``answers`` are the voters (problem_id, effort, answer). The top class becomes the label when
    its share of the votes is at least ``min_share`` and it has at least ``min_votes`` answers
    (ReasonLite: 0.9 and 4); a tie has no winner. Otherwise the data set's label is kept.
    ``weights`` says what a vote of an effort counts in ranking and share; 1 where it is silent.
    """
    weight = pl.col("effort").replace_strict(weights or {}, default=1.0, return_dtype=pl.Float64)
    drawn = answers.group_by("problem_id").agg(pl.len().alias("drawn"))
    tally = (
        answers.filter(pl.col("answer").is_not_null())
        .join(groups.select("problem_id", "answer", "class"), on=["problem_id", "answer"])
        .group_by("problem_id", "class", "answer")
        .agg(pl.len().alias("votes"), weight.sum().alias("weight"))
        .sort("problem_id", "class", "votes", "answer", descending=[False, False, True, False])
        .group_by("problem_id", "class", maintain_order=True)
        # the most frequent spelling stands for its class; ties by text
        .agg(pl.col("votes").sum(), pl.col("weight").sum(), pl.col("answer").first())
        .sort("problem_id", "weight", "class", descending=[False, True, False])
        .group_by("problem_id", maintain_order=True)
        .agg(
            pl.col("votes").sum().alias("voting"),
            (pl.col("weight").first() / pl.col("weight").sum()).alias("share"),
            pl.col("votes").first().alias("top_votes"),
            ((pl.len() == 1) | (pl.col("weight").first() > pl.col("weight").get(1, null_on_oob=True))).alias("clear"),
            pl.col("class").first().alias("top_class"),
            pl.col("answer").first().alias("top_answer"),
        )
    )
    labels = groups.filter("is_label").select("problem_id", pl.col("class").alias("dataset_class"))
    table = (
        problems.select(pl.col("id").alias("problem_id"), pl.col("answer").alias("dataset_answer"))
        .join(drawn, on="problem_id", how="left")
        .join(tally, on="problem_id", how="left")
        .join(labels, on="problem_id", how="left")
        .with_columns(pl.col("drawn", "voting", "top_votes").fill_null(0), pl.col("share").fill_null(0.0))
        .with_columns(pl.when(pl.col("clear")).then(pl.col("top_class", "top_answer")))
    )
    wins = pl.col("clear").fill_null(False) & (pl.col("share") >= min_share) & (pl.col("top_votes") >= min_votes)
    kept = pl.col("dataset_answer").is_not_null()
    return (
        table.with_columns(
            pl.when(wins).then("top_answer").otherwise("dataset_answer").alias("label"),
            pl.when(wins).then("top_class").otherwise("dataset_class").alias("label_class"),
            pl.when(wins)
            .then(pl.lit("vote"))
            .when(kept)
            .then(pl.lit("dataset"))
            .otherwise(pl.lit("none"))
            .alias("label_source"),
        )
        .sort("problem_id")
        .select(pl.col(name).cast(kind) for name, kind in VOTES.items())
    )


def sweep(tables: Iterable[pl.DataFrame], shares: Sequence[float], counts: Sequence[int]) -> pl.DataFrame:
    """What the vote would do at other thresholds (SWEEP), one row for each pair of them.

    ``tables``: VOTES, one after the other. ``by_vote``: problems that the vote would label; ``replaced``: of
    those, with another label in the data set; ``added``: without any; ``agreement``: share of the problems
    with a label and a top answer by these thresholds where the two are in one class.
    """
    limits = [(share, count) for share in shares for count in counts]
    found = np.zeros((len(limits), 4), dtype=np.int64)  # problems, won, with a label, of these in one class
    for votes in tables:
        for number, (share, count) in enumerate(limits):
            wins = pl.col("top_class").is_not_null() & (pl.col("share") >= share) & (pl.col("top_votes") >= count)
            won = votes.filter(wins)
            labelled = won.filter(pl.col("dataset_class").is_not_null())
            agree = labelled.filter(pl.col("top_class") == pl.col("dataset_class"))
            found[number] += (votes.height, won.height, labelled.height, agree.height)
    rows = [
        (*limit, problems, won, labelled - agree, won - labelled, agree / labelled if labelled else None)
        for limit, (problems, won, labelled, agree) in zip(limits, found.tolist(), strict=True)
    ]
    return frame_of(rows, SWEEP)
