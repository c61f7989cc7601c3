"""Give each benchmark answer the verdicts of other graders, beside that of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.evaluation import graders


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--answers", type=Path, required=True, help="table of answers")
    parser.add_argument("--judged", type=Path, required=True, help="table of the rules' verdicts")
    parser.add_argument("--pairs", type=Path, required=True, help="table of the pairs that the rules compared")
    parser.add_argument("--problems", type=Path, required=True, help="table of the benchmark's problems")
    parser.add_argument("--rows", type=Path, help="table of the log's own verdicts, of recorded answers")
    parser.add_argument("--adjudicated", type=Path, help="table of a model's verdicts on answers beside their labels")
    parser.add_argument("--graders", nargs="+", choices=graders.OTHERS, required=True)
    parser.add_argument("--rounding", action="store_true", help="as evaluation.rounding")
    parser.add_argument("--output", type=Path, required=True, help="table to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    graded = graders.grade(
        tables.read_table(arguments.answers, schemas.ANSWERS, ["answer_id", "text"]),
        tables.read_table(arguments.judged, schemas.JUDGED),
        tables.read_table(arguments.pairs, schemas.PAIRS),
        dict(tables.read_table(arguments.problems, schemas.PROBLEMS, ["id", "answer"]).iter_rows()),
        tables.read_table(arguments.rows, schemas.TAKEN) if arguments.rows else None,
        arguments.graders,
        tables.read_table(arguments.adjudicated, schemas.ADJUDICATED) if arguments.adjudicated else None,
        rounding=arguments.rounding,
    )
    tables.write_table(arguments.output, graded, schemas.GRADED)
    differ = graders.disagreements({("", ""): graded}).height
    logs.get_logger("grade_answers").info("%s: graders part on %d of %d answers", arguments.output, differ, len(graded))


if __name__ == "__main__":
    errors.run_main(main)
