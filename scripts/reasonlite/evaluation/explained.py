"""What a difference between two scores is made of: answers, extraction, verdicts, cuts, draws, problems.

Each part is a mean over problems of what one step changes, so that the parts add up to the whole. Does not know logs.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from reasonlite.core.schemas import EXPLAINED
from reasonlite.core.tables import frame_of
from reasonlite.evaluation.metrics import bootstrap


class _Rows:
    """Rows of EXPLAINED for one pair of scores on one benchmark."""

    def __init__(self, benchmark: str, left: str, right: str, resamples: int, seed: int) -> None:
        self._key = (benchmark, left, right)
        self._resamples, self._seed = resamples, seed
        self.rows: list[tuple] = []

    def add(self, part: str, per_problem: np.ndarray, count: int) -> None:
        """A part from each problem's change, as a share."""
        interval = bootstrap(100 * per_problem, resamples=self._resamples, seed=self._seed)
        self.rows.append((*self._key, part, *vars(interval).values(), count))

    def state(self, part: str, value: float, count: int) -> None:
        """A part that is a difference of two numbers and has no interval."""
        self.rows.append((*self._key, part, value, None, None, count))


def _mean(frame: pl.DataFrame, column: str | pl.Expr) -> np.ndarray:
    """A column's mean in each problem, in the order of problems."""
    value = pl.col(column) if isinstance(column, str) else column
    grouped = frame.group_by("problem_id").agg(value.cast(pl.Float64).mean().alias("mean"))
    return grouped.sort("problem_id")["mean"].to_numpy()


def of_graders(
    benchmark: str, model: str, graded: pl.DataFrame, claim: float | None, *, resamples: int, seed: int
) -> list[tuple]:
    """From the score that others gave these answers (their claim, else their own verdicts) to ours.

    score: the claim is not the mean of their verdicts; no reply, cut, malformed: the rules take no answer from these;
    extraction: the rules on the answer that they found, against the rules on ours; verdict: they and the rules on the
    answer that they found. Where their log does not say which answer they found, extraction and verdict are one part;
    where it has no verdicts, score and verdict are. Nothing is said where it has neither. What has no reply and no
    verdict counts as wrong.
    """
    theirs = f"{model}: {'own' if claim is None else 'published'}"
    rows = _Rows(benchmark, theirs, f"{model}: rules", resamples, seed)
    failed, found = pl.col("status") == "failed", pl.col("extracted_rules").is_not_null()
    told = graded.select((pl.col("score").is_not_null() | failed).all() & pl.col("score").is_not_null().any()).item()
    if told:
        own = pl.col("score").fill_null(0.0)
    elif claim is not None and graded.select(found.any()).item():
        # their verdicts are not there, so the rules stand for them; where they found no answer, it was wrong
        graded = graded.with_columns(pl.col("extracted_rules").fill_null(value=False))
        own = pl.col("extracted_rules").cast(pl.Float64)
    else:
        return rows.rows
    ours, change = _mean(graded, "rules"), pl.col("rules").cast(pl.Float64) - own
    if claim is None:
        rows.add("whole", ours - _mean(graded, own), graded.filter(change != 0).height)
    else:
        rows.state("whole", 100 * float(ours.mean()) - claim, graded.filter(change != 0).height)
        rows.state("score" if told else "score and verdict", 100 * float(_mean(graded, own).mean()) - claim, 0)
    read = pl.col("status") == "complete"
    verdict = pl.col("extracted_rules").cast(pl.Float64) - own
    extraction = pl.col("rules").cast(pl.Float64) - pl.col("extracted_rules").cast(pl.Float64)
    for part, where, step in (
        ("no reply", failed, change),
        ("cut", pl.col("status") == "cut", change),
        ("malformed", pl.col("status") == "malformed", change),
        ("extraction", read & found, extraction),
        ("verdict", read & found, verdict),
        ("extraction or verdict", read & ~found, change),
    ):
        if graded.filter(where).height and (told or part != "verdict"):
            count = graded.filter(where & (step != 0)).height
            rows.add(part, _mean(graded, pl.when(where).then(step).otherwise(0)), count)
    return rows.rows


