"""Say how hard each problem of a shard was for those who answered it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.curriculum import difficulty


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--judged", action=cli.Paths, required=True, help="judged tables of all that they answered")
    parser.add_argument("--votes", type=Path, required=True, help="table of votes")
    parser.add_argument("--problems", type=Path, required=True, help="table of the same problems")
    parser.add_argument("--output", type=Path, required=True, help="table to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    problems = tables.read_table(arguments.problems, schemas.PROBLEMS, ["id", "source"])
    rated = difficulty.rate(arguments.judged, tables.read_table(arguments.votes, schemas.VOTES), problems)
    tables.write_table(arguments.output, rated, schemas.DIFFICULTY)
    known = rated["pass_rate"].drop_nulls()
    logs.get_logger("rate_problems").info(
        "%d problems: %d always solved, %d never, %d without verdicts",
        *(rated.height, (known == 1).sum(), (known == 0).sum(), rated.height - known.len()),
    )


if __name__ == "__main__":
    errors.run_main(main)
