"""The smallest difference between two models that a benchmark can show, and what a wanted one needs.

For two models on the same P problems with n draws each, a problem's difference of shares has the variance
t + w / n: t is how much the true difference varies between problems, w the two models' variances within a problem. The
mean over problems has 1 / P of it, and a two-sided test at 5% finds a true difference of (z(0.975) + z(power)) standard
errors with the wanted power (Miller 2024, arXiv:2411.00640, section 5, for the paired case). Does not know models or
benchmarks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from reasonlite.evaluation.metrics import Matrix

POWER = 0.8
LEVEL = 0.05


def errors_needed(power: float = POWER, level: float = LEVEL) -> float:
    """How many standard errors a true difference has to have: 2.80 for 80% at 5%, two-sided."""
    normal = NormalDist()
    return normal.inv_cdf(1 - level / 2) + normal.inv_cdf(power)


@dataclass(frozen=True)
class Spread:
    """Variances of a problem's difference of shares (0 to 1). ``within`` is None with one draw, which cannot tell."""

    between: float  # of the true difference, between problems
    within: float | None  # of one draw of each model, within a problem, summed over the two
    draws: int
    problems: int

    def variance(self, draws: int) -> float:
        """Of one problem's measured difference with so many draws of each model."""
        if self.within is None:
            return self.between  # all of it; what more draws would take away is not known
        return self.between + self.within / draws


def spread_of(left: Matrix, right: Matrix) -> Spread:
    """Variances measured from two models' verdicts (problems, n); both need the same problems.

    A negative estimate of what lies between problems counts as none.
    """
    differences = left.mean(axis=1) - right.mean(axis=1)
    total = float(differences.var(ddof=1)) if len(differences) > 1 else math.nan
    draws = min(left.shape[1], right.shape[1])
    if draws < 2:
        return Spread(total, None, draws, len(differences))
    variances = [float(matrix.var(axis=1, ddof=1).mean()) for matrix in (left, right)]
    noise = sum(each / matrix.shape[1] for each, matrix in zip(variances, (left, right), strict=True))
    return Spread(max(0.0, total - noise), sum(variances), draws, len(differences))


def detectable(differences: np.ndarray, power: float = POWER) -> float:
    """The smallest true mean of such per-problem differences that is found with this power; NaN with one problem."""
    if len(differences) < 2:
        return math.nan
    return errors_needed(power) * float(differences.std(ddof=1)) / math.sqrt(len(differences))


def detectable_with(spread: Spread, problems: int, draws: int, power: float = POWER) -> float:
    """The same for another number of problems of the same kind, and of draws."""
    return errors_needed(power) * math.sqrt(spread.variance(draws) / problems)


def problems_needed(spread: Spread, wanted: float, draws: int, power: float = POWER) -> int:
    """Problems of the same kind that a wanted difference (0 to 1) needs with so many draws."""
    return max(2, math.ceil(spread.variance(draws) * (errors_needed(power) / wanted) ** 2))


def draws_needed(spread: Spread, wanted: float, problems: int, power: float = POWER) -> int | None:
    """Draws that a wanted difference needs with so many problems; None if no number is enough, or it is not known."""
    if spread.within is None:
        return None
    room = problems * (wanted / errors_needed(power)) ** 2 - spread.between
    return max(1, math.ceil(spread.within / room)) if room > 0 else None
