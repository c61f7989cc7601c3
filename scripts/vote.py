"""Count votes and give each problem its label: the top answer's where the vote is clear enough."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.labels import votes


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--answers", action=cli.Paths, required=True, help="answer tables of the voting efforts")
    parser.add_argument("--groups", type=Path, required=True, help="table of classes")
    parser.add_argument("--problems", type=Path, required=True, help="table of problems")
    parser.add_argument("--min-share", type=float, required=True, help="share of the votes the top answer needs")
    parser.add_argument("--min-votes", type=int, required=True, help="votes the top answer needs")
    parser.add_argument("--weights", type=json.loads, default={}, help='what a vote counts by effort: {"high": 2}')
    parser.add_argument("--output", type=Path, required=True, help="table to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    result = votes.vote(
        tables.read_tables(arguments.answers, schemas.ANSWERS, ["problem_id", "effort", "answer"]),
        tables.read_table(arguments.groups, schemas.GROUPS),
        tables.read_table(arguments.problems, schemas.PROBLEMS, ["id", "answer"]),
        min_share=arguments.min_share,
        min_votes=arguments.min_votes,
        weights=arguments.weights,
    )
    tables.write_table(arguments.output, result, schemas.VOTES)
    sources = dict(result["label_source"].value_counts().sort("label_source").iter_rows())
    logs.get_logger("vote").info("labels by source: %s", sources)


if __name__ == "__main__":
    errors.run_main(main)
