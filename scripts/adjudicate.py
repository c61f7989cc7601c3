"""Ask a model about pairs of answers: what the rules left undecided and a sample, or every answer."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from reasonlite.answers import canary, engines, sampling
from reasonlite.cluster import devices, interruption
from reasonlite.config.settings import Adjudicator, Engine, Prompt, ServerEngine
from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.labels import adjudication
from reasonlite.models import folders


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--groups", type=Path, required=True, help="table of classes by the rules")
    parser.add_argument("--pairs", type=Path, required=True, help="table of the pairs that were not plain")
    parser.add_argument("--problems", type=Path, required=True, help="table of the same problems")
    parser.add_argument(
        "--mode",
        choices=["llm", "rules_then_llm", "label"],
        required=True,
        help="as in labels.judge; label: every answer beside it",
    )
    parser.add_argument("--model", type=Path, help="model folder; not needed with a server")
    parser.add_argument("--engine", type=cli.json_of(Engine), required=True, help="as in teacher.engine")
    parser.add_argument("--settings", type=cli.json_of(Adjudicator), required=True, help="as in labels")
    parser.add_argument("--seed", type=int, required=True, help="the experiment's seed")
    parser.add_argument("--commit", type=int, default=1024, help="replies that are put on disk together, at most")
    parser.add_argument("--journal", type=Path, required=True, help="the journal's folder")
    parser.add_argument("--output", type=Path, required=True, help="table of verdicts to write")
    parser.add_argument("--lock", default="", help="the environment's hash, if what another gave is not to be used")
    arguments = parser.parse_args(argv)
    logs.set_up()
    devices.prepare()
    interruption.watch()
    server = isinstance(arguments.engine, ServerEngine)
    if not server and arguments.model is None:
        parser.error("--model is needed with the vllm engine")
    model = (arguments.engine.model if server else folders.fingerprint(arguments.model)) + arguments.lock
    settings = arguments.settings
    drawn = sampling.resolved(settings.sampling, None if server else arguments.model)
    settings = settings.model_copy(update={"sampling": drawn})
    court = adjudication.Court(settings, arguments.engine, model, arguments.seed, arguments.commit)
    asked = adjudication.questions(
        tables.read_table(arguments.groups, schemas.GROUPS),
        tables.read_table(arguments.pairs, schemas.PAIRS),
        arguments.mode,
        settings.sample,
        arguments.seed,
    )
    problems = tables.read_table(arguments.problems, schemas.PROBLEMS, ["id", "problem"])
    start_engine = functools.partial(
        engines.open_engine, arguments.engine, arguments.model, settings.sampling, settings.template_arguments
    )
    watch = canary.Watch(arguments.engine, Prompt(), settings.sampling)
    with engines.Shared(start_engine) as shared:
        found = adjudication.adjudicate(asked, problems, court, arguments.journal, shared.engine, watch)
    tables.write_table(arguments.output, found, schemas.ADJUDICATED)
    unusable = found["error"].is_not_null().sum()
    logs.get_logger("adjudicate").info("%d pairs asked, %d of them without a usable reply", found.height, unusable)


if __name__ == "__main__":
    errors.run_main(main)
