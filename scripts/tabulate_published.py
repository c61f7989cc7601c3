"""Write the published table as Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from reasonlite.core import cli, errors, files, layout, logs
from reasonlite.core.errors import UserError

NOTE = "As printed by ReasonLite, in per cent; nothing here was measured by this workflow."


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--table", type=Path, required=True, help="csv: model, parameters_b, <benchmark>_<metric>")
    parser.add_argument("--markdown", type=Path, required=True)
    parser.add_argument("--latex", type=Path, required=True)
    arguments = parser.parse_args(argv)
    logs.set_up()
    try:
        frame = pl.read_csv(arguments.table)
    except (FileNotFoundError, pl.exceptions.PolarsError) as error:
        raise UserError(f"cannot be read: {error}", where=arguments.table) from None
    columns = [column.replace("_avg", " avg@").replace("_pass", " pass@") for column in frame.columns[2:]]
    header = ["model", "parameters (billions)", *columns]
    body = [[row[0], f"{row[1]:g}", *(f"{value:.1f}" for value in row[2:])] for row in frame.iter_rows()]
    files.write_text(arguments.markdown, layout.markdown(header, body, NOTE))
    files.write_text(arguments.latex, layout.latex(header, body))


if __name__ == "__main__":
    errors.run_main(main)
