"""Tables of results from judged benchmark answers, in csv, Markdown and LaTeX.

Does not know how the answers were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from reasonlite.config import Evaluation
from reasonlite.errors import UserError
from reasonlite.files import atomic_path, write_text
from reasonlite.metrics import Interval, Matrix, avg_at_n, bootstrap, paired_difference, pass_at_k, verdict_matrix
from reasonlite.tables import JUDGED, read_table

RESULTS = pl.Schema(
    {
        "model": pl.String,
        "benchmark": pl.String,
        "metric": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "problems": pl.Int64,
        "answers": pl.Int64,
    }
)


def measure(judged: dict[tuple[str, str], Path], settings: Evaluation, seed: int) -> pl.DataFrame:
    """Every metric of every (model, benchmark) as RESULTS; shares in per cent, tokens in tokens."""
    rows: list[dict] = []
    for benchmark in settings.benchmarks:
        paths = {entry.model: judged[entry.model, benchmark] for entry in settings.models}
        frames = {model: read_table(path, JUDGED) for model, path in paths.items()}
        matrices = {model: _matrix(frames[model], path) for model, path in paths.items()}
        baseline_ids, baseline = matrices[settings.baseline]
        for model, path in paths.items():
            ids, matrix = matrices[model]
            if ids != baseline_ids:
                raise UserError("its problems are not the baseline's", where=path, todo="rerun the evaluation")
            size = {"problems": len(ids), "answers": matrix.shape[1]}
            metrics = _metrics(frames[model], matrix, baseline, settings, seed)
            rows += [
                {"model": model, "benchmark": benchmark, "metric": name, **vars(interval), **size}
                for name, interval in metrics.items()
            ]
    return pl.DataFrame(rows, schema=RESULTS)


def _matrix(frame: pl.DataFrame, path: Path) -> tuple[list[str], Matrix]:
    if frame["correct"].null_count():
        problem = frame.filter(pl.col("correct").is_null())["problem_id"][0]
        raise UserError(f"the benchmark problem {problem} has no label", where=path)
    return verdict_matrix(frame.select("problem_id", "number", "correct").rows(), path)


def _metrics(
    frame: pl.DataFrame, matrix: Matrix, baseline: Matrix, settings: Evaluation, seed: int
) -> dict[str, Interval]:
    def interval(per_problem) -> Interval:
        return bootstrap(per_problem, resamples=settings.resamples, seed=seed)

    n = matrix.shape[1]
    found = {f"avg@{n}": interval(100 * avg_at_n(matrix))}
    for k in settings.pass_at:
        found[f"pass@{k}"] = interval(100 * pass_at_k(matrix, k))
    found["difference"] = paired_difference(
        100 * avg_at_n(matrix), 100 * avg_at_n(baseline), resamples=settings.resamples, seed=seed
    )
    for name, column in [
        ("answered", 100.0 * pl.col("answer").is_not_null()),
        ("cut off", 100.0 * (pl.col("finish_reason") == "length").fill_null(False)),
        ("tokens", pl.col("tokens").fill_null(0).cast(pl.Float64)),
    ]:
        per_problem = frame.group_by("problem_id", maintain_order=True).agg(column.mean().alias("value"))
        found[name] = interval(per_problem["value"].to_numpy())
    return found


def write_results(results: pl.DataFrame, csv: Path, markdown: Path, latex: Path) -> None:
    """The long table as csv, and one row a model and benchmark as Markdown and LaTeX (booktabs)."""
    with atomic_path(csv) as temporary:
        results.write_csv(temporary, float_precision=4)
    header, body = _wide(results)
    write_text(markdown, _markdown(header, body))
    write_text(latex, _latex(header, body))


def _wide(results: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    metrics = results["metric"].unique(maintain_order=True).to_list()
    header = ["model", "benchmark", *metrics]
    body = []
    for (model, benchmark), part in results.group_by("model", "benchmark", maintain_order=True):
        cells = {row["metric"]: _cell(row) for row in part.iter_rows(named=True)}
        body.append([str(model), str(benchmark), *(cells.get(metric, "") for metric in metrics)])
    return header, body


def _cell(row: dict) -> str:
    sign = "+" if row["metric"] == "difference" else ""
    return f"{row['value']:{sign}.1f} [{row['low']:{sign}.1f}, {row['high']:{sign}.1f}]"


def _markdown(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    rule = ["---", "---", *("---:" for _ in header[2:])]
    lines = [f"| {' | '.join(cells)} |" for cells in [header, rule, *body]]
    note = (
        "Shares in per cent; 95% intervals by bootstrap over problems; difference: avg@n less the baseline's, paired."
    )
    return "\n".join(lines) + f"\n\n{note}\n"


def _latex(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return " & ".join(_escaped(cell) for cell in cells) + r" \\"

    rows = [r"\begin{tabular}{ll" + "r" * (len(header) - 2) + "}", r"\toprule", line(header), r"\midrule"]
    rows += [line(cells) for cells in body]
    return "\n".join([*rows, r"\bottomrule", r"\end{tabular}", ""])


def _escaped(text: str) -> str:
    for character in "&%#_":
        text = text.replace(character, f"\\{character}")
    return text
