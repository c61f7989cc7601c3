"""Tabulate a grid of training chains: every arm's mean over seeds with its interval over seeds and problems."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from reasonlite.config import evaluation
from reasonlite.config.stages import Grid
from reasonlite.core import cli, errors, files, layout, logs, schemas, tables
from reasonlite.evaluation import arms, results

NOTE = (
    "avg@n in percent over all seeds; brackets: 95% two-level bootstrap over seeds and problems;"
    " in parentheses: difference to {} on the same problems; tokens: what its stages learnt from, mean over seeds."
)


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--judged", action=cli.Paths, required=True, help="judged tables of all models")
    parser.add_argument("--evaluation", type=cli.json_of(evaluation.Evaluation), required=True, help="as in the config")
    parser.add_argument("--grid", type=cli.json_of(Grid), required=True, help="as in the config")
    parser.add_argument("--training", action=cli.Paths, required=True, help="logs of the grid's stages")
    parser.add_argument("--seed", type=int, required=True, help="seed of the bootstrap")
    parser.add_argument("--csv", type=Path, required=True, help="table to write; .md and .tex beside it")
    given = parser.parse_args(argv)
    logs.set_up()
    judged = results.by_place(given.judged)
    measured = results.read_all(judged, given.evaluation)
    table = arms.measure(measured, given.grid, tokens_of(given.training), given.evaluation.resamples, given.seed)
    files.write_text(given.csv, table.write_csv(float_precision=4))
    reference = given.grid.reference or "base"
    header, body = arms.readable(table, reference)
    note = NOTE.format("the base" if reference == "base" else f"the arm {reference}, seed by seed")
    files.write_text(given.csv.with_suffix(".md"), layout.markdown(header, body, note))
    files.write_text(given.csv.with_suffix(".tex"), layout.latex(header, body))


def tokens_of(logs_of_training: Sequence[Path]) -> dict[str, float]:
    """Tokens that each stage learnt from, by its name, where its log tells them."""
    rows = tables.read_tables(list(logs_of_training), schemas.TRAINING_LOG, ["stage", "tokens"])
    return dict(rows.group_by("stage").agg(pl.max("tokens")).drop_nulls().iter_rows())


if __name__ == "__main__":
    errors.run_main(main)
