"""Count each benchmark's problems that the training sources held, and score every model on the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.config import evaluation
from reasonlite.core import cli, errors, files, layout, logs, schemas, tables
from reasonlite.evaluation import contamination, results

NOTE = (
    "twins: benchmark problems that a training source had in the same or nearly the same words (left out of training);"
    " variants: others of which it had one with other numbers; clean: the rest. avg@n in per cent, in brackets 95%"
    " intervals by bootstrap over problems. A training problem counts with the first benchmark problem it is like, so a"
    " problem that two benchmarks share may count with one of them only."
)


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--dropped", type=Path, required=True, help="table of problems that were dropped")
    parser.add_argument("--noticed", type=Path, required=True, help="table of what was noticed of problems")
    parser.add_argument("--problems", action=cli.Paths, required=True, help="tables of the benchmarks' problems")
    parser.add_argument("--judged", action=cli.Paths, required=True, help="judged tables of all models")
    parser.add_argument("--evaluation", type=cli.json_of(evaluation.Evaluation), required=True, help="as in the config")
    parser.add_argument("--seed", type=int, required=True, help="seed of the bootstrap")
    for name, what in (("csv", "table of scores"), ("readable", "the same for readers"), ("pairs", "what is alike")):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"{what}, to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    benchmarks = {
        path.stem: set(tables.read_table(path, schemas.PROBLEMS, ["id"])["id"]) for path in arguments.problems
    }
    dropped = tables.read_table(arguments.dropped, schemas.DROPPED)
    noticed = tables.read_table(arguments.noticed, schemas.NOTICED)
    alike = contamination.pairs(dropped, noticed, benchmarks)
    settings = arguments.evaluation
    measured = results.read_all(results.by_place(arguments.judged), settings)
    table = contamination.scores(measured, alike, benchmarks, resamples=settings.resamples, seed=arguments.seed)
    files.write_text(arguments.pairs, alike.write_csv(float_precision=4))
    files.write_text(arguments.csv, table.write_csv(float_precision=4))
    files.write_text(arguments.readable, layout.markdown(*layout.contamination(table), NOTE))


if __name__ == "__main__":
    errors.run_main(main)
