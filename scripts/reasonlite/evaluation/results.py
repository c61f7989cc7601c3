"""What judged benchmark answers say: metrics with intervals, comparisons, curves, compute.

Does not know how the answers were made, nor how tables are laid out.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from reasonlite.config.experiment import Evaluation
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import COMPARISONS, COMPUTE, CURVES, JUDGED, PER_PROBLEM, RESULTS
from reasonlite.core.tables import frame_of, read_table
from reasonlite.evaluation import metrics
from reasonlite.evaluation.metrics import Interval, Matrix, bootstrap

BUDGETS = 24  # points of a budget curve


@dataclass(frozen=True)
class Scores:
    """One model's verdicts on one benchmark; every array has shape (problems, n), columns by number."""

    problems: list[str]
    right: Matrix
    by_rounding: Matrix
    tokens: np.ndarray
    finished: Matrix
    answered: Matrix
    classes: list[list[int | None]]

    @property
    def n(self) -> int:
        return self.right.shape[1]


Measured = dict[str, dict[str, Scores]]  # by benchmark, then by model


def read_scores(path: Path) -> Scores:
    """One judged table as arrays; a UserError for labels that lack, or unequal numbers of answers."""
    frame = read_table(path, JUDGED)
    if frame["correct"].null_count():
        problem = frame.filter(pl.col("correct").is_null())["problem_id"][0]
        raise UserError(f"the benchmark problem {problem} has no label", where=path)
    problems, right = metrics.verdict_matrix(frame.select("problem_id", "number", "correct").rows(), path)
    ordered = frame.sort("problem_id", "number")

    def matrix(column: pl.Expr) -> np.ndarray:
        return ordered.select(column).to_series().to_numpy().reshape(right.shape)

    if ordered.select("problem_id", "number").is_duplicated().any():
        raise UserError("an answer stands in it twice", where=path, todo="rerun the evaluation")
    classes = ordered.group_by("problem_id", maintain_order=True).agg("class")["class"].to_list()
    return Scores(
        problems,
        right,
        matrix(pl.col("by_rounding")),
        matrix(pl.col("tokens").fill_null(0).cast(pl.Float64)),
        matrix((pl.col("finish_reason") != "length").fill_null(True) & (pl.col("status") == "complete")),
        matrix(pl.col("answer").is_not_null()),
        classes,
    )


def read_all(judged: dict[tuple[str, str], Path], settings: Evaluation) -> Measured:
    """The scores of every model on every benchmark; all models must have answered the same problems."""
    found: Measured = {}
    for benchmark in settings.benchmarks:
        found[benchmark] = {entry.model: read_scores(judged[entry.model, benchmark]) for entry in settings.models}
        baseline = found[benchmark][settings.baseline]
        for model, scores in found[benchmark].items():
            if (scores.problems, scores.n) != (baseline.problems, baseline.n):
                raise UserError(
                    "its problems are not the baseline's, or it has another number of answers",
                    where=judged[model, benchmark],
                    todo="rerun the evaluation",
                )
    return found


def measure(measured: Measured, settings: Evaluation, seed: int) -> pl.DataFrame:
    """Every metric of every model and benchmark as RESULTS; shares in per cent, tokens in tokens."""
    rows = []
    for benchmark, by_model in measured.items():
        for model, scores in by_model.items():
            found = _metrics(scores, by_model[settings.baseline], settings, seed)
            size = (len(scores.problems), scores.n)
            rows += [(model, benchmark, name, *vars(interval).values(), *size) for name, interval in found.items()]
    return frame_of(rows, RESULTS)


def _metrics(scores: Scores, baseline: Scores, settings: Evaluation, seed: int) -> dict[str, Interval]:
    def interval(per_problem: np.ndarray) -> Interval:
        return bootstrap(per_problem, resamples=settings.resamples, seed=seed)

    share = metrics.avg_at_n(scores.right)
    found = {f"avg@{scores.n}": interval(100 * share)}
    found["draws"] = Interval(*(100 * value for value in metrics.spread_over_draws(scores.right)))
    for k in settings.pass_at:
        if k <= scores.n:
            found[f"pass@{k}"] = interval(100 * metrics.pass_at_k(scores.right, k))
    if any(label is not None for labels in scores.classes for label in labels):
        found[f"majority@{scores.n}"] = interval(100 * metrics.majority_at_n(scores.classes, scores.right.tolist()))
    found["difference"] = metrics.paired_difference(
        100 * share, 100 * metrics.avg_at_n(baseline.right), resamples=settings.resamples, seed=seed
    )
    if settings.rounding:
        found["by rounding"] = interval(100.0 * scores.by_rounding.mean(axis=1))
    found["answered"] = interval(100.0 * scores.answered.mean(axis=1))
    found["cut off"] = interval(100.0 * (~scores.finished).mean(axis=1))
    found["tokens"] = interval(scores.tokens.mean(axis=1))
    median, p90, p99 = np.quantile(scores.tokens, [0.5, 0.9, 0.99])
    found["tokens p50, p90, p99"] = Interval(float(median), float(p90), float(p99))
    return found


