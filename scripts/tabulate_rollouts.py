"""Count what reinforcement learning met, by stage and phase: right answers, groups without signal, lengths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, files, logs
from reasonlite.report import rollouts


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--rollouts", action=cli.Paths, required=True, help="tables of rollouts, each named after its stage"
    )
    parser.add_argument("--csv", type=Path, required=True, help="table to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    table = rollouts.by_phase({path.stem: path for path in arguments.rollouts})
    files.write_text(arguments.csv, table.write_csv())


if __name__ == "__main__":
    errors.run_main(main)
