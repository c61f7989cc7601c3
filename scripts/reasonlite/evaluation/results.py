"""What judged benchmark answers say: metrics with intervals, comparisons, curves, compute.

Does not know how the answers were made, nor how tables are laid out.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from reasonlite.config.evaluation import Evaluation
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import COMPARISONS, COMPUTE, CURVES, JUDGED, PER_PROBLEM, RESULTS
from reasonlite.core.tables import frame_of, read_table
from reasonlite.evaluation import metrics, power
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

    counted: bool = True  # whether tokens are known; other programs' logs often lack them

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
        counted=bool(ordered["tokens"].is_not_null().any()),
    )


def by_place(paths: list[Path]) -> dict[tuple[str, str], Path]:
    """Tables of evaluation/<model>/<benchmark>/ by model and benchmark."""
    return {(path.parent.parent.name, path.parent.name): path for path in paths}


def read_all(judged: dict[tuple[str, str], Path], settings: Evaluation) -> Measured:
    """The scores of every model on every benchmark that it has answers to.

    Answers that are drawn here must be to the same problems, as many of each; recorded ones may be to fewer.
    """
    found: Measured = {}
    drawn = {entry.model for entry in settings.models if entry.recorded is None}
    for benchmark in settings.benchmarks:
        models = [entry.model for entry in settings.models if benchmark in settings.answered(entry)]
        found[benchmark] = {model: read_scores(judged[model, benchmark]) for model in models}
        sizes = {model: (found[benchmark][model].problems, found[benchmark][model].n) for model in models}
        for model in models[1:]:
            if {models[0], model} <= drawn and sizes[model] != sizes[models[0]]:
                raise UserError(
                    f"its problems are not those of {models[0]}, or it has another number of answers",
                    where=judged[model, benchmark],
                    todo="rerun the evaluation",
                )
    return found


def paired(left: Scores, right: Scores) -> tuple[np.ndarray, np.ndarray]:
    """The shares of right answers, of shape (problems,) each, of the problems that both have."""
    if left.problems == right.problems:
        return metrics.avg_at_n(left.right), metrics.avg_at_n(right.right)
    shared = set(left.problems) & set(right.problems)
    places = [[place for place, name in enumerate(each.problems) if name in shared] for each in (left, right)]
    return metrics.avg_at_n(left.right[places[0]]), metrics.avg_at_n(right.right[places[1]])


def measure(measured: Measured, settings: Evaluation, seed: int) -> pl.DataFrame:
    """Every metric of every model and benchmark as RESULTS; shares in per cent, tokens in tokens."""
    rows = []
    for benchmark, by_model in measured.items():
        for model, scores in by_model.items():
            found = _metrics(scores, by_model.get(settings.baseline), settings, seed)
            size = (len(scores.problems), scores.n)
            rows += [(model, benchmark, name, *vars(interval).values(), *size) for name, interval in found.items()]
    return frame_of(rows, RESULTS)


def _metrics(scores: Scores, baseline: Scores | None, settings: Evaluation, seed: int) -> dict[str, Interval]:
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
    if baseline is not None and set(scores.problems) & set(baseline.problems):
        own, other = paired(scores, baseline)
        found["difference"] = metrics.paired_difference(100 * own, 100 * other, resamples=settings.resamples, seed=seed)
    if settings.rounding:
        found["by rounding"] = interval(100.0 * scores.by_rounding.mean(axis=1))
    found["answered"] = interval(100.0 * scores.answered.mean(axis=1))
    found["cut off"] = interval(100.0 * (~scores.finished).mean(axis=1))
    if not scores.counted:
        return found
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
            shares = paired(by_model[left], by_model[right])
            if not shares[0].size:  # no problem in common
                continue
            difference = metrics.paired_difference(
                100 * shares[1], 100 * shares[0], resamples=settings.resamples, seed=seed
            )
            solved = [share > 0.5 for share in shares]
            gained, lost = int((solved[1] & ~solved[0]).sum()), int((solved[0] & ~solved[1]).sum())
            least = power.detectable(100 * (shares[1] - shares[0]))
            values = [*vars(difference).values(), least]
            rows.append((benchmark, left, right, *values, gained, lost, metrics.mcnemar(solved[1], solved[0])))
    corrected = metrics.holm([row[-1] for row in rows])
    return frame_of([(*row, p) for row, p in zip(rows, corrected, strict=True)], COMPARISONS)


def power_note(comparisons: pl.DataFrame, baseline: str) -> str:
    """What the differences to the baseline are worth: the smallest that is found, and those below it; '' if none."""
    known = comparisons.filter(
        ((pl.col("left") == baseline) | (pl.col("right") == baseline)) & pl.col("detectable").is_finite()
    )
    if known.is_empty():
        return ""
    found = []
    for (benchmark,), rows in known.group_by("benchmark", maintain_order=True):
        least, most = (f"{value:.1f}" for value in (min(rows["detectable"]), max(rows["detectable"])))
        found.append(f"{benchmark} {least}" if least == most else f"{benchmark} {least} to {most}")
    note = f" Smallest difference to {baseline} found with 80% power, in points: {', '.join(found)}."
    faint = known.filter(pl.col("difference").abs() < pl.col("detectable"))
    names = [
        f"{right if left == baseline else left} on {benchmark}"
        for benchmark, left, right in faint.select("benchmark", "left", "right").iter_rows()
    ]
    return note + (f" Below it, so that another draw may turn them: {', '.join(names)}." if names else "")


def per_problem(measured: Measured) -> pl.DataFrame:
    """PER_PROBLEM: how often each model solves each problem, and with how many tokens."""
    rows = []
    for benchmark, by_model in measured.items():
        for model, scores in by_model.items():
            for number, problem in enumerate(scores.problems):
                right = int(scores.right[number].sum())
                tokens = float(scores.tokens[number].mean()) if scores.counted else None
                rows.append((benchmark, problem, model, right, scores.n, tokens))
    return frame_of(sorted(rows), PER_PROBLEM)


def curves(measured: Measured, settings: Evaluation, seed: int) -> pl.DataFrame:
    """CURVES: pass@k for every k up to n, and avg@n by the tokens that an answer may have.

    These come in two ways. budget: the answers as they are, of which those that are longer count as wrong; thinking:
    answers drawn anew, their reasoning ended by the engine, x being its budget, and last the answers without one.
    """
    rows = []
    thinking = {entry.model: (entry.weights, entry.thinking) for entry in settings.models if entry.thinking}
    whole = {entry.model: entry.sampling.max_tokens for entry in settings.models if entry.sampling}
    whole = {name: most for name, most in whole.items() if name in {of for of, _ in thinking.values()}}
    for benchmark, by_model in measured.items():
        known = [scores.tokens for scores in by_model.values() if scores.counted]
        largest = max((float(tokens.max()) for tokens in known), default=0.0)
        smallest = max(1.0, min((float(tokens.min()) for tokens in known), default=0.0) / 2)
        grid = np.geomspace(smallest, max(largest, smallest + 1), BUDGETS)
        budgets = sorted({int(value) for value in grid} | {int(largest)})
        for model, scores in by_model.items():
            points = [("pass@k", k, metrics.pass_at_k(scores.right, k)) for k in range(1, scores.n + 1)]
            for budget in budgets if scores.counted and model not in thinking else []:
                points.append(
                    ("budget", budget, metrics.within_budget(scores.right, scores.tokens, scores.finished, budget))
                )
            of, allowed = thinking.get(model, (model, whole.get(model)))
            if allowed is not None:
                points.append(("thinking", allowed, metrics.avg_at_n(scores.right)))
            for kind, x, values in points:
                interval = bootstrap(100 * values, resamples=min(settings.resamples, 2_000), seed=seed)
                name = of if kind == "thinking" else model
                rows.append((kind, benchmark, name, x, *vars(interval).values()))
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
            if entry.parameters is None or entry.model not in by_model or not by_model[entry.model].counted:
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