def of_runs(
    benchmark: str, names: tuple[str, str], graded: tuple[pl.DataFrame, pl.DataFrame], *, resamples: int, seed: int
) -> list[tuple]:
    """From one run's score to another's, both by the rules.

    problems: those that only one side has; draws: those that only one side has of the problems that both have; no
    reply: draws to which only one side has a reply; cut: draws where one side's reply is whole and the other's is not;
    answers: all other draws in which the verdicts differ.
    """
    rows = _Rows(benchmark, *names, resamples, seed)
    left, right = graded
    shared = set(left["problem_id"]) & set(right["problem_id"])
    if not shared:
        return []
    both = [frame.filter(pl.col("problem_id").is_in(shared)) for frame in graded]
    alone = [frame["problem_id"].n_unique() - len(shared) for frame in graded]
    draws = min(frame["number"].n_unique() for frame in both)
    whole = [float(_mean(frame, "rules").mean()) for frame in (*graded, *both)]
    means = [_mean(frame, "rules") for frame in both]
    if any(alone):  # over other problems there is no pairing
        rows.state("whole", 100 * (whole[1] - whole[0]), sum(alone))
        rows.state("problems", 100 * ((whole[1] - whole[3]) - (whole[0] - whole[2])), sum(alone))
    first = [frame.filter(pl.col("number") < draws) for frame in both]
    same = [_mean(frame, "rules") for frame in first]
    joined = first[0].join(first[1], on=["problem_id", "number"], suffix="_right")
    replied = (pl.col("status") == "failed") != (pl.col("status_right") == "failed")
    ends = ~replied & ((pl.col("status") == "complete") != (pl.col("status_right") == "complete"))
    change = pl.col("rules_right").cast(pl.Int8) - pl.col("rules").cast(pl.Int8)
    if not any(alone):
        rows.add("whole", means[1] - means[0], joined.filter(change != 0).height)
    if any(frame["number"].n_unique() > draws for frame in both):
        moved = (means[1] - same[1]) - (means[0] - same[0])
        rows.add("draws", moved, int((moved != 0).sum()))
    for part, where in (("no reply", replied), ("cut", ends), ("answers", ~replied & ~ends)):
        if part == "no reply" and joined.filter(replied).is_empty():
            continue
        count = joined.filter(where & (change != 0)).height
        rows.add(part, _mean(joined, pl.when(where).then(change).otherwise(0)), count)
    return rows.rows


def of_draws(benchmark: str, model: str, graded: pl.DataFrame, *, resamples: int, seed: int) -> list[tuple]:
    """The noise floor: a model's even draws against its odd ones, as two runs of it."""
    halves = [graded.filter(pl.col("number") % 2 == half) for half in (0, 1)]
    even, odd = (half.with_columns(pl.col("number") // 2) for half in halves)
    if odd.is_empty():
        return []
    names = (f"{model}: even draws", f"{model}: odd draws")
    return of_runs(benchmark, names, (even, odd), resamples=resamples, seed=seed)


def explain(
    graded: dict[tuple[str, str], pl.DataFrame],
    claims: dict[tuple[str, str], float],
    baseline: str,
    *,
    resamples: int,
    seed: int,
) -> pl.DataFrame:
    """EXPLAINED: each model's claimed or own score against ours, each model against the baseline, the noise floor."""
    rows: list[tuple] = []
    for (benchmark, model), frame in graded.items():
        settings = {"resamples": resamples, "seed": seed}
        claim = claims.get((benchmark, model))
        if claim is not None or frame["score"].is_not_null().any():
            rows += of_graders(benchmark, model, frame, claim, **settings)
        other = graded.get((benchmark, baseline))
        if model != baseline and other is not None:
            rows += of_runs(benchmark, (baseline, model), (other, frame), **settings)
        rows += of_draws(benchmark, model, frame, **settings)
    return frame_of(rows, EXPLAINED)
