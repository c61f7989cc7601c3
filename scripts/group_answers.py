"""Sort each problem's distinct final answers, and its label, into classes of equal answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite import cli, errors, logs, tables, votes


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--answers", type=Path, nargs="+", required=True, help="answer tables, of any efforts")
    parser.add_argument("--problems", type=Path, required=True, help="table of the same problems")
    parser.add_argument("--groups", type=Path, required=True, help="table of classes to write")
    parser.add_argument("--pairs", type=Path, required=True, help="table of compared pairs to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    answers = tables.read_tables(arguments.answers, tables.ANSWERS, ["problem_id", "answer"])
    problems = tables.read_table(arguments.problems, tables.PROBLEMS, ["id", "answer"])
    groups, pairs = votes.group(answers, problems)
    tables.write_table(arguments.pairs, pairs, tables.PAIRS)
    tables.write_table(arguments.groups, groups, tables.GROUPS)
    logs.get_logger("group_answers").info("%d distinct answers, %d pairs compared", groups.height, pairs.height)


if __name__ == "__main__":
    errors.run_main(main)
