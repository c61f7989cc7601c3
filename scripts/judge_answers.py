"""Give each answer its verdicts: against the data set's label, and against the label after voting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.labels.judged import judge

COLUMNS = ["answer_id", "problem_id", "effort", "number", "status", "finish_reason", "tokens", "answer"]


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--answers", type=Path, required=True, help="table of answers")
    parser.add_argument("--groups", type=Path, required=True, help="table of classes")
    parser.add_argument(
        "--votes", type=Path, help="table of labels after voting; without it only the data set's label counts"
    )
    parser.add_argument("--problems", type=Path, required=True, help="table of problems")
    parser.add_argument("--output", type=Path, required=True, help="table to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    judged = judge(
        tables.read_table(arguments.answers, schemas.ANSWERS, COLUMNS),
        tables.read_table(arguments.groups, schemas.GROUPS),
        tables.read_table(arguments.problems, schemas.PROBLEMS, ["id", "source"]),
        tables.read_table(arguments.votes, schemas.VOTES) if arguments.votes else None,
    )
    tables.write_table(arguments.output, judged, schemas.JUDGED)
    right = judged["correct_vote" if arguments.votes else "correct"].sum()
    logs.get_logger("judge_answers").info("%d of %d answers right", right, judged.height)


if __name__ == "__main__":
    errors.run_main(main)