def compare(measured: Measured, settings: Evaluation, seed: int) -> pl.DataFrame:
    """COMPARISONS: every two models on every benchmark, paired by problem.

    The difference of avg@n with its bootstrap interval, and McNemar's exact test on which problems
    each solves with more than half of its answers; p-values corrected for all rows by Holm's way.
    """
    rows: list[tuple] = []
    for benchmark, by_model in measured.items():
        for left, right in itertools.combinations(by_model, 2):
            shares = [metrics.avg_at_n(by_model[model].right) for model in (left, right)]
            difference = metrics.paired_difference(
                100 * shares[1], 100 * shares[0], resamples=settings.resamples, seed=seed
            )
            solved = [share > 0.5 for share in shares]
            gained, lost = int((solved[1] & ~solved[0]).sum()), int((solved[0] & ~solved[1]).sum())
            values = vars(difference).values()
            rows.append((benchmark, left, right, *values, gained, lost, metrics.mcnemar(solved[1], solved[0])))
    corrected = metrics.holm([row[-1] for row in rows])
    return frame_of([(*row, p) for row, p in zip(rows, corrected, strict=True)], COMPARISONS)


def per_problem(measured: Measured) -> pl.DataFrame:
    """PER_PROBLEM: how often each model solves each problem, and with how many tokens."""
    rows = []
    for benchmark, by_model in measured.items():
        for model, scores in by_model.items():
            for number, problem in enumerate(scores.problems):
                right, tokens = int(scores.right[number].sum()), float(scores.tokens[number].mean())
                rows.append((benchmark, problem, model, right, scores.n, tokens))
    return frame_of(sorted(rows), PER_PROBLEM)


def curves(measured: Measured, settings: Evaluation, seed: int) -> pl.DataFrame:
    """CURVES: pass@k for every k up to n, and avg@n within a budget of generated tokens per answer."""
    rows = []
    for benchmark, by_model in measured.items():
        largest = max(float(scores.tokens.max()) for scores in by_model.values())
        smallest = max(1.0, min(float(scores.tokens.min()) for scores in by_model.values()) / 2)
        grid = np.geomspace(smallest, max(largest, smallest + 1), BUDGETS)
        budgets = sorted({int(value) for value in grid} | {int(largest)})
        for model, scores in by_model.items():
            points = [("pass@k", k, metrics.pass_at_k(scores.right, k)) for k in range(1, scores.n + 1)]
            for budget in budgets:
                points.append(
                    ("budget", budget, metrics.within_budget(scores.right, scores.tokens, scores.finished, budget))
                )
            for kind, x, values in points:
                interval = bootstrap(100 * values, resamples=min(settings.resamples, 2_000), seed=seed)
                rows.append((kind, benchmark, model, x, *vars(interval).values()))
    return frame_of(rows, CURVES)


def compute(measured: Measured, settings: Evaluation) -> pl.DataFrame:
    """COMPUTE: avg@n against the PFLOPs of all a benchmark's answers, for models whose parameters are configured.

    The prompt's tokens are left out: they are few, and shared by a problem's answers. Formula in
    metrics.decoding_flops. ReasonLite's figure agrees with it in size: 480 answers of some 15,000
    tokens by Qwen3-0.6B are 21 PFLOPs, of which more than half is attention.
    """
    rows = []
    for benchmark, by_model in measured.items():
        for entry in settings.models:
            if entry.parameters is None:
                continue
            scores = by_model[entry.model]
            flops = sum(
                metrics.decoding_flops(1e9 * entry.parameters, 0, tokens, entry.layers, entry.attention_width)
                for tokens in scores.tokens.ravel()
            )
            accuracy = 100 * float(metrics.avg_at_n(scores.right).mean())
            mean_tokens = float(scores.tokens.mean())
            rows.append((entry.model, benchmark, entry.parameters, mean_tokens, flops / 1e15, accuracy))
    return frame_of(rows, COMPUTE)


def beside_published(results: pl.DataFrame, published: pl.DataFrame, settings: Evaluation) -> pl.DataFrame:
    """Published numbers with the measured one beside each, where a model of ours stands for a published one.

    Columns: model, benchmark, metric, published; then ours, measured, low, high, difference, inside
    (does the published value lie in our interval), null where nothing was measured.
    """
    names = {entry.published: entry.model for entry in settings.models if entry.published}
    known = set(published["model"])
    for name in names:
        if name not in known:
            raise UserError(
                f"no published model is called {name!r}",
                where="evaluation.models.published",
                todo=f"one of: {', '.join(sorted(known))}",
            )
    values = {(row["model"], row["benchmark"], row["metric"]): row for row in results.iter_rows(named=True)}
    rows = []
    for row in published.iter_rows(named=True):
        for column in published.columns[2:]:
            benchmark, metric = column.replace("avg", "avg@").replace("pass", "pass@").split("_")
            ours = values.get((names.get(row["model"], ""), benchmark, metric))
            measured = (ours["model"], ours["value"], ours["low"], ours["high"]) if ours else (None,) * 4
            judged = (ours["value"] - row[column], ours["low"] <= row[column] <= ours["high"]) if ours else (None, None)
            rows.append((row["model"], benchmark, metric, float(row[column]), *measured, *judged))
    columns = ["model", "benchmark", "metric", "published", "ours", "measured", "low", "high", "difference", "inside"]
    kinds = [pl.String] * 3 + [pl.Float64, pl.String] + [pl.Float64] * 4 + [pl.Boolean]
    return pl.DataFrame(rows, schema=dict(zip(columns, kinds, strict=True)), orient="row")
