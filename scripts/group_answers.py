"""Sort each problem's distinct final answers, and its label, into classes of equal answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.labels.groups import group


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--answers", action=cli.Paths, required=True, help="answer tables, of any efforts")
    parser.add_argument("--problems", type=Path, required=True, help="table of the same problems")
    parser.add_argument("--groups", type=Path, required=True, help="table of classes to write")
    parser.add_argument("--pairs", type=Path, required=True, help="table to write of the pairs that were not plain")
    parser.add_argument("--timings", type=Path, help="table to write of the slow pairs and their seconds")
    parser.add_argument(
        "--rounding", action="store_true", help="a label that is a rounded decimal equals what it rounds"
    )
    arguments = parser.parse_args(argv)
    logs.set_up()
    answers = tables.read_tables(arguments.answers, schemas.ANSWERS, ["problem_id", "answer"])
    problems = tables.read_table(arguments.problems, schemas.PROBLEMS, ["id", "answer"])
    groups, pairs, timings = group(answers, problems, rounding=arguments.rounding)
    tables.write_table(arguments.pairs, pairs, schemas.PAIRS)
    tables.write_table(arguments.groups, groups, schemas.GROUPS)
    if arguments.timings:
        tables.write_table(arguments.timings, timings, schemas.TIMINGS)
    undecided = (pairs["verdict"] == "undecided").sum()
    logs.get_logger("group_answers").info("%d distinct answers; %d pairs undecided", groups.height, undecided)


if __name__ == "__main__":
    errors.run_main(main)
