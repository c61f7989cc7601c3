"""Write the training examples of one stratum and shard, and count what was dropped on the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.config.experiment import Stratum
from reasonlite.core import cli, conditions, errors, logs, schemas, tables
from reasonlite.curriculum import examples


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--judged", action=cli.Paths, required=True, help="judged tables of the stratum's efforts")
    parser.add_argument("--answers", action=cli.Paths, required=True, help="answer tables of the same efforts")
    parser.add_argument("--problems", type=Path, required=True, help="table of problems")
    parser.add_argument("--stratum", required=True, help="name of the stratum")
    parser.add_argument("--shard", type=int, required=True, help="number of the shard")
    parser.add_argument("--choice", type=cli.json_of(Stratum), required=True, help="what it takes, as in strata")
    parser.add_argument("--seed", type=int, required=True, help="seed of the shuffle")
    parser.add_argument("--output", type=Path, required=True, help="table of examples to write")
    parser.add_argument("--funnel", type=Path, required=True, help="table of counts to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    wanted: Stratum = arguments.choice
    choice = examples.Choice(
        stratum=arguments.stratum,
        shard=arguments.shard,
        expression=conditions.parse_filter(wanted.filter, f"strata.{arguments.stratum}.filter", schemas.JUDGED),
        seed=arguments.seed,
        at_most=wanted.at_most,
        balanced=wanted.balanced,
        instruction=wanted.instruction,
    )
    problems = tables.read_table(arguments.problems, schemas.PROBLEMS, ["id", "problem"])
    funnel = examples.curate(arguments.judged, arguments.answers, problems, choice, arguments.output)
    tables.write_table(arguments.funnel, funnel, schemas.FUNNEL)
    logs.get_logger("curate").info("%d examples for %s", funnel["answers"][-1], arguments.stratum)


if __name__ == "__main__":
    errors.run_main(main)
