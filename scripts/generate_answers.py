"""Draw answers to tables of problems from a model, by vLLM in this process or a running server.

What the journal already holds is not asked again, so a killed job continues where it was.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path

from reasonlite.answers import canary, engines, generation, sampling
from reasonlite.cluster import devices, interruption
from reasonlite.config.settings import AnyEngine, Effort, RecordedEngine, ServerEngine
from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.models import folders


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--problems", action=cli.Paths, required=True, help="tables of problems")
    parser.add_argument("--model", type=Path, help="model folder; not needed with a server")
    parser.add_argument("--engine", type=cli.json_of(AnyEngine), required=True, help="as in teacher.engine")
    parser.add_argument("--recorded", type=Path, help="table of answers drawn elsewhere, for the recorded engine")
    parser.add_argument("--effort", required=True, help="name under which the answers go")
    parser.add_argument(
        "--settings", type=cli.json_of(Effort), nargs="+", required=True, help="as in teacher.efforts, per table"
    )
    parser.add_argument("--seed", type=int, required=True, help="the experiment's seed")
    parser.add_argument("--commit", type=int, default=1024, help="replies that are put on disk together, at most")
    parser.add_argument("--journal", action=cli.Paths, required=True, help="journals' folders, one per table")
    parser.add_argument("--output", action=cli.Paths, required=True, help="tables to write, one per table")
    parser.add_argument("--part", type=int, nargs=2, default=(0, 1), metavar=("K", "N"), help="draw every Nth, from K")
    parser.add_argument("--lock", default="", help="the environment's hash, if what another gave is not to be used")
    arguments = parser.parse_args(argv)
    logs.set_up()
    log = logs.get_logger("generate_answers")
    devices.prepare()
    interruption.watch()
    if isinstance(arguments.engine, RecordedEngine):
        replay(arguments)
        return
    server = isinstance(arguments.engine, ServerEngine)
    if not server and arguments.model is None:
        parser.error("--model is needed with the vllm engine")
    if (
        len({len(listed) for listed in (arguments.problems, arguments.settings, arguments.journal, arguments.output)})
        > 1
    ):
        parser.error("--problems, --settings, --journal and --output must be as many")
    where = None if server else arguments.model
    arguments.settings = [
        each.model_copy(update={"sampling": sampling.resolved(each.sampling, where)}) for each in arguments.settings
    ]
    engine_settings = [(each.sampling, each.prompt.template_arguments) for each in arguments.settings]
    if any(each != engine_settings[0] for each in engine_settings):
        parser.error("sampling and template_arguments must be the same for all tables: they share one engine")
    model = (arguments.engine.model if server else folders.fingerprint(arguments.model)) + arguments.lock
    start = functools.partial(engines.open_engine, arguments.engine, arguments.model, *engine_settings[0])
    watch = canary.Watch(arguments.engine, arguments.settings[0].prompt, arguments.settings[0].sampling)
    with engines.Shared(start) as shared:
        for path, settings, journal, output in zip(
            arguments.problems, arguments.settings, arguments.journal, arguments.output, strict=True
        ):
            job = generation.Job(
                arguments.effort,
                settings,
                arguments.engine,
                model,
                arguments.seed,
                arguments.commit,
                tuple(arguments.part),
            )
            problems = generation.asked(tables.read_table(path, schemas.PROBLEMS, ["id", "problem"]), settings)
            counts = generation.generate(problems, job, journal, shared.engine, output, watch)
            log.info("%s: %s", output, ", ".join(f"{count} {status}" for status, count in sorted(counts.items())))


def replay(arguments: argparse.Namespace) -> None:
    """Take one table's answers from those recorded."""
    settings, output = arguments.settings[0], arguments.output[0]
    job = generation.Job(arguments.effort, settings, arguments.engine, "", arguments.seed, arguments.commit)
    problems = generation.asked(tables.read_table(arguments.problems[0], schemas.PROBLEMS, ["id"]), settings)
    counts = generation.replay(problems, job, arguments.recorded, output)
    logs.get_logger("generate_answers").info("%s: %s", output, counts)


if __name__ == "__main__":
    errors.run_main(main)
