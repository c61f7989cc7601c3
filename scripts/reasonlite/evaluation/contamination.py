"""How much of a benchmark the training sources held, and each score on the part that they did not.

What is alike was found when the problems were cleaned; does not compare texts itself.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from reasonlite.core.schemas import CONTAMINATION, VARIANT_OF_BENCHMARK
from reasonlite.core.tables import frame_of
from reasonlite.evaluation.metrics import avg_at_n, bootstrap
from reasonlite.evaluation.results import Measured

ALIKE = "contaminated"  # how reasons in DROPPED begin


def pairs(dropped: pl.DataFrame, noticed: pl.DataFrame, benchmarks: dict[str, set[str]]) -> pl.DataFrame:
    """Training problems like a benchmark's, as benchmark, benchmark_problem, problem, source, what, score.

    ``dropped``: DROPPED, ``noticed``: NOTICED; ``benchmarks``: ids of each one's problems. A training problem stands
    with the first benchmark problem that it was found to be like.
    """
    homes = {problem: name for name, problems in benchmarks.items() for problem in problems}
    columns = ["twin", "id", "source", "what", "score"]
    found = pl.concat([
        dropped.filter(pl.col("reason").str.starts_with(ALIKE) | (pl.col("reason") == VARIANT_OF_BENCHMARK))
        .rename({"reason": "what"}).select(columns),
        noticed.filter(pl.col("what") == VARIANT_OF_BENCHMARK).select(columns),
    ]).filter(pl.col("twin").is_in(list(homes)))  # fmt: skip
    homed = found.with_columns(pl.col("twin").replace_strict(homes, return_dtype=pl.String).alias("benchmark"))
    renamed = homed.rename({"twin": "benchmark_problem", "id": "problem"})
    return renamed.select("benchmark", "benchmark_problem", "problem", "source", "what", "score").sort(
        "benchmark", "benchmark_problem", "problem"
    )


def scores(
    measured: Measured, alike: pl.DataFrame, benchmarks: dict[str, set[str]], *, resamples: int, seed: int
) -> pl.DataFrame:
    """CONTAMINATION: each model's avg@n on all problems of a benchmark and on the clean ones."""
    rows: list[tuple] = []
    for benchmark, by_model in measured.items():
        own = alike.filter(pl.col("benchmark") == benchmark)
        twins = set(own.filter(pl.col("what") != VARIANT_OF_BENCHMARK)["benchmark_problem"])
        variants = set(own["benchmark_problem"]) - twins
        clean = benchmarks[benchmark] - twins - variants
        counts = (len(benchmarks[benchmark]), len(twins), len(variants), len(clean))
        for model, found in by_model.items():
            share = 100 * avg_at_n(found.right)
            kept = np.array([problem in clean for problem in found.problems])
            whole, part = (_interval(values, resamples, seed) for values in (share, share[kept]))
            rows.append((benchmark, *counts, model, *whole, *part))
    return frame_of(rows, CONTAMINATION)


def _interval(values: np.ndarray, resamples: int, seed: int) -> tuple[float | None, ...]:
    """The mean over problems with its 95% interval; nothing of no problems."""
    return tuple(vars(bootstrap(values, resamples=resamples, seed=seed)).values()) if len(values) else (None,) * 3
