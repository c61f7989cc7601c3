"""Draw one figure from its tables, into every file named (.svg, .png, .pdf)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
from matplotlib.figure import Figure

from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.core.errors import UserError
from reasonlite.report import figures

FROM_CSV: dict[str, Callable[[pl.DataFrame], Figure]] = {
    "pass_at_k": figures.pass_at_k,
    "budget": figures.budget,
    "compute": figures.compute,
    "lengths": figures.lengths,
    "vote_shares": figures.vote_shares,
    "funnel": figures.funnel,
    "graders": figures.graders,
    "arms": figures.arms,
    "accuracy_vs_parameters": figures.published_accuracy,
    "accuracy_vs_compute": figures.published_compute,
}

FROM_LOGS: dict[str, Callable[[pl.DataFrame], Figure]] = {
    "loss": figures.loss,
    "reinforcement": figures.reinforcement,
}


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("figure", choices=["stages", *FROM_LOGS, *FROM_CSV])
    parser.add_argument("--tables", action=cli.Paths, required=True, help="csv or Parquet tables it is drawn from")
    parser.add_argument("--baseline", default="", help="stages: the model marked as the base")
    parser.add_argument("--outputs", action=cli.Paths, required=True, help="files to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    if arguments.figure == "stages":
        figure = figures.stages(_csv(arguments.tables[0]), arguments.baseline)
    elif arguments.figure in FROM_LOGS:
        figure = FROM_LOGS[arguments.figure](tables.read_tables(arguments.tables, schemas.TRAINING_LOG))
    else:
        figure = FROM_CSV[arguments.figure](_csv(arguments.tables[0]))
    figures.save(figure, arguments.outputs)


def _csv(path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path)
    except FileNotFoundError:
        raise UserError("no such file", where=path) from None
    except pl.exceptions.PolarsError as error:
        raise UserError(f"is not a csv table: {error}", where=path) from None
    if frame.is_empty():
        raise UserError("the table has no rows", where=path)
    return frame


if __name__ == "__main__":
    errors.run_main(main)
