"""Write the training examples of one stratum and shard, and count what was dropped on the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite import cli, curriculum, errors, logs, tables


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--judged", type=Path, nargs="+", required=True, help="judged tables of the stratum's efforts")
    parser.add_argument("--answers", type=Path, nargs="+", required=True, help="answer tables of the same efforts")
    parser.add_argument("--problems", type=Path, required=True, help="table of problems")
    parser.add_argument("--stratum", required=True, help="name of the stratum")
    parser.add_argument("--shard", type=int, required=True, help="number of the shard")
    parser.add_argument("--filter", required=True, help="SQL expression over the judged columns")
    parser.add_argument("--seed", type=int, required=True, help="seed of the shuffle")
    parser.add_argument("--output", type=Path, required=True, help="table of examples to write")
    parser.add_argument("--funnel", type=Path, required=True, help="table of counts to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    examples, funnel = curriculum.curate(
        tables.read_tables(arguments.judged, tables.JUDGED),
        tables.read_tables(arguments.answers, tables.ANSWERS, ["answer_id", "effort", "text", "finish_reason"]),
        tables.read_table(arguments.problems, tables.PROBLEMS, ["id", "problem"]),
        stratum=arguments.stratum,
        shard=arguments.shard,
        expression=curriculum.parse_filter(arguments.filter, f"strata.{arguments.stratum}.filter"),
        seed=arguments.seed,
    )
    tables.write_table(arguments.funnel, funnel, tables.FUNNEL)
    tables.write_table(arguments.output, examples, tables.CURRICULUM)
    logs.get_logger("curate").info("%d examples for %s", examples.height, arguments.stratum)


if __name__ == "__main__":
    errors.run_main(main)
