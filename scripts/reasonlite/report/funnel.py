"""How many problems and answers are left after each step, as one small table.

Does not know how any step decides.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl

from reasonlite.core.schemas import DROPPED, FUNNEL, JUDGED, PROBLEMS, VOTES
from reasonlite.core.tables import read_table, read_tables

STEPS = pl.Schema({"part": pl.String, "step": pl.String, "count": pl.Int64, "tokens": pl.Int64})


def funnel(
    shards: list[Path], dropped: Path, votes: list[Path], judged: list[Path], strata: list[Path]
) -> pl.DataFrame:
    """STEPS: problems, then labels, then answers by effort, then examples by stratum. Tokens where known."""
    rows: list[tuple[str, str, int, int | None]] = []
    kept = sum(read_table(path, PROBLEMS, ["id"]).height for path in shards)
    reasons = read_table(dropped, DROPPED, ["reason"])["reason"].value_counts().sort("reason")
    rows.append(("problems", "read", kept + int(reasons["count"].sum() or 0), None))
    rows += [("problems", f"dropped: {reason}", count, None) for reason, count in reasons.iter_rows()]
    rows.append(("problems", "kept", kept, None))
    labels = Counter(source for path in votes for source in read_table(path, VOTES, ["label_source"])["label_source"])
    rows += [("labels", f"from {source}", count, None) for source, count in sorted(labels.items())]
    rows += _answers(judged)
    counts = read_tables(strata, FUNNEL).group_by("stratum", "step", maintain_order=True).sum()
    rows += [
        (f"examples: {row['stratum']}", row["step"], row["answers"], row["tokens"])
        for row in counts.iter_rows(named=True)
    ]
    rows += [("examples: all", "distinct", *_total(rows, "examples: ", "distinct"))]
    return pl.DataFrame(rows, schema=STEPS, orient="row")


def beside_published(steps: pl.DataFrame, published: pl.DataFrame) -> pl.DataFrame:
    """The steps with a column of published counts, null where nothing was published (part, step, published)."""
    return steps.join(published, on=["part", "step"], how="left", maintain_order="left")


def _total(rows: list[tuple[str, str, int, int | None]], part: str, step: str) -> tuple[int, int]:
    found = [row for row in rows if row[0].startswith(part) and row[1] == step]
    return sum(row[2] for row in found), sum(row[3] or 0 for row in found)


ANSWER_COLUMNS = ("answer", "correct", "by_rounding", "correct_vote")
ANSWER_STEPS = {
    "drawn": pl.lit(True),
    "complete": pl.col("status") == "complete",
    "with a final answer": pl.col("answer").is_not_null(),
    "right by the data set's label": pl.col("correct").fill_null(False),
    "right by that label's rounding": pl.col("by_rounding").fill_null(False),
    "right by the label after voting": pl.col("correct_vote").fill_null(False),
}


def _answers(judged: list[Path]) -> list[tuple[str, str, int, int | None]]:
    """Counts by effort, a table at a time: all of them together may be more than memory holds."""
    counted: dict[str, dict[str, list[int]]] = {}
    for path in judged:
        table = read_table(path, JUDGED, ["effort", "status", *ANSWER_COLUMNS, "tokens"])
        for (effort,), part in table.group_by("effort", maintain_order=True):
            counts = counted.setdefault(str(effort), {step: [0, 0] for step in ANSWER_STEPS})
            for step, condition in ANSWER_STEPS.items():
                left = part.filter(condition)
                counts[step][0] += left.height
                counts[step][1] += int(left["tokens"].sum() or 0)
    rows: list[tuple[str, str, int, int | None]] = [
        (f"answers: {effort}", step, answers, tokens)
        for effort, counts in counted.items()
        for step, (answers, tokens) in counts.items()
    ]
    return [*rows, ("answers: all", "drawn", *_total(rows, "answers: ", "drawn"))]
