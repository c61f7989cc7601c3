"""Write the tables of results from judged benchmark answers into a folder.

results.csv, .md, .tex, .html: every metric with its interval; comparisons.csv: models in pairs; per_problem.csv;
curves.csv: pass@k and token budgets; compute.csv; beside_published.csv,
.md, .tex, .html.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from reasonlite.config import evaluation
from reasonlite.core import cli, errors, files, layout, logs
from reasonlite.evaluation import results


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--judged", action=cli.Paths, required=True, help="evaluation/<model>/<benchmark>/judged.parquet"
    )
    parser.add_argument("--evaluation", type=cli.json_of(evaluation.Evaluation), required=True, help="as in the config")
    parser.add_argument("--published", type=Path, required=True, help="csv of published numbers")
    parser.add_argument("--seed", type=int, required=True, help="seed of the bootstrap")
    parser.add_argument("--folder", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args(argv)
    logs.set_up()
    settings, folder, seed = arguments.evaluation, arguments.folder, arguments.seed
    measured = results.read_all(results.by_place(arguments.judged), settings)
    table = results.measure(measured, settings, seed)
    beside = results.beside_published(table, pl.read_csv(arguments.published), settings)
    comparisons = results.compare(measured, settings, seed)
    for name, frame in {
        "results": table,
        "comparisons": comparisons,
        "per_problem": results.per_problem(measured),
        "curves": results.curves(measured, settings, seed),
        "compute": results.compute(measured, settings),
        "beside_published": beside,
    }.items():
        files.write_text(folder / f"{name}.csv", frame.write_csv(float_precision=4))
    _readable(folder / "results", *layout.wide(table), layout.NOTE + results.power_note(comparisons, settings.baseline))
    _readable(folder / "beside_published", *layout.published(beside), layout.PUBLISHED_NOTE)


def _readable(stem: Path, header: list[str], body: list[list[str]], note: str) -> None:
    files.write_text(stem.with_suffix(".md"), layout.markdown(header, body, note))
    files.write_text(stem.with_suffix(".html"), layout.html(header, body, note))
    files.write_text(stem.with_suffix(".tex"), layout.latex(header, body))


if __name__ == "__main__":
    errors.run_main(main)
