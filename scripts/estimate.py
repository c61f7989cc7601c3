"""Print what an experiment will take, by rule: jobs, answers, tokens, GPU-hours, storage, and the rates behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.cluster import estimate, memory
from reasonlite.config import experiment
from reasonlite.core import cli, errors


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--experiment", type=cli.json_of(experiment.Config), required=True, help="the config as JSON")
    parser.add_argument("--rates", type=Path, required=True, help="yaml of rates, such as config/rates.yaml")
    parser.add_argument("--ledger", type=Path, help="ledger.csv of an earlier run: its measured speeds are used")
    parser.add_argument("--published", type=Path, help="csv of a published run's counts: part, step, published")
    parser.add_argument("--architectures", type=Path, required=True, help="csv of models' shapes")
    arguments = parser.parse_args(argv)
    rates = estimate.read_rates(arguments.rates, arguments.ledger)
    lines = estimate.estimate(arguments.experiment, rates)
    beside = estimate.beside_published(lines, arguments.published) if arguments.published else []
    gpu_gb, ranks = rates["gpu_memory"], int(rates["training_gpus"])
    found = memory.of_config(arguments.experiment, memory.shapes(arguments.architectures), ranks)
    taken, complaints = memory.lines(found, gpu_gb)
    if taken:
        beside = [*beside, "", f"GPU memory, at most, of {gpu_gb:.0f} GB (not compared with a GPU yet)", *taken]
    print(estimate.report(lines, rates, beside))
    if complaints:
        raise errors.UserError("does not fit:\n" + "\n".join(complaints))


if __name__ == "__main__":
    errors.run_main(main)
