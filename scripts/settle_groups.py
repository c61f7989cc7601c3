"""Take a model's verdicts into the classes of equal answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.labels import adjudication


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--groups", type=Path, required=True, help="table of classes by the rules")
    parser.add_argument("--adjudicated", type=Path, required=True, help="table of the model's verdicts")
    parser.add_argument("--mode", choices=["llm", "rules_then_llm"], required=True, help="as in labels.judge")
    parser.add_argument("--output", type=Path, required=True, help="table of classes to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    groups = tables.read_table(arguments.groups, schemas.GROUPS)
    adjudicated = tables.read_table(arguments.adjudicated, schemas.ADJUDICATED)
    settled = adjudication.settle(groups, adjudicated, arguments.mode)
    tables.write_table(arguments.output, settled, schemas.GROUPS)
    before, after = (table.select("problem_id", "class").n_unique() for table in (groups, settled))
    logs.get_logger("settle_groups").info("%d classes, before the model's verdicts %d", after, before)


if __name__ == "__main__":
    errors.run_main(main)
