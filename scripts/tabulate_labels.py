"""Write what other vote thresholds would do, and how far the rules and a model agree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from reasonlite.core import cli, errors, files, logs, schemas, tables
from reasonlite.labels import adjudication, votes

SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
COUNTS = (1, 2, 4, 8, 16)


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sweep = commands.add_parser("sweep", help="labels replaced and agreement, by threshold")
    sweep.add_argument("--votes", action=cli.Paths, required=True, help="tables of votes")
    sweep.add_argument("--min-share", type=float, required=True, help="the configured share, added to the list")
    sweep.add_argument("--min-votes", type=int, required=True, help="the configured count, added to the list")
    sweep.add_argument("--csv", type=Path, required=True, help="table to write")
    agreement = commands.add_parser("agreement", help="rules beside the model")
    agreement.add_argument("--adjudicated", action=cli.Paths, required=True, help="tables of the model's verdicts")
    agreement.add_argument("--csv", type=Path, required=True, help="table of counts and kappa to write")
    agreement.add_argument("--disagreements", type=Path, required=True, help="table of disagreements to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    if arguments.command == "sweep":
        counted = (tables.read_table(path, schemas.VOTES) for path in arguments.votes)
        shares, counts = sorted({*SHARES, arguments.min_share}), sorted({*COUNTS, arguments.min_votes})
        files.write_text(arguments.csv, votes.sweep(counted, shares, counts).write_csv())
        return
    found = tables.read_tables(arguments.adjudicated, schemas.ADJUDICATED, ["rules", "verdict", "attempts", "error"])
    files.write_text(arguments.csv, adjudication.agreement(found).write_csv())
    listed = pl.concat(
        adjudication.disagreements(tables.read_table(path, schemas.ADJUDICATED)) for path in arguments.adjudicated
    )
    files.write_text(arguments.disagreements, listed.sort("problem_id", "left", "right").write_csv())


if __name__ == "__main__":
    errors.run_main(main)
