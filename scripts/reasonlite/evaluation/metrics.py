"""Numbers from verdicts: avg@n, pass@k, and intervals by bootstrap over problems.

Works on a matrix of verdicts (problems x answers); does not know models or benchmarks.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np

from reasonlite.core.errors import UserError

Matrix = np.ndarray  # bool, shape (problems, n)
KEPT_DRAWS = 40_000_000  # problems times resamples of which the draws are kept, in 80 MB


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
    values, size = np.asarray(per_problem, dtype=float), len(per_problem)
    if size * resamples <= KEPT_DRAWS:
        means = np.concatenate([counts.astype(float) @ values for counts in _counts(size, resamples, seed)]) / size
    else:
        means = np.concatenate([values[drawn].mean(axis=1) for drawn in _draws(size, resamples, seed)])
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(per_problem.mean()), float(low), float(high))


@functools.lru_cache(maxsize=4)
def _counts(size: int, resamples: int, seed: int) -> list[Matrix]:
    """How often each resample has each problem, (resamples, size): tables of many models draw the same each time."""
    found = []
    for drawn in _draws(size, resamples, seed):
        places = drawn + size * np.arange(len(drawn))[:, None]
        counts = np.bincount(places.ravel(), minlength=drawn.size)
        found.append(counts.reshape(drawn.shape).astype(np.uint16))
    return found


def _draws(size: int, resamples: int, seed: int) -> Iterator[Matrix]:
    """Problems drawn with replacement, (resamples, size), at most 32 MB at once."""
    generator = np.random.default_rng(seed)
    for count in _blocks(resamples, max(1, 4_000_000 // size)):
        yield generator.integers(0, size, (count, size))


def _blocks(total: int, size: int) -> list[int]:
    return [min(size, total - start) for start in range(0, total, size)]


def paired_difference(left: np.ndarray, right: np.ndarray, *, resamples: int, seed: int) -> Interval:
    """Mean of ``left - right`` over the same problems, with its 95% bootstrap interval."""
    if left.shape != right.shape:
        raise ValueError("the two must be of the same problems in the same order")
    return bootstrap(left - right, resamples=resamples, seed=seed)


def majority_at_n(classes: list[list[int | None]], right: list[list[bool]]) -> np.ndarray:
    """Each problem's majority@n, shape (problems,): is the most frequent answer class right?

    ``classes``: each answer's class, None without an answer; ``right``: each answer's verdict. A tie
    counts by the share of the tied classes that are right, as if one were drawn at random.
    """
    found = []
    for labels, verdicts in zip(classes, right, strict=True):
        counts: dict[int, int] = {}
        correct: dict[int, bool] = {}
        for label, verdict in zip(labels, verdicts, strict=True):
            if label is not None:
                counts[label] = counts.get(label, 0) + 1
                correct[label] = correct.get(label, False) or verdict
        leaders = [label for label, count in counts.items() if count == max(counts.values())]
        found.append(sum(correct[label] for label in leaders) / len(leaders) if leaders else 0.0)
    return np.array(found, dtype=float)


def spread_over_draws(matrix: Matrix) -> tuple[float, float, float]:
    """Mean, smallest and largest share of right answers over the n draws: column k is what seed k gave."""
    shares = matrix.mean(axis=0)
    return float(shares.mean()), float(shares.min()), float(shares.max())


def mcnemar(left: np.ndarray, right: np.ndarray) -> float:
    """Two-sided exact p-value of McNemar's test for two models' verdicts on the same trials.

    Only trials where one is right and the other wrong count; under the null each way is as likely
    (McNemar 1947, Psychometrika 12:153; the exact binomial form). 1.0 where there are none.
    """
    if left.shape != right.shape:
        raise ValueError("the two must be of the same problems in the same order")
    gained, lost = int((left & ~right).sum()), int((~left & right).sum())
    discordant = gained + lost
    tail = sum(comb(discordant, k) for k in range(min(gained, lost) + 1))
    return min(1.0, 2 * tail / 2**discordant)


def holm(p_values: list[float]) -> list[float]:
    """p-values corrected for their number, in the given order (Holm 1979, Scand. J. Statist. 6:65)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, position in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[position]))
        corrected[position] = highest
    return corrected


def within_budget(matrix: Matrix, tokens: np.ndarray, finished: Matrix, budget: int) -> np.ndarray:
    """Each problem's share of answers that are right, ended, and took at most ``budget`` tokens, shape (problems,)."""
    return (matrix & finished & (tokens <= budget)).mean(axis=1)


def decoding_flops(parameters: float, prompt_tokens: float, tokens: float, layers: int = 0, width: int = 0) -> float:
    """Floating-point operations to read a prompt and generate ``tokens`` tokens, one sequence.

    2 N for each token passed through N parameters, and for attention 4 L d c for a token that looks
    back on c others (queries times keys, and weights times values: 2 d c each, in L layers of width
    d), summed over the sequence. After Kaplan et al. 2020, arXiv:2001.08361, table 1, with
    the forward pass alone. Without layers and width the attention is left out.
    """
    total = prompt_tokens + tokens
    return 2.0 * parameters * total + 4.0 * layers * width * total * (total + 1) / 2
