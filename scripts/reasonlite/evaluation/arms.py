"""The table of a grid: every arm with its mean over seeds and an interval over seeds and problems.

Does not know how arms were trained.
"""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl

from reasonlite.config.stages import Grid, arms, stage_name
from reasonlite.core.errors import UserError
from reasonlite.evaluation.metrics import Interval, avg_at_n
from reasonlite.evaluation.results import Measured

ARMS = pl.Schema(
    {
        "base": pl.String,
        "arm": pl.String,  # "base" for the model itself
        "benchmark": pl.String,
        "seeds": pl.Int64,
        "problems": pl.Int64,
        "value": pl.Float64,  # avg@n in percent, mean over seeds and problems
        "low": pl.Float64,
        "high": pl.Float64,
        "seed_low": pl.Float64,  # the worst and the best seed
        "seed_high": pl.Float64,
        "tokens": pl.Float64,  # that its stages learnt from, mean over seeds; null where a log does not say
        "difference": pl.Float64,  # less the reference, the same problems and seeds
        "difference_low": pl.Float64,
        "difference_high": pl.Float64,
    }
)


def seeds_and_problems(matrix: np.ndarray, *, resamples: int, seed: int) -> Interval:
    """Mean of a matrix (seeds, problems) with its 95% interval, seeds and problems both drawn with replacement.

    The two-level bootstrap keeps what a run shares: every drawn seed is scored on the same
    drawn problems. With one seed it is the bootstrap over problems; with two or three it is
    too short, because so few seeds cannot show how much seeds differ.
    """
    generator = np.random.default_rng(seed)
    rows, columns = matrix.shape
    means = [
        matrix[generator.integers(0, rows, rows)].mean(axis=0)[generator.integers(0, columns, columns)].mean()
        for _ in range(resamples)
    ]
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(matrix.mean()), float(low), float(high))


def measure(measured: Measured, grid: Grid, tokens: dict[str, float], resamples: int, seed: int) -> pl.DataFrame:
    """ARMS: on every benchmark each base, then its arms, in the order of the grid as given.

    ``tokens``: what each stage learnt from, by name.
    """
    rows = []
    seen = _tokens(grid, tokens)
    for benchmark, scores in measured.items():
        for base, model in grid.bases.items():
            chains = {"base": [model]}
            for arm in arms(grid):
                if arm.base == base:
                    chains.setdefault(arm.arm, []).append(arm.model)
            own = _by_problem(scores, chains[grid.reference or "base"], benchmark)
            for arm_name, models in chains.items():
                found = _by_problem(scores, models, benchmark)
                value = seeds_and_problems(found, resamples=resamples, seed=seed)
                apart = seeds_and_problems(found - own, resamples=resamples, seed=seed)
                by_seed = found.mean(axis=1)
                own_numbers = [value.value, value.low, value.high, by_seed.min(), by_seed.max()]
                per_cent = [100 * float(n) for n in (*own_numbers, apart.value, apart.low, apart.high)]
                learnt = None if arm_name == "base" else seen.get((base, arm_name))
                rows.append((base, arm_name, benchmark, *found.shape, *per_cent[:5], learnt, *per_cent[5:]))
    return pl.DataFrame(rows, schema=ARMS, orient="row")


def _tokens(grid: Grid, tokens: dict[str, float]) -> dict[tuple[str, str], float]:
    """Tokens that the chain of each base and arm learnt from, mean over seeds, where all of its stages are known."""
    found = {}
    for base, (arm, chain) in itertools.product(grid.bases, grid.arms.items()):
        names = [stage_name(base, chain[:length], seed) for seed in grid.seeds for length in range(1, len(chain) + 1)]
        if all(name in tokens for name in names):
            found[base, arm] = sum(tokens[name] for name in names) / len(grid.seeds)
    return found


def _by_problem(scores: dict, models: list[str], benchmark: str) -> np.ndarray:
    """Each model's avg@n by problem, shape (models, problems)."""
    missing = [model for model in models if model not in scores]
    if missing:
        raise UserError(f"{', '.join(missing)} was not evaluated", where=benchmark, todo="run the whole grid")
    return np.array([avg_at_n(scores[model].right) for model in models])


def readable(table: pl.DataFrame, reference: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows for people: one row an arm, a column a benchmark; the ``reference`` has no difference."""
    benchmarks = table["benchmark"].unique(maintain_order=True).to_list()
    rows = []
    for (base, arm), part in table.group_by("base", "arm", maintain_order=True):
        cells = {row["benchmark"]: row for row in part.iter_rows(named=True)}
        learnt = next(iter(cells.values()))["tokens"]
        cost = "" if learnt is None else f"{learnt:,.0f}"
        rows.append([str(base), str(arm), cost, *(_cell(cells[name], reference) for name in benchmarks)])
    return ["base", "arm", "tokens", *benchmarks], rows


def _cell(row: dict, reference: str) -> str:
    text = f"{row['value']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"
    if row["arm"] == reference:
        return text
    return f"{text} ({row['difference']:+.1f} [{row['difference_low']:+.1f}, {row['difference_high']:+.1f}])"
