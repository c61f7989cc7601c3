"""Judge a probe's answers by the labels after voting, in classes of their own: they have no vote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.curriculum.difficulty import labelled
from reasonlite.labels.groups import group
from reasonlite.labels.judged import judge


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--answers", type=Path, required=True, help="table of answers")
    parser.add_argument("--problems", type=Path, required=True, help="table of the same problems")
    parser.add_argument("--votes", type=Path, required=True, help="table of labels after voting")
    parser.add_argument("--groups", type=Path, required=True, help="table of classes to write")
    parser.add_argument("--pairs", type=Path, required=True, help="table to write of the pairs that were not plain")
    parser.add_argument("--output", type=Path, required=True, help="table of verdicts to write")
    parser.add_argument(
        "--rounding", action="store_true", help="a label that is a rounded decimal equals what it rounds"
    )
    arguments = parser.parse_args(argv)
    logs.set_up()
    problems = tables.read_table(arguments.problems, schemas.PROBLEMS)
    votes = tables.read_table(arguments.votes, schemas.VOTES)
    answers = tables.read_table(arguments.answers, schemas.ANSWERS)
    groups, pairs, _ = group(answers, labelled(problems, votes), rounding=arguments.rounding)
    judged = judge(answers, groups, problems)
    tables.write_table(arguments.pairs, pairs, schemas.PAIRS)
    tables.write_table(arguments.groups, groups, schemas.GROUPS)
    tables.write_table(arguments.output, judged, schemas.JUDGED)
    logs.get_logger("judge_probe").info("%d of %d answers right", judged["correct"].sum(), judged.height)


if __name__ == "__main__":
    errors.run_main(main)
