"""Groups of equal answers, votes over them, and verdicts by joins on them.

Each problem's distinct final answers and its label are sorted into classes once; everything
after is a join on (problem, answer). Does not read any text of an answer.
"""

from __future__ import annotations

import polars as pl

from reasonlite.equivalence import compare
from reasonlite.tables import GROUPS, JUDGED, PAIRS, VOTES, frame_of


def group(answers: pl.DataFrame, problems: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sort each problem's distinct answers and label into classes of equal answers.

    ``answers``: problem_id, answer. ``problems``: id, answer. Returns (GROUPS, PAIRS): the
    distinct answers with their class, and every pair that was compared with its verdict.
    An answer is compared with the first of each class; undecided counts as not equal here,
    and stands in PAIRS.
    """
    counts = (
        answers.filter(pl.col("answer").is_not_null())
        .group_by("problem_id", "answer")
        .agg(pl.len().alias("count"))
        .sort("problem_id", pl.col("count"), "answer", descending=[False, True, False])
    )
    by_problem = {
        key[0]: list(zip(part["answer"], part["count"], strict=True))
        for key, part in counts.group_by("problem_id", maintain_order=True)
    }
    groups: list[dict] = []
    pairs: list[dict] = []
    for problem in problems.sort("id").iter_rows(named=True):
        rows, compared = _classes(problem["id"], problem["answer"], by_problem.get(problem["id"], []))
        groups.extend(rows)
        pairs.extend(compared)
    return frame_of(groups, GROUPS), frame_of(pairs, PAIRS)


def _classes(problem_id: str, label: str | None, counted: list[tuple[str, int]]) -> tuple[list[dict], list[dict]]:
    """The classes of one problem: the label's first, then by falling count."""
    counts = dict(counted)
    order = ([label] if label is not None else []) + [answer for answer, _ in counted if answer != label]
    representatives: list[str] = []
    rows, pairs = [], []
    for answer in order:
        number = len(representatives)
        for candidate, representative in enumerate(representatives):
            verdict = compare(representative, answer)
            pairs.append(
                {
                    "problem_id": problem_id,
                    "left": representative,
                    "right": answer,
                    "verdict": verdict.verdict,
                    "method": verdict.method,
                }
            )
            if verdict.verdict == "equal":
                number = candidate
                break
        else:
            representatives.append(answer)
        rows.append(
            {
                "problem_id": problem_id,
                "answer": answer,
                "class": number,
                "is_label": answer == label,
                "count": counts.get(answer, 0),
            }
        )
    return rows, pairs


def vote(
    answers: pl.DataFrame, groups: pl.DataFrame, problems: pl.DataFrame, *, min_share: float, min_votes: int
) -> pl.DataFrame:
    """The label of each problem after voting (VOTES), one row a problem, in the order of ids.

    ``answers`` are the voters (problem_id, answer). The top class becomes the label when its
    share of the votes is at least ``min_share`` and it has at least ``min_votes`` (ReasonLite:
    0.9 and 4); a tie has no winner. Otherwise the data set's label is kept.
    """
    drawn = answers.group_by("problem_id").agg(pl.len().alias("drawn"))
    voted = answers.filter(pl.col("answer").is_not_null()).join(
        groups.select("problem_id", "answer", "class"), on=["problem_id", "answer"], how="left"
    )
    tally = voted.group_by("problem_id", "class").agg(
        pl.len().alias("votes"),
        # the most frequent spelling stands for its class; ties by text
        pl.col("answer").value_counts().alias("spellings"),
    )
    classes = dict(tally.group_by("problem_id").agg(pl.struct("class", "votes", "spellings")).iter_rows())
    drawn_of = dict(drawn.iter_rows())
    label_class = {row["problem_id"]: row["class"] for row in groups.filter("is_label").iter_rows(named=True)}
    rows = [
        _vote_row(
            problem,
            classes.get(problem["id"], []),
            drawn_of.get(problem["id"], 0),
            label_class.get(problem["id"]),
            min_share,
            min_votes,
        )
        for problem in problems.sort("id").iter_rows(named=True)
    ]
    return frame_of(rows, VOTES)


def _vote_row(
    problem: dict, classes: list[dict], drawn: int, dataset_class: int | None, min_share: float, min_votes: int
) -> dict:
    voting = sum(entry["votes"] for entry in classes)
    best = max((entry["votes"] for entry in classes), default=0)
    leaders = [entry for entry in classes if entry["votes"] == best]
    top = leaders[0] if len(leaders) == 1 else None
    spelling = min(top["spellings"], key=lambda item: (-item["count"], item["answer"]))["answer"] if top else None
    share = best / voting if voting else 0.0
    if top and share >= min_share and best >= min_votes:
        label, chosen, source = spelling, top["class"], "vote"
    elif problem["answer"] is not None:
        label, chosen, source = problem["answer"], dataset_class, "dataset"
    else:
        label, chosen, source = None, None, "none"
    return {
        "problem_id": problem["id"],
        "drawn": drawn,
        "voting": voting,
        "top_answer": spelling,
        "top_class": top["class"] if top else None,
        "top_votes": best,
        "share": share,
        "dataset_answer": problem["answer"],
        "dataset_class": dataset_class,
        "label": label,
        "label_class": chosen,
        "label_source": source,
    }


def judge(
    answers: pl.DataFrame, groups: pl.DataFrame, problems: pl.DataFrame, votes: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Each answer's verdict against the data set's label and against the label after voting (JUDGED).

    An answer is right when it is in the label's class; without a final answer it is wrong;
    without a label, or without ``votes``, the verdict is null.
    """
    if votes is None:
        votes = frame_of([], VOTES)
    labels = groups.filter("is_label").select("problem_id", pl.col("class").alias("dataset_class"))
    placed = (
        answers.join(groups.select("problem_id", "answer", "class"), on=["problem_id", "answer"], how="left")
        .join(labels, on="problem_id", how="left")
        .join(votes.select("problem_id", "label_class", "share", "label_source"), on="problem_id", how="left")
        .join(problems.select(pl.col("id").alias("problem_id"), "source"), on="problem_id", how="left")
    )
    return (
        placed.with_columns(
            _right_by("dataset_class").alias("correct"),
            _right_by("label_class").alias("correct_vote"),
        )
        .with_columns(pl.coalesce("correct_vote", "correct").mean().over("problem_id", "effort").alias("pass_rate"))
        .sort("problem_id", "effort", "number")
        .select(JUDGED.names())
    )


def _right_by(label: str) -> pl.Expr:
    return pl.when(pl.col(label).is_not_null()).then(pl.col("class").eq_missing(pl.col(label)))
