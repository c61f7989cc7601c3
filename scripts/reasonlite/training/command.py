"""The command line that the scripts of all training methods share."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from reasonlite.cluster import interruption
from reasonlite.config import stages
from reasonlite.core import cli, logs
from reasonlite.core.errors import UserError
from reasonlite.core.files import atomic_path
from reasonlite.models.folders import write_checksums
from reasonlite.training import arguments as trainer_arguments
from reasonlite.training import reuse, teachers, trackers
from reasonlite.training.common import Job
from reasonlite.training.processes import end_with_the_launcher


def run(method: str, train: Callable[[Job], None], description: str | None, argv: Sequence[str] | None) -> None:
    """Read a stage from the command line and train it; of several processes the first one writes."""
    parser = cli.parser(description)
    parser.add_argument(
        "--stage", type=cli.json_of(stages.Stage), required=True, help="JSON, as in the config's stages"
    )
    parser.add_argument("--start", type=Path, required=True, help="model folder to start from")
    parser.add_argument("--teacher", type=Path, help="model folder of the teacher, for distill")
    parser.add_argument("--data", action=cli.Paths, required=True, help="files of tokens (sft), or tables of problems")
    parser.add_argument("--seed", type=int, required=True, help="seed of shuffling, sampling and new weights")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints in progress; kept on failure")
    parser.add_argument("--output", type=Path, required=True, help="checkpoint folder; its files' hashes go beside it")
    parser.add_argument("--log-table", type=Path, required=True, help="table of loss and reward by step to write")
    parser.add_argument("--speed-table", type=Path, required=True, help="table of tokens per second to write")
    parser.add_argument("--learned-table", type=Path, required=True, help="table of each step's examples to write")
    parser.add_argument("--rollouts-table", type=Path, required=True, help="table of grpo's answers to write")
    parser.add_argument("--report-to", default=trackers.NONE, help="trackers that show the training while it goes on")
    parser.add_argument(
        "--teacher-server", default=teachers.NONE, help="address of the vLLM server of a served teacher"
    )
    parser.add_argument("--trackers", type=Path, default=Path("trackers"), help="folder of what they keep")
    parser.add_argument("--lock", default="", help="the environment's hash, if what another gave is not to be used")
    given = parser.parse_args(argv)
    logs.set_up()
    end_with_the_launcher()
    interruption.watch()
    stage = given.stage
    if stage.method != method:
        raise UserError(f"is for the method {stage.method}", where="--stage", todo=f"run train_{stage.method}.py")
    if method == "distill" and given.teacher is None:
        parser.error("--teacher is needed")
    trainer_arguments.check_arguments(
        trainer_arguments.trainer_of(stage), stage.arguments, f"stages.{stage.name}.arguments"
    )
    shown = trackers.parse(given.report_to, "--report-to")
    trackers.check_installed(shown, "--report-to")
    first = os.environ.get("RANK", "0") == "0"
    models = [given.start, *([given.teacher] if given.teacher else [])]
    script = Path(__file__).parents[2] / f"train_{method}.py"
    named = {"stage": stage.model_dump(mode="json"), "seed": given.seed, "lock": given.lock}
    key = reuse.made_from(script, named, models, given.data)
    tables = {"log": given.log_table, "speed": given.speed_table, "learned": given.learned_table}
    tables["rollouts"] = given.rollouts_table
    outputs = {"checkpoint": given.output, **{f"{name}.parquet": path for name, path in tables.items()}}
    if reuse.is_finished(given.work, key, outputs):
        if first:
            reuse.take_finished(given.work, outputs)
            write_checksums(given.output)
        return
    if first:
        reuse.clear_other(given.work, key)  # the others wait for this process before they look there
    with atomic_path(given.output) if first else contextlib.nullcontext(given.output) as folder:
        written = (given.log_table, given.speed_table, given.learned_table, given.rollouts_table)
        base = (stage, given.start, given.data, given.teacher, given.seed, given.work, folder)
        train(Job(*base, *written, shown, given.trackers, given.teacher_server))
    if first:
        write_checksums(given.output)
        reuse.keep_finished(given.work, outputs)
