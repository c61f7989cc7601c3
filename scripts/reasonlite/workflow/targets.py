"""Which tables and figures can be made of what a results folder holds, without running anything dear."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def existing_parts(plan: dict[str, Any], folder: Path) -> set[str]:
    """What a results folder holds whole, so that tables and figures can be made of it and nothing else is run.

    results: every judged benchmark; labels: votes, judged answers and curriculum of every shard;
    training: every stage's log; rollouts: the answers that every stage of reinforcement learning kept.
    """
    judged = [f"judged/{effort}" for effort in plan["teacher"]["efforts"]] if plan["teacher"] else []
    examples = [f"curriculum/funnel/{stratum}" for stratum in plan["strata"]]
    labels = ["votes", "problems/shards", *judged, *examples]
    wanted = {
        "results": [
            f"evaluation/{model}/{name}/judged" for model, names in plan["evaluated"].items() for name in names
        ],
        "labels": [f"{part}/{shard}" for part in labels for shard in plan["shards"]],
        "training": [f"training/{stage}" for stage in plan["stages"]],
        "rollouts": [f"training/rollouts/{name}" for name, each in plan["stages"].items() if _by_reward(each)],
    }
    return {part for part, paths in wanted.items() if all((folder / f"{path}.parquet").is_file() for path in paths)}


def _by_reward(stage: dict[str, Any]) -> bool:
    return bool(stage["settings"]["method"] == "grpo")
