"""Count what is left after each step, from problems read to training examples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from reasonlite.core import cli, errors, files, logs
from reasonlite.report import funnel


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--shards", action=cli.Paths, required=True, help="problem tables of all shards")
    parser.add_argument("--dropped", type=Path, required=True, help="table of dropped problems")
    parser.add_argument("--votes", action=cli.Paths, required=True, help="label tables of all shards")
    parser.add_argument("--judged", action=cli.Paths, required=True, help="judged tables of all efforts and shards")
    parser.add_argument("--strata", action=cli.Paths, required=True, help="funnel tables of all strata and shards")
    parser.add_argument("--published", type=Path, help="csv of published counts to put beside: part, step, published")
    parser.add_argument("--csv", type=Path, required=True, help="table to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    steps = funnel.funnel(arguments.shards, arguments.dropped, arguments.votes, arguments.judged, arguments.strata)
    if arguments.published:
        steps = funnel.beside_published(steps, pl.read_csv(arguments.published))
    files.write_text(arguments.csv, steps.write_csv())


if __name__ == "__main__":
    errors.run_main(main)
