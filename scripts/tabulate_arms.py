"""Tabulate a grid of training chains: every arm's mean over seeds with its interval over seeds and problems."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.config import evaluation
from reasonlite.config.stages import Grid
from reasonlite.core import cli, errors, files, layout, logs
from reasonlite.evaluation import arms, results

NOTE = (
    "avg@n in percent over all seeds; brackets: 95% two-level bootstrap over seeds and problems;"
    " in parentheses: difference to the base on the same problems."
)


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--judged", action=cli.Paths, required=True, help="judged tables of all models")
    parser.add_argument("--evaluation", type=cli.json_of(evaluation.Evaluation), required=True, help="as in the config")
    parser.add_argument("--grid", type=cli.json_of(Grid), required=True, help="as in the config")
    parser.add_argument("--seed", type=int, required=True, help="seed of the bootstrap")
    parser.add_argument("--csv", type=Path, required=True, help="table to write; .md and .tex beside it")
    given = parser.parse_args(argv)
    logs.set_up()
    judged = results.by_place(given.judged)
    measured = results.read_all(judged, given.evaluation)
    table = arms.measure(measured, given.grid, given.evaluation.resamples, given.seed)
    files.write_text(given.csv, table.write_csv(float_precision=4))
    header, body = arms.readable(table)
    files.write_text(given.csv.with_suffix(".md"), layout.markdown(header, body, NOTE))
    files.write_text(given.csv.with_suffix(".tex"), layout.latex(header, body))


if __name__ == "__main__":
    errors.run_main(main)
