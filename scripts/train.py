"""Train one stage. Start it with:

python scripts/launch.py --config-file envs/accelerate/cpu.yaml -- scripts/train.py …
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from reasonlite import cli, errors, interruption, logs
from reasonlite.files import atomic_path
from reasonlite.training import arguments as trainer_arguments
from reasonlite.training import sft


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--stage", required=True, help="name of the stage")
    parser.add_argument("--start", type=Path, required=True, help="model folder to start from")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="tables of training examples")
    parser.add_argument("--arguments", type=json.loads, default={}, help="SFTConfig arguments as JSON")
    parser.add_argument("--seed", type=int, required=True, help="seed of shuffling and initialisation")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints in progress; kept on failure")
    parser.add_argument("--output", type=Path, required=True, help="checkpoint folder to write")
    parser.add_argument("--log-table", type=Path, required=True, help="table of loss and learning rate to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    interruption.watch()
    trainer_arguments.check_arguments("sft", arguments.arguments, "arguments")
    first = os.environ.get("RANK", "0") == "0"  # of several processes one writes
    with atomic_path(arguments.output) if first else contextlib.nullcontext(arguments.output) as folder:
        sft.train(
            stage=arguments.stage,
            start=arguments.start,
            data=arguments.data,
            arguments=arguments.arguments,
            seed=arguments.seed,
            work=arguments.work,
            output=folder,
            log_table=arguments.log_table,
        )
    if first:
        shutil.rmtree(arguments.work, ignore_errors=True)


if __name__ == "__main__":
    errors.run_main(main)
