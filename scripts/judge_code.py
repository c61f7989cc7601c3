"""Judge answers that are programs by running their tests in a sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.evaluation import codetests


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--answers", type=Path, required=True, help="table of answers")
    parser.add_argument("--problems", type=Path, required=True, help="table of problems with their tests")
    parser.add_argument("--output", type=Path, required=True, help="table of verdicts to write")
    parser.add_argument(
        "--executions", type=Path, required=True, help="table to write of the programs and how they ended"
    )
    arguments = parser.parse_args(argv)
    logs.set_up()
    answers = tables.read_table(arguments.answers, schemas.ANSWERS)
    problems = tables.read_table(arguments.problems, schemas.PROBLEMS)
    judged, executions = codetests.grade(answers, problems)
    tables.write_table(arguments.executions, executions, schemas.EXECUTIONS)
    tables.write_table(arguments.output, judged, schemas.JUDGED)
    logs.get_logger("judge_code").info("%d of %d programs pass", judged["correct"].sum(), judged.height)


if __name__ == "__main__":
    errors.run_main(main)
