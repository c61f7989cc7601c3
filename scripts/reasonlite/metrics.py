"""Numbers from verdicts: avg@n, pass@k, and intervals by bootstrap over problems.

Works on a matrix of verdicts (problems x answers); does not know models or benchmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from reasonlite.errors import UserError

Matrix = np.ndarray  # bool, shape (problems, n)


@dataclass(frozen=True)
class Interval:
    """A value with the bounds of its 95% interval; all three in the value's own unit."""

    value: float
    low: float
    high: float


def verdict_matrix(rows: list[tuple[str, int, bool]], where: object) -> tuple[list[str], Matrix]:
    """Problem ids and the (problems, n) matrix from (problem_id, number, correct) rows.

    Every problem must have the same number of answers, otherwise averages would weigh
    problems unequally.
    """
    by_problem: dict[str, list[bool]] = {}
    for problem, _, correct in sorted(rows, key=lambda row: (row[0], row[1])):
        by_problem.setdefault(problem, []).append(bool(correct))
    sizes = {len(verdicts) for verdicts in by_problem.values()}
    if not by_problem:
        raise UserError("has no verdicts", where=where, todo="check the benchmark's source")
    if len(sizes) > 1:
        raise UserError(f"problems have unequal numbers of answers: {sorted(sizes)}", where=where)
    return list(by_problem), np.array(list(by_problem.values()), dtype=bool)


def avg_at_n(matrix: Matrix) -> np.ndarray:
    """Each problem's share of right answers, shape (problems,)."""
    return matrix.mean(axis=1)


def pass_at_k(matrix: Matrix, k: int) -> np.ndarray:
    """Each problem's unbiased estimate of pass@k, shape (problems,).

    1 - C(n - c, k) / C(n, k) for c right answers of n (Chen et al. 2021, arXiv:2107.03374,
    equation 1). ``k`` above n cannot be estimated and is refused.
    """
    n = matrix.shape[1]
    if not 1 <= k <= n:
        raise ValueError(f"pass@{k} cannot be estimated from {n} answers")
    right = matrix.sum(axis=1)
    return np.array([1.0 - comb(n - int(c), k) / comb(n, k) for c in right])


def bootstrap(per_problem: np.ndarray, *, resamples: int, seed: int) -> Interval:
    """Mean over problems with its 95% percentile interval, problems drawn with replacement."""
    generator = np.random.default_rng(seed)
    size = len(per_problem)
    means = np.concatenate(
        [
            per_problem[generator.integers(0, size, (count, size))].mean(axis=1)
            for count in _blocks(resamples, max(1, 4_000_000 // size))  # at most 32 MB of draws at once
        ]
    )
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(per_problem.mean()), float(low), float(high))


def _blocks(total: int, size: int) -> list[int]:
    return [min(size, total - start) for start in range(0, total, size)]


def paired_difference(left: np.ndarray, right: np.ndarray, *, resamples: int, seed: int) -> Interval:
    """Mean of ``left - right`` over the same problems, with its 95% bootstrap interval."""
    if left.shape != right.shape:
        raise ValueError("the two must be of the same problems in the same order")
    return bootstrap(left - right, resamples=resamples, seed=seed)
