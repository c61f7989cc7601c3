"""Training stages: what their logs hold step by step, and the examples they were trained on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite.browse import problems
from reasonlite.browse.folder import Folder
from reasonlite.core import schemas
from reasonlite.core.tables import scan_table

# columns of TRAINING_LOG that are drawn, with what readers call them
METRICS = {
    "loss": "loss",
    "mean_token_accuracy": "mean token accuracy",
    "learning_rate": "learning rate",
    "grad_norm": "gradient norm",
    "reward": "reward",
    "reward_std": "standard deviation of the reward",
    "correct": "right answers, share",
    "format": "answers in the form asked for, share",
    "no_signal": "answers in groups that teach nothing, share",
    "all_right": "groups all right, share",
    "all_wrong": "groups all wrong, share",
    "completion_length": "completion length, tokens",
    "truncated": "truncated answers, share",
    "entropy": "entropy, nats a token",
    "kl": "distance from the reference, nats a token",
    "clip_share": "clipped tokens, share",
    "tokens_per_second": "tokens per second",
    "peak_memory_mb": "peak memory, MB",
}
POINTS = 600  # of one line; longer logs are thinned
LOSS = re.compile(r"progress: (\d+) of \d+ steps, (?:loss|reward) (-?[\d.]+(?:e[-+]?\d+)?)")
LOG_BYTES = 4_000_000  # read of the end of a log


def stages(folder: Folder) -> list[str]:
    """Stages with a log of steps, or one that is being trained now, in the order in which they were."""
    logs = {path.stem: path for path in [*folder.files("logs/train/*.log"), *folder.files("training/*.parquet")]}
    times = {name: stamp[1] if (stamp := folder.stamp(path)) else 0 for name, path in logs.items()}
    return sorted(logs, key=lambda name: (times[name], name))


def curves(folder: Folder, stage: str) -> dict[str, list[tuple[float, float]]]:
    """Points (step, value) by metric; of a stage that is still trained the loss as its log tells it."""
    path = folder.path / "training" / f"{stage}.parquet"
    rows = folder.rows(path, schemas.TRAINING_LOG)
    speed = folder.rows(folder.path / "benchmarks" / "training" / f"{stage}.parquet", schemas.TRAINING_SPEED)
    found = {}
    for frame in (rows, speed):
        thin = frame.gather_every(max(1, frame.height // POINTS)) if frame.height else frame
        for name in METRICS:
            if name in thin.columns and (kept := thin.select("step", name).drop_nulls()).height:
                found[name] = [(float(x), float(y)) for x, y in kept.iter_rows()]
    if not found and (told := loss_so_far(folder.path / "logs" / "train" / f"{stage}.log")):
        found["loss"] = told
    return found


def loss_so_far(log: Path) -> list[tuple[float, float]]:
    """Loss by step from the lines of a training's log."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - LOG_BYTES, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    points = {int(step): float(value) for step, value in LOSS.findall(text)}
    return sorted((float(step), value) for step, value in points.items())


def examples(folder: Folder, stratum: str, first: int, most: int) -> tuple[list[dict[str, Any]], int]:
    """Training examples of a stratum in the order of its files, from ``first`` on, and how many there are."""
    paths = folder.files(f"curriculum/{stratum}/*.parquet")
    found: list[dict[str, Any]] = []
    total = 0
    for path in paths:
        rows = folder.remembered(path, "rows", _height)
        if rows is None:
            continue
        start = max(first - total, 0)
        if len(found) < most and start < rows:
            place = pl.int_range(pl.len()).is_between(start, start + most - len(found) - 1)
            wanted = folder.rows(path, schemas.CURRICULUM, place)
            found += wanted.rows(named=True)
        total += rows
    return found, total


@dataclass(frozen=True)
class Step:
    """Examples of a step (CURRICULUM, with their stratum), in the order in which they were noted; of how many steps."""

    examples: list[dict[str, Any]]
    steps: int
    lacking: list[str]  # ids of examples that are no longer in the training files


def learned(folder: Folder, stage: str, step: int) -> Step | None:
    """What a stage's step learnt from; None where that was not noted."""
    path = folder.path / "training" / "examples" / f"{stage}.parquet"
    steps = folder.remembered(path, "steps", lambda file: pl.scan_parquet(file).select(pl.max("step")).collect().item())
    if not steps:
        return None
    rows = list(folder.rows(path, schemas.LEARNED, pl.col("step") == step).select("stratum", "answer_id").iter_rows())
    owners = [answer.rpartition("_")[0] for _, answer in rows]
    table = problems.index(folder).table
    shard_of = dict(table.filter(pl.col("id").is_in(owners)).select("id", "shard").iter_rows())
    files: dict[Path, list[str]] = {}
    for stratum, answer in rows:
        shard = shard_of.get(answer.rpartition("_")[0])
        if shard is not None:
            files.setdefault(folder.path / "curriculum" / stratum / f"{shard}.parquet", []).append(answer)
    found = {}
    for file, ids in files.items():
        for row in folder.rows(file, schemas.CURRICULUM, pl.col("answer_id").is_in(ids)).iter_rows(named=True):
            found[file.parent.name, row["answer_id"]] = row | {"stratum": file.parent.name}
    lacking = [answer for stratum, answer in rows if (stratum, answer) not in found]
    return Step([found[key] for key in rows if key in found], int(steps), lacking)


@dataclass(frozen=True)
class Drawn:
    """Groups of answers (ROLLOUTS) that a step drew, each with its problem; ``steps``: those that drew any."""

    groups: list[tuple[str, list[dict[str, Any]]]]
    steps: list[int]


def drawn(folder: Folder, stage: str, step: int) -> Drawn | None:
    """What a stage drew for a step, or for the last step before it that drew; None where nothing was kept."""
    path = folder.path / "training" / "rollouts" / f"{stage}.parquet"
    steps = folder.remembered(path, "steps", _steps)
    if not steps:
        return None
    own = max((each for each in steps if each <= step), default=steps[0])
    groups: list[tuple[str, list[dict[str, Any]]]] = []
    for row in folder.rows(path, schemas.ROLLOUTS, pl.col("step") == own).iter_rows(named=True):
        if row["number"] == 0 or not groups:
            groups.append((row["problem_id"], []))
        groups[-1][1].append(row)
    return Drawn(groups, steps)


def _steps(path: Path) -> list[int]:
    return scan_table(path, schemas.ROLLOUTS).select(pl.col("step").unique().sort()).collect()["step"].to_list()


def _height(path: Path) -> int:
    return int(scan_table(path, schemas.CURRICULUM).select(pl.len()).collect().item())


def strata(folder: Folder) -> list[str]:
    return sorted({path.parent.name for path in folder.files("curriculum/*/*.parquet")})
