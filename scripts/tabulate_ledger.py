"""Add up what a run has taken, by rule and part: hours, GPU-hours, memory, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, files, logs
from reasonlite.report import ledger


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--benchmarks", type=Path, required=True, help="folder of Snakemake's benchmark files")
    parser.add_argument("--logs", type=Path, required=True, help="folder of the jobs' logs")
    parser.add_argument("--answers", action=cli.Paths, nargs="*", default=[], help="answer tables of the teacher")
    parser.add_argument(
        "--evaluations", action=cli.Paths, nargs="*", default=[], help="answer tables of evaluated models"
    )
    parser.add_argument("--training", action=cli.Paths, nargs="*", default=[], help="training log tables")
    parser.add_argument("--csv", type=Path, required=True, help="table to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    table = ledger.ledger(
        arguments.benchmarks, arguments.logs, arguments.answers, arguments.evaluations, arguments.training
    )
    files.write_text(arguments.csv, table.write_csv(float_precision=6))


if __name__ == "__main__":
    errors.run_main(main)
