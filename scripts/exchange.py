"""Take ReasonLite's JSON Lines in, or give results out in its layout, its training format, or as a log of Inspect.

Examples: python scripts/exchange.py take-in datas/my_run --effort medium --source pol --shards 343 \\
              --output recorded
          python scripts/exchange.py give-out results/demo --effort medium --output datas/demo
          python scripts/exchange.py give-inspect results/demo --model final --benchmark heldout --output logs
          python scripts/exchange.py give-training results/demo --stratum short --output datas/demo/format_data

What was taken in is used with teacher.engine: {kind: recorded, folder: recorded}; its info.jsonl is a problem
source as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors
from reasonlite.exchange import inspect_out, jsonl


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    taking = commands.add_parser("take-in", help="their answers and verdicts into tables by shard")
    taking.add_argument(
        "folder", type=Path, help="an experiment's folder of theirs, with answer_origin or a judged part"
    )
    taking.add_argument("--effort", required=True, help="name of the effort, as in teacher.efforts")
    taking.add_argument("--shards", type=int, required=True, help="as in problems.shards")
    taking.add_argument("--source", default="", help="name under which their info.jsonl is a problem source")
    giving = commands.add_parser("give-out", help="problems, answers, verdicts and votes in their layout")
    giving.add_argument("folder", type=Path, help="results of an experiment")
    giving.add_argument("--effort", required=True, help="the effort whose answers are given")
    inspect = commands.add_parser("give-inspect", help="a model's answers to a benchmark as a log of Inspect, .json")
    inspect.add_argument("folder", type=Path, help="results of an experiment")
    inspect.add_argument("--model", required=True, help="one of the evaluated models")
    inspect.add_argument("--benchmark", required=True, help="one of the benchmarks")
    training = commands.add_parser("give-training", help="examples in their training format")
    training.add_argument("folder", type=Path, help="results of an experiment")
    training.add_argument("--stratum", required=True, help="the stratum whose examples are given")
    for command in (taking, giving, inspect, training):
        command.add_argument("--output", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args(argv)
    if arguments.command == "take-in":
        counts = jsonl.take_in(arguments.folder, arguments.effort, arguments.shards, arguments.output, arguments.source)
    elif arguments.command == "give-out":
        counts = jsonl.give_out(arguments.folder, arguments.effort, arguments.output)
    elif arguments.command == "give-inspect":
        given = inspect_out.give(arguments.folder, arguments.model, arguments.benchmark, arguments.output)
        arguments.output, counts = given[0], {"answers": given[1]}
    else:
        tables = sorted((arguments.folder / "curriculum" / arguments.stratum).glob("*.parquet"))
        if not tables:
            todo = "give the results of an experiment that has run, and one of its strata"
            raise errors.UserError(
                "has no examples", where=arguments.folder / "curriculum" / arguments.stratum, todo=todo
            )
        counts = {"examples": jsonl.give_training(tables, arguments.output)}
    print(f"{arguments.output}:", ", ".join(f"{name} {count:,}" for name, count in counts.items()))


if __name__ == "__main__":
    errors.run_main(main)
