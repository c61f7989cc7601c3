"""Give each answer its verdicts: against the data set's label, and against the label after voting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.labels.judged import judge

COLUMNS = ["answer_id", "problem_id", "effort", "number", "status", "finish_reason", "tokens", "answer"]


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--answers", action=cli.Paths, required=True, help="tables of answers, one an effort")
    parser.add_argument("--groups", type=Path, required=True, help="table of classes")
    parser.add_argument(
        "--votes", type=Path, help="table of labels after voting; without it only the data set's label counts"
    )
    parser.add_argument("--problems", type=Path, required=True, help="table of problems")
    parser.add_argument("--output", action=cli.Paths, required=True, help="tables to write, in the same order")
    arguments = parser.parse_args(argv)
    if len(arguments.answers) != len(arguments.output):
        parser.error(f"--output: {len(arguments.output)} tables for {len(arguments.answers)} tables of answers")
    logs.set_up()
    groups = tables.read_table(arguments.groups, schemas.GROUPS)
    problems = tables.read_table(arguments.problems, schemas.PROBLEMS, ["id", "source"])
    votes = tables.read_table(arguments.votes, schemas.VOTES) if arguments.votes else None
    for path, output in zip(arguments.answers, arguments.output, strict=True):
        judged = judge(tables.read_table(path, schemas.ANSWERS, COLUMNS), groups, problems, votes)
        tables.write_table(output, judged, schemas.JUDGED)
        right = judged["correct_vote" if arguments.votes else "correct"].sum()
        logs.get_logger("judge_answers").info("%s: %d of %d answers right", output, right, judged.height)


if __name__ == "__main__":
    errors.run_main(main)
