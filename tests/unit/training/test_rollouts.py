"""What reinforcement learning learnt from: kept by generation, through kills, and counted by phase."""

from collections import defaultdict

import polars as pl
import pytest

from reasonlite.core.schemas import ROLLOUTS
from reasonlite.report.rollouts import by_phase
from reasonlite.training import grpo, rollouts

PROMPT = [{"role": "user", "content": "1 + 1"}]


def logs_of(groups, truncated=False):
    """TRL's record of a generation: problems with the final answers of their group, all labelled 2."""
    found = {"prompt": [], "completion": [], "advantages": [], "rewards": defaultdict(list), "extra": defaultdict(list)}
    for problem, answers in groups:
        completions = [[{"role": "assistant", "content": answer}] for answer in answers]
        right = grpo.correct(completions, ["2"] * len(answers), log_extra=lambda n, v: found["extra"][n].extend(v))
        found["rewards"]["correct"] += right
        found["rewards"]["well_formed"] += grpo.well_formed(completions)
        found["prompt"] += [PROMPT] * len(answers)
        found["completion"] += completions
        found["advantages"] += [value - sum(right) / len(right) for value in right]
        found["extra"]["problem_id"] += [problem] * len(answers)
        found["extra"]["tokens"] += [len(answer) for answer in answers]
        found["extra"]["truncated"] += [truncated] * len(answers)
    return found


RIGHT, WRONG, NONE = "\\boxed{2}", "\\boxed{3}", "no answer"


def kept(tmp_path, share=1.0):
    return rollouts.Rollouts(tmp_path / rollouts.FOLDER, 2, share, 7, (1.0, 0.5))


def table(tmp_path):
    rollouts.gather(tmp_path, tmp_path / "rl.parquet")
    return pl.read_parquet(tmp_path / "rl.parquet")


def test_a_generation_is_kept_with_verdicts_rewards_and_places(tmp_path):
    told = kept(tmp_path).take(3, logs_of([("s:1", [RIGHT, WRONG]), ("s:2", [RIGHT, RIGHT]), ("s:1", [NONE, WRONG])]))
    assert told == {rollouts.ALL_RIGHT: pytest.approx(1 / 3), rollouts.ALL_WRONG: pytest.approx(1 / 3)}
    rows = table(tmp_path)
    assert rows.schema == ROLLOUTS and rows["step"].to_list() == [3] * 6
    assert rows["number"].to_list() == [0, 1] * 3 and rows["problem_id"].to_list()[::2] == ["s:1", "s:2", "s:1"]
    assert rows["verdict"].to_list() == ["equal", "different", "equal", "equal", None, "different"]
    assert rows["method"].to_list()[:2] == ["text", "number"] and rows["answer"].to_list()[4] is None
    assert rows["reward"].to_list() == [1.5, 0.5, 1.5, 1.5, 0.0, 0.5]
    assert rows["advantage"].to_list()[:2] == [0.5, -0.5] and rows["prompt"].to_list()[0] == PROMPT


def test_whole_groups_are_kept_by_the_share_and_the_same_ones_again(tmp_path):
    groups = [(f"s:{number}", [RIGHT, WRONG]) for number in range(400)]
    for folder in ("one", "two"):
        kept(tmp_path / folder, 0.25).take(1, logs_of(groups))
    one, two = table(tmp_path / "one"), table(tmp_path / "two")
    assert one.equals(two) and 60 < one["problem_id"].n_unique() < 140
    assert one.group_by("problem_id").len()["len"].unique().to_list() == [2]
    told = kept(tmp_path / "none", 0.0).take(1, logs_of(groups))
    assert told[rollouts.ALL_WRONG] == 0 and table(tmp_path / "none").is_empty()


def test_what_a_killed_try_drew_after_its_checkpoint_is_forgotten(tmp_path):
    for step in (1, 2, 3):
        kept(tmp_path).take(step, logs_of([("s:1", [RIGHT, WRONG])]))
    rollouts.forget_after(tmp_path, 1)
    kept(tmp_path).take(2, logs_of([("s:9", [WRONG, WRONG])]))
    assert table(tmp_path).select("step", "problem_id").rows() == [(1, "s:1")] * 2 + [(2, "s:9")] * 2


def test_several_generations_of_a_step_are_all_kept(tmp_path):
    keeping = kept(tmp_path)
    for step, problem in ((1, "s:1"), (1, "s:2"), (2, "s:3"), (2, "s:4")):
        keeping.take(step, logs_of([(problem, [RIGHT, WRONG])]))
    assert table(tmp_path)["problem_id"].to_list()[::2] == ["s:1", "s:2", "s:3", "s:4"]
    rollouts.forget_after(tmp_path, 1)
    assert table(tmp_path)["problem_id"].to_list()[::2] == ["s:1", "s:2"]


def test_a_stage_without_any_gets_an_empty_table(tmp_path):
    assert table(tmp_path).schema == ROLLOUTS and table(tmp_path).is_empty()


def test_phases_count_answers_and_groups(tmp_path):
    steps = {
        1: [("s:1", [RIGHT, WRONG]), ("s:1", [NONE, WRONG])],
        9: [("s:2", [RIGHT, RIGHT])],
        20: [("s:3", [WRONG, NONE])],
    }
    for step, groups in steps.items():
        kept(tmp_path).take(step, logs_of(groups, truncated=step == 20))
    table(tmp_path)
    found = by_phase({"rl": tmp_path / "rl.parquet"})
    assert found.select("stage", "first", "last", "groups", "answers").rows() == [
        ("rl", 1, 1, 2, 4),
        ("rl", 9, 9, 1, 2),
        ("rl", 20, 20, 1, 2),
    ]
    assert found["correct"].to_list() == [25, 100, 0] and found["no_answer"].to_list() == [25, 0, 50]
    assert found["all_right"].to_list() == [0, 100, 0] and found["all_wrong"].to_list() == [50, 0, 100]
    assert found["no_signal"].to_list() == [0, 100, 0] and found["truncated"].to_list() == [0, 0, 100]
    assert found["reward"].to_list() == [pytest.approx((1.5 + 0.5 + 0 + 0.5) / 4), 1.5, 0.25]
    assert by_phase({}).is_empty()
