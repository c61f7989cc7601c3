"""What a run has taken: jobs, hours, GPU-hours, memory and tokens by rule and part, from what really ran.

Reads Snakemake's benchmark files (one a job, of the try that succeeded), the runs' list of tries that failed, the
jobs' logs, which tell how often Slurm began them again, and the tables' token counts. Hours of tries that Slurm broke
off are in its accounting alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite.cluster.checks import gpus_of
from reasonlite.core.attempts import ATTEMPTS, attempts_in, restarts_in
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import ANSWERS, TRAINING_LOG
from reasonlite.core.tables import scan_table

LEDGER = pl.Schema(
    {
        "rule": pl.String,
        "part": pl.String,  # effort, stratum, stage, model and benchmark; empty where a rule has none
        "jobs": pl.Int64,  # that succeeded
        "failed": pl.Int64,  # tries that ended badly, also of jobs that succeeded later
        "requeued": pl.Int64,  # tries that Slurm broke off and began again
        "wall_hours": pl.Float64,
        "failed_hours": pl.Float64,  # wall hours of the tries that ended badly
        "gpu_hours": pl.Float64,  # wall hours times the GPUs the job was given
        "cpu_hours": pl.Float64,
        "peak_memory_mb": pl.Float64,  # largest of the jobs
        "prompt_tokens": pl.Int64,
        "tokens": pl.Int64,  # generated, or trained on
        "tokens_per_second": pl.Float64,  # of wall time, all jobs' together
    }
)
TOKENS = pl.Schema({"rule": pl.String, "part": pl.String, "prompt_tokens": pl.Int64, "tokens": pl.Int64})
PARTS = ("effort", "stratum", "stage", "model", "benchmark", "source")


def ledger(
    benchmarks: Path, logs: Path, answers: list[Path], evaluations: list[Path], training: list[Path]
) -> pl.DataFrame:
    """LEDGER: one row a rule and part, in the order of their names.

    ``benchmarks`` and ``logs`` are folders in which a job's files have the same names but for their endings.
    """
    records = [
        _record(path) | {"requeued": restarts_in(logs / path.relative_to(benchmarks).with_suffix(".log"))}
        for path in sorted(benchmarks.rglob("*.jsonl"))
    ]
    if not records:
        raise UserError("no benchmark files", where=benchmarks, todo="run the workflow first")
    jobs = pl.DataFrame(records, infer_schema_length=None)
    hours = jobs.group_by("rule", "part").agg(
        pl.len().alias("jobs"),
        pl.col("requeued").sum(),
        (pl.col("seconds").sum() / 3600).alias("wall_hours"),
        ((pl.col("seconds") * pl.col("gpus")).sum() / 3600).alias("gpu_hours"),
        (pl.col("cpu_seconds").sum() / 3600).alias("cpu_hours"),
        pl.col("memory").max().alias("peak_memory_mb"),
    )
    tokens = pl.concat(
        [
            _generated("generate_answers", answers, pl.col("effort")),
            *(_generated("evaluate_answers", paths, pl.lit(model)) for model, paths in _by_model(evaluations).items()),
            _trained(training),
        ]
    )
    lost = _failed(attempts_in(logs / Path(ATTEMPTS).name))
    whole = hours.join(lost, on=["rule", "part"], how="full", coalesce=True).with_columns(
        pl.col("jobs", "requeued", "wall_hours", "failed", "failed_hours").fill_null(0)
    )
    whole = whole.join(tokens, on=["rule", "part"], how="left").with_columns(
        (pl.col("tokens") / pl.col("wall_hours") / 3600).alias("tokens_per_second")
    )
    return whole.select(pl.col(name).cast(kind) for name, kind in LEDGER.items()).sort("rule", "part")


def _record(path: Path) -> dict[str, Any]:
    try:
        entry = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
        wildcards, resources = entry["wildcards"], entry["resources"]
        return {
            "rule": entry["rule_name"],
            "part": _part(wildcards),
            "seconds": float(entry["s"]),
            "gpus": gpus_of(str(resources.get("gres") or ""))[1] * int(resources.get("nodes") or 1),
            "cpu_seconds": _number(entry["cpu_time"]),
            "memory": _number(entry["max_rss"]),
        }
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise UserError(f"is not one of Snakemake's benchmark files: {error!r}", where=path, todo="delete it") from None


def _part(wildcards: dict[str, str]) -> str:
    return " ".join(wildcards[name] for name in PARTS if name in wildcards)


def _failed(attempts: list[dict[str, Any]]) -> pl.DataFrame:
    """Tries that ended badly, and their hours, by rule and part."""
    rows = [(each["rule"], _part(each["wildcards"]), each["seconds"] / 3600) for each in attempts]
    schema = pl.Schema({"rule": pl.String, "part": pl.String, "failed_hours": pl.Float64})
    return (
        pl.DataFrame(rows, schema, orient="row")
        .group_by("rule", "part")
        .agg(pl.len().cast(pl.Int64).alias("failed"), pl.col("failed_hours").sum())
    )


def _number(value: Any) -> float | None:
    """Snakemake writes NA for a job too short to be looked at."""
    return None if value in (None, "NA", "-") else float(value)


def _by_model(evaluations: list[Path]) -> dict[str, list[Path]]:
    """Answer tables by the model whose folder they lie in: evaluation/<model>/<benchmark>/answers.parquet."""
    found: dict[str, list[Path]] = {}
    for path in evaluations:
        found.setdefault(path.parents[1].name, []).append(path)
    return found


def _generated(rule: str, paths: list[Path], part: pl.Expr) -> pl.DataFrame:
    """Tokens of answer tables by a part of the rule's jobs."""
    if not paths:
        return pl.DataFrame(schema=TOKENS)
    counts = pl.concat([scan_table(path, ANSWERS) for path in paths]).select(
        part.alias("part"), pl.col("prompt_tokens", "tokens").cast(pl.Int64)
    )
    return counts.group_by("part").sum().collect().select(pl.lit(rule).alias("rule"), *list(TOKENS)[1:])


def _trained(paths: list[Path]) -> pl.DataFrame:
    """Tokens seen by each stage: the trainer counts them as it goes."""
    rows = [
        scan_table(path, TRAINING_LOG).group_by("stage").agg(pl.col("tokens").max().cast(pl.Int64)).collect()
        for path in paths
    ]
    return pl.concat(
        [
            pl.DataFrame(schema=TOKENS),
            *(
                row.select(
                    pl.lit("train").alias("rule"),
                    pl.col("stage").alias("part"),
                    pl.lit(None, dtype=pl.Int64).alias("prompt_tokens"),
                    "tokens",
                )
                for row in rows
            ),
        ]
    )
