"""Draw answers to a table of problems from a model, by vLLM in this process or a running server.

What the journal already holds is not asked again, so a killed job continues where it was.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from reasonlite import cli, config, engines, errors, generation, logs, models, tables


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--problems", type=Path, required=True, help="table of problems")
    parser.add_argument("--model", type=Path, help="model folder; not needed with a server")
    parser.add_argument("--engine", type=cli.json_of(config.Engine), required=True, help="as in teacher.engine")
    parser.add_argument("--effort", required=True, help="name under which the answers go")
    parser.add_argument("--settings", type=cli.json_of(config.Effort), required=True, help="as in teacher.efforts")
    parser.add_argument("--seed", type=int, required=True, help="the experiment's seed")
    parser.add_argument("--chunk", type=int, default=1024, help="requests between two commits of the journal")
    parser.add_argument("--journal", type=Path, required=True, help="journal, appended to")
    parser.add_argument("--output", type=Path, required=True, help="table to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    server = isinstance(arguments.engine, config.ServerEngine)
    if not server and arguments.model is None:
        parser.error("--model is needed with the vllm engine")
    job = generation.Job(
        effort=arguments.effort,
        settings=arguments.settings,
        engine=arguments.engine,
        model=arguments.engine.model if server else models.fingerprint(arguments.model),
        seed=arguments.seed,
        chunk=arguments.chunk,
    )
    start_engine = functools.partial(
        engines.open_engine,
        arguments.engine,
        arguments.model,
        arguments.settings.sampling,
        arguments.settings.prompt.template_arguments,
    )
    problems = tables.read_table(arguments.problems, tables.PROBLEMS, ["id", "problem"])
    answers = generation.generate(problems, job, arguments.journal, start_engine)
    tables.write_table(arguments.output, answers, tables.ANSWERS)


if __name__ == "__main__":
    errors.run_main(main)
