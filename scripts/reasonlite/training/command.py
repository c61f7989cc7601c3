"""The command line that the scripts of all training methods share."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from reasonlite import cli, interruption, logs, stages
from reasonlite.errors import UserError
from reasonlite.files import atomic_path
from reasonlite.training import arguments as trainer_arguments
from reasonlite.training.common import Job


def run(method: str, train: Callable[[Job], None], description: str | None, argv: Sequence[str] | None) -> None:
    """Read a stage from the command line and train it; of several processes the first one writes."""
    parser = cli.parser(description)
    parser.add_argument(
        "--stage", type=cli.json_of(stages.Stage), required=True, help="JSON, as in the config's stages"
    )
    parser.add_argument("--start", type=Path, required=True, help="model folder to start from")
    parser.add_argument("--teacher", type=Path, help="model folder of the teacher, for distill")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="tables of examples, or of problems")
    parser.add_argument("--seed", type=int, required=True, help="seed of shuffling, sampling and new weights")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints in progress; kept on failure")
    parser.add_argument("--output", type=Path, required=True, help="checkpoint folder to write")
    parser.add_argument("--log-table", type=Path, required=True, help="table of loss and reward by step to write")
    parser.add_argument("--speed-table", type=Path, required=True, help="table of tokens per second to write")
    given = parser.parse_args(argv)
    logs.set_up()
    interruption.watch()
    stage = given.stage
    if stage.method != method:
        raise UserError(f"is for the method {stage.method}", where="--stage", todo=f"run train_{stage.method}.py")
    if method == "distill" and given.teacher is None:
        parser.error("--teacher is needed")
    trainer_arguments.check_arguments(method, stage.arguments, f"stages.{stage.name}.arguments")
    first = os.environ.get("RANK", "0") == "0"
    with atomic_path(given.output) if first else contextlib.nullcontext(given.output) as folder:
        tables = (given.log_table, given.speed_table)
        train(Job(stage, given.start, given.data, given.teacher, given.seed, given.work, folder, *tables))
    if first:
        shutil.rmtree(given.work, ignore_errors=True)
