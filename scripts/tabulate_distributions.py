"""Count how long answers are, by effort, model and verdict, and how the votes are spread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, files, logs
from reasonlite.report import distributions


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--judged", action=cli.Paths, required=True, help="judged tables of efforts and models")
    parser.add_argument("--votes", action=cli.Paths, required=True, help="tables of votes")
    parser.add_argument("--lengths", type=Path, required=True, help="csv of lengths to write")
    parser.add_argument("--shares", type=Path, required=True, help="csv of vote shares to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    lengths = distributions.lengths(distributions.by_part(arguments.judged))
    files.write_text(arguments.lengths, lengths.write_csv(float_precision=2))
    files.write_text(arguments.shares, distributions.vote_shares(arguments.votes).write_csv(float_precision=2))


if __name__ == "__main__":
    errors.run_main(main)
