"""The answers that reinforcement learning learnt from, with their verdicts, rewards and advantages.

TRL keeps those of the newest generation only. Here each generation becomes a file in the stage's work folder, so a
killed training loses none, and one table in the end. Does not know how rewards are worked out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from reasonlite.core.schemas import ROLLOUTS
from reasonlite.core.seeding import shuffle_key
from reasonlite.core.tables import TableWriter, read_table, write_table
from reasonlite.judge.graders import text_of

FOLDER = "rollouts"  # in the work folder: <step>-<generation>.parquet
ALL_RIGHT, ALL_WRONG = "groups/all_right", "groups/all_wrong"  # names under which they are logged
EXTRA = ["problem_id", "tokens", "truncated", "answer", "verdict", "method"]


class Rollouts:
    """Keeps a share of the groups of each generation, ``group`` answers each; used by the first process alone."""

    def __init__(self, folder: Path, group: int, share: float, seed: int, weights: tuple[float, float]) -> None:
        self._folder, self._group, self._share, self._seed, self._weights = folder, group, share, seed, weights
        self._step, self._drawn = -1, 0  # the newest step, and its generations before the newest one

    def take(self, step: int, logs: dict[str, Any]) -> dict[str, float]:
        """Write a generation's answers (ROLLOUTS) and give the shares of groups all right and all wrong.

        ``logs``: TRL's record of the newest generation of all processes, groups one after the other.
        """
        extra, rewards = logs["extra"], logs["rewards"]
        right, formed = self._weights
        columns = {
            "step": [step] * len(logs["prompt"]),
            "number": [place % self._group for place in range(len(logs["prompt"]))],
            "prompt": list(logs["prompt"]),
            "completion": [text_of(completion) for completion in logs["completion"]],
            **{name: list(extra[name]) for name in EXTRA},
            "correct": list(rewards["correct"]),
            "format": list(rewards["well_formed"]),
            "advantage": list(logs["advantages"]),
        }
        schema = {name: kind for name, kind in ROLLOUTS.items() if name in columns}
        rows = pl.DataFrame(columns, schema=schema)
        rows = rows.with_columns((pl.col("correct") * right + pl.col("format") * formed).alias("reward"))
        in_group = pl.int_range(pl.len()) // self._group
        groups = rows.group_by(in_group.alias("group")).agg(
            pl.col("correct").min().eq(1).alias(ALL_RIGHT), pl.col("correct").max().eq(0).alias(ALL_WRONG)
        )
        kept = [self._keeps(step, name) for name in rows["problem_id"]]
        self._drawn = self._drawn + 1 if step == self._step else 0
        self._step = step
        write_table(
            self._folder / f"{step:08d}-{self._drawn:04d}.parquet",
            rows.filter(pl.Series(kept, dtype=pl.Boolean)),
            ROLLOUTS,
        )
        return {name: float(groups[name].sum()) / groups.height for name in (ALL_RIGHT, ALL_WRONG)}

    def _keeps(self, step: int, problem: str) -> bool:
        return shuffle_key(self._seed, f"{step}/{problem}") < self._share * 2**64


def kept(trainer_class: type) -> type:
    """The trainer of GRPO, with ``rollouts`` told of every generation."""

    class Kept(trainer_class):
        rollouts: Rollouts

        def _calculate_rewards(self, inputs: Any, prompts: Any, completions: Any, completion_ids_list: Any) -> Any:
            ends = {*self.eos_token_ids, self.processing_class.pad_token_id}
            self._log_completion_extra("problem_id", [row["id"] for row in inputs])
            self._log_completion_extra("tokens", [len(ids) for ids in completion_ids_list])
            self._log_completion_extra("truncated", [not ids or ids[-1] not in ends for ids in completion_ids_list])
            return super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)

        def _generate_and_score_completions(self, inputs: Any) -> Any:
            made = super()._generate_and_score_completions(inputs)
            if self.is_world_process_zero():
                for name, share in self.rollouts.take(self.state.global_step + 1, self._logs).items():
                    self._metrics["train"][name].append(share)
            return made

    return Kept


def forget_after(work: Path, step: int) -> None:
    """Remove what a killed try drew after the checkpoint of ``step``, from which training goes on."""
    for path in (work / FOLDER).glob("*.parquet"):
        if int(path.stem.partition("-")[0]) > step:
            path.unlink()


def gather(work: Path, table: Path) -> None:
    """Write one table of all generations; an empty one for stages that have none."""
    with TableWriter(table, ROLLOUTS) as writer:
        for path in sorted((work / FOLDER).glob("*.parquet")):
            writer.write(read_table(path, ROLLOUTS))
