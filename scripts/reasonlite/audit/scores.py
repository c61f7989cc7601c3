"""A model's scores in the forms that the hub reads: model-index of a card, and .eval_results. Sends nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import yaml

from reasonlite.config.experiment import Experiment


def averages(results: Path, model: str) -> list[dict[str, Any]]:
    """The rows of tables/results.csv with a model's avg@n, one a benchmark."""
    table = pl.read_csv(results / "tables" / "results.csv", infer_schema_length=None)
    return table.filter((pl.col("model") == model) & pl.col("metric").str.starts_with("avg@")).rows(named=True)


def model_index(config: Experiment, results: Path, model: str) -> list[dict[str, Any]]:
    """The card's model-index: avg@n in per cent of each benchmark, by the hub's id of its data set if it has one."""
    from huggingface_hub import EvalResult
    from huggingface_hub.repocard_data import eval_results_to_model_index

    entries = []
    for row in averages(results, model):
        known = config.evaluation.benchmarks[row["benchmark"]].on_hub()
        dataset, revision = known or (row["benchmark"], None)
        entries.append(
            EvalResult(
                task_type="text-generation",
                dataset_type=dataset,
                dataset_name=row["benchmark"],
                dataset_revision=revision,
                metric_type=row["metric"],
                metric_value=row["value"],
            )
        )
    found: list[dict[str, Any]] = eval_results_to_model_index(model, entries) if entries else []
    return found


def eval_results(config: Experiment, results: Path, model: str) -> dict[str, str]:
    """Files of .eval_results by name, one for each benchmark that is a data set on the hub."""
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    files = {}
    for row in averages(results, model):
        benchmark = config.evaluation.benchmarks[row["benchmark"]]
        known = benchmark.on_hub()
        if known is None:
            continue
        notes = f"{row['metric']}, 95% interval {row['low']:.1f} to {row['high']:.1f} over {row['problems']} problems"
        entry = EvalResultEntry(
            dataset_id=known[0],
            dataset_revision=known[1],
            task_id=benchmark.hub_task,
            value=row["value"],
            notes=f"{notes}; reasonlite-snakemake",
        )
        text = yaml.safe_dump(eval_result_entries_to_yaml([entry]), sort_keys=False, allow_unicode=True)
        files[f".eval_results/{row['benchmark']}.yaml"] = text
    return files
