"""Stages, their arguments and data; training itself runs in the workflow tests."""

import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reasonlite.config.experiment import parse_config
from reasonlite.config.stages import Grid, SftStage, arms, stages_of
from reasonlite.core.errors import UserError
from reasonlite.training import grpo, reuse, sft, states, teachers
from reasonlite.training.arguments import check_arguments
from reasonlite.training.processes import accumulation
from reasonlite.workflow.checks import training_complaints

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("sft", {"learning_rate": 1, "packing": True, "use_liger_kernel": True, "max_length": 5}),
        ("gold", {"lmbda": 0.5, "uld_use_hybrid_loss": True, "max_length": 9, "learning_rate": 1e-5}),
        ("distill", {"beta": 0.5, "max_completion_length": 8, "use_vllm": True, "lr_scheduler_type": "cosine"}),
        ("served", {"beta": 0.0, "loss_top_k": 5, "max_completion_length": 8}),
        ("grpo", {"num_generations": 8, "vllm_mode": "colocate", "beta": 0.0, "mask_truncated_completions": True}),
    ],
)
def test_arguments_of_trl_and_transformers_are_known(method, arguments):
    check_arguments(method, arguments, "stages")


@pytest.mark.parametrize(
    ("method", "name", "message"),
    [
        ("sft", "learning_rat", "did you mean learning_rate"),
        ("sft", "num_generations", "see TRL's SFTConfig"),
        ("grpo", "num_generation", "did you mean num_generations"),
        ("distill", "teacher_model_name_or_path", "is set by the workflow"),
        ("gold", "use_uld_loss", "is set by the workflow"),
        ("served", "teacher_model_server_url", "is set by the workflow"),
        ("distill", "loss_top_k", "did you mean top_k"),
        ("gold", "uld_use_hybrid_los", "did you mean uld_use_hybrid_loss"),
        ("sft", "seed", "is set by the workflow"),
        ("grpo", "report_to", "is no part of the experiment.*--set-resources train:report_to=trackio"),
        ("sft", "assistant_only_loss", "use completion_only_loss"),
        ("sft", "chat_template_path", "put the template into the start model"),
    ],
)
def test_unknown_and_reserved_arguments_are_named(method, name, message):
    with pytest.raises(UserError, match=f"(?s)stages.turbo.arguments.{name}: .*{message}"):
        check_arguments(method, {name: 1}, "stages.turbo.arguments")


def changed(*path, value):
    raw = yaml.safe_load((ROOT / "config" / "study-tiny.yaml").read_text())
    place = raw
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return raw


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("grid", "arms"), {"x": ["sft", "sfd"]}, "'sfd' is not one of kd, lora, rl, sft"),
        (("grid", "recipes", "sft", "data"), ["nothing"], r"data: 'nothing' is not one of traces"),
        (("grid", "recipes", "rl", "data"), ["traces"], r"data: 'traces' is not one of sums"),
        (("grid", "recipes", "kd", "teacher"), "someone", "teacher: 'someone' is not one of"),
        (("grid", "bases"), {"tiny": "huge"}, "start: 'huge' is not one of"),
        (("grid", "recipes", "sft", "method"), "dpo", "'dpo'"),
        (("grid", "recipes", "lora", "lora"), {"rank": 0}, "lora.rank"),
        (("grid", "recipes", "rl", "rewards"), {"right": 1}, "no such key"),
    ],
)
def test_a_stage_that_cannot_be_is_named(path, value, message):
    with pytest.raises(UserError, match=message):
        parse_config(changed(*path, value=value))


def test_a_stage_cannot_start_from_a_later_one():
    raw = changed("stages", value=[])
    later = {"name": "a", "method": "sft", "start": "b", "data": ["traces"]}
    raw["stages"] = [later, {**later, "name": "b", "start": "a"}]
    with pytest.raises(UserError, match=r"stages\[0\].start: 'b' is not one of"):
        parse_config(raw)


def test_the_studys_grid_trains_shared_beginnings_once():
    config = parse_config(yaml.safe_load((ROOT / "config" / "study.yaml").read_text()))
    chains = ["sft", "lora", "kd", "rl", "sft-rl", "kd-rl", "sft-kd", "sft-kd-rl", "sft-sft"]
    expected = {f"{base}-{chain}-s{seed}" for base in ("base", "instruct") for chain in chains for seed in (42, 43, 44)}
    assert {stage.name for stage in config.stages} == expected and len(config.stages) == 54
    starts = {stage.name: stage.start for stage in config.stages}
    assert starts["base-sft-kd-rl-s43"] == "base-sft-kd-s43" and starts["base-sft-kd-s43"] == "base-sft-s43"
    assert starts["instruct-rl-s42"] == "qwen25-05b-instruct"
    assert len(config.evaluation.models) == 2 + 8 * 2 * 3


NAMES = st.sampled_from(["a", "b", "c"])


@given(st.dictionaries(st.sampled_from(["x", "y", "z"]), st.lists(NAMES, min_size=1, max_size=4), min_size=1))
def test_every_arm_of_any_grid_ends_in_a_stage_whose_starts_come_before_it(chains):
    grid = Grid.model_validate(
        {"bases": {"p": "m"}, "seeds": [1, 2], "recipes": {name: {} for name in "abc"}, "arms": chains,
         "sampling": {"temperature": 0, "max_tokens": 1}}
    )  # fmt: skip
    known = {"m"}
    for stage in stages_of(grid):
        assert stage["start"] in known and stage["name"] not in known
        known.add(stage["name"])
    assert {arm.model for arm in arms(grid)} <= known
    beginnings = {tuple(chain[:length]) for chain in chains.values() for length in range(1, len(chain) + 1)}
    assert len(known) == 1 + 2 * len(beginnings)


def test_the_newest_complete_checkpoint_is_taken(tmp_path):
    assert states.newest_checkpoint(tmp_path) is None
    for step in (5, 20, 100):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if step != 100:  # the last one was cut off while it was written
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-tmp").mkdir()
    assert states.newest_checkpoint(tmp_path).name == "checkpoint-20"


@given(st.floats(0.01, 4), st.integers(1, 30), st.integers(0, 5))
def test_a_weight_is_how_often_an_example_is_seen(weight, count, seed):
    ids = [f"a{number}" for number in range(count)]
    seen = Counter(sft.weighted(ids, "a", weight, seed).tolist())
    assert seen.total() == int(weight) * count + round(count * (weight % 1))
    assert max(seen.values(), default=0) - (min(seen.values()) if len(seen) == count else 0) <= 1
    assert (sft.weighted(ids, "a", weight, seed) == sft.weighted(ids, "a", weight, seed)).all()


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30), st.integers(50, 2000), st.integers(0, 5))
def test_a_budget_of_tokens_is_met_to_within_an_example_and_all_are_seen_before_one_again(lengths, tokens, seed):
    lengths = np.array(lengths, np.int32)
    places = sft.up_to(tokens, lengths, seed, "stage s")
    total = lengths[places].sum()
    assert total <= tokens < total + lengths.max() + lengths.sum() * (tokens < lengths.sum())
    seen = Counter(places.tolist())
    assert max(seen.values()) - (min(seen.values()) if len(seen) == len(lengths) else 0) <= 1
    assert (places == sft.up_to(tokens, lengths, seed, "stage s")).all()
    first = places[: len(lengths)]
    assert len(set(first.tolist())) == len(first)


def test_a_budget_that_holds_no_example_or_is_given_twice_is_named():
    with pytest.raises(UserError, match=r"stage s.tokens: 5 tokens hold no example; the shortest has 9"):
        sft.up_to(5, np.array([9, 12], np.int32), 0, "stage s")
    stage = {"name": "s", "method": "sft", "start": "m", "data": ["a"], "tokens": 9}
    with pytest.raises(ValueError, match=r"tokens and arguments\.num_train_epochs: give one of them"):
        SftStage.model_validate(stage | {"arguments": {"num_train_epochs": 2}})


@pytest.mark.parametrize(
    ("reply", "label", "right", "formed"),
    [
        ("<think>\n1+1\n</think>So \\boxed{2}.", "2", 1.0, 1.0),
        ("So \\boxed{\\frac{4}{2}}.", "2", 1.0, 1.0),
        ("So \\boxed{3}.", "2", 0.0, 1.0),
        ("The answer is 2.", "2", 1.0, 0.0),
        ("<think>\n\\boxed{2}", "2", 0.0, 0.0),
        ("\\boxed{}", "2", 0.0, 0.0),
        ("", "2", 0.0, 0.0),
        ("I do not know", "2", 0.0, 0.0),
    ],
)
def test_rewards_are_our_own_verdicts(reply, label, right, formed):
    completions = [[{"role": "assistant", "content": reply}]]
    assert grpo.correct(completions, [label]) == [right]
    assert grpo.well_formed(completions) == [formed]
    assert grpo.correct([reply], [label]) == [right]


def test_what_was_made_from_anything_else_is_not_continued_and_the_same_is_not_trained_again(tmp_path):
    work, out = tmp_path / "work", {"checkpoint": tmp_path / "out", "log.parquet": tmp_path / "log"}
    reuse.clear_other(work, {"data": 1})
    (work / "checkpoint-5").mkdir()
    reuse.clear_other(work, {"data": 1})
    assert (work / "checkpoint-5").exists() and not reuse.is_finished(work, {"data": 1}, out)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "weights").write_text("w")
    (tmp_path / "log").write_text("l")
    reuse.keep_finished(work, out)
    assert not (work / "checkpoint-5").exists()
    shutil.rmtree(tmp_path / "out")
    assert reuse.is_finished(work, {"data": 1}, out) and not reuse.is_finished(work, {"data": 2}, out)
    reuse.take_finished(work, out)
    assert (tmp_path / "out" / "weights").read_text() == "w" and (tmp_path / "log").read_text() == "l"
    reuse.clear_other(work, {"data": 2})
    assert [path.name for path in work.iterdir()] == ["made_from.json"]


def test_a_stage_is_known_by_settings_models_tables_and_code(tmp_path):
    script = Path(__file__).parents[3] / "scripts" / "train_sft.py"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_text(name)
        (tmp_path / f"{name}.parquet").write_text(name)
    one, two = ([tmp_path / name] for name in ("one", "two"))
    tables = [[tmp_path / f"{name}.parquet"] for name in ("one", "two")]
    known = reuse.made_from(script, {"seed": 1}, one, tables[0])
    assert known == reuse.made_from(script, {"seed": 1}, one, tables[0])
    assert "reasonlite/training/sft.py" in known["code"]
    for other in (({"seed": 2}, one, tables[0]), ({"seed": 1}, two, tables[0]), ({"seed": 1}, one, tables[1])):
        assert reuse.made_from(script, *other) != known


@pytest.mark.parametrize(
    ("arguments", "processes", "parts"),
    [({"per_device_train_batch_size": 8}, 32, 1), ({"per_device_train_batch_size": 8}, 4, 8), ({}, 1, 32)],
)
def test_a_batch_is_the_same_however_many_share_it(arguments, processes, parts):
    stage = {"name": "turbo", "batch_size": 256, "arguments": arguments}
    assert accumulation(stage, processes) == parts
    assert accumulation(stage | {"batch_size": None}, processes) is None


def test_processes_that_do_not_make_up_the_batch_are_named_before_anything_runs(tmp_path):
    def job(rule, config_file, nodes):
        resources = {"nodes": nodes, "accelerate_config": str(config_file)}
        return SimpleNamespace(
            rule=SimpleNamespace(name=rule), resources=resources, wildcards=SimpleNamespace(stage="t")
        )

    arguments = {"per_device_train_batch_size": 8}
    stages = {"t": {"settings": {"name": "t", "batch_size": 128, "arguments": arguments}}}
    node8 = ROOT / "envs" / "accelerate" / "node8.yaml"
    assert training_complaints([job("train", node8, 2), job("vote", "", 3)], stages) == []
    for nodes, file, said in ((4, node8, "128 is no multiple of 256"), (1, tmp_path / "x.yaml", "no such file")):
        (complaint,) = training_complaints([job("train", file, nodes)], stages)
        assert said in complaint and "what to do:" in complaint
    node8 = job("train", node8, 2)
    for shown, said in (("trackyo", "'trackyo' is no tracker"), ("none, wandb", "wandb is not installed")):
        node8.resources["report_to"] = shown
        (complaint,) = training_complaints([node8], stages)
        assert said in complaint and "what to do:" in complaint
    assert training_complaints([node8], stages, here=False) == []  # a container has packages of its own


def test_a_served_teacher_without_an_address_is_named_before_anything_runs():
    resources = {"accelerate_config": str(ROOT / "envs" / "accelerate" / "cpu.yaml"), "teacher_server": "none"}
    job = SimpleNamespace(rule=SimpleNamespace(name="train"), resources=resources, wildcards=SimpleNamespace(stage="t"))
    stages = {"t": {"settings": {"name": "t", "batch_size": None, "arguments": {}, "served": True}}}
    (complaint,) = training_complaints([job], stages)
    assert "stages.t: its teacher is served" in complaint and "train:teacher_server=http" in complaint
    resources["teacher_server"] = "node7:8000"
    assert "is no address" in training_complaints([job], stages)[0]
    resources["teacher_server"] = "http://node7:8000/v1/"
    assert training_complaints([job], stages) == []
    assert teachers.address("http://node7:8000/v1/", "x") == "http://node7:8000"


def test_a_batch_has_one_size():
    with pytest.raises(ValidationError, match="give one of them"):
        SftStage(
            name="t", method="sft", start="m", data=["s"], batch_size=8, arguments={"gradient_accumulation_steps": 2}
        )


def test_a_checkpoint_of_other_processes_is_refused_where_they_would_make_other_batches(tmp_path):
    for rank in range(2):
        (tmp_path / f"rng_state_{rank}.pth").touch()
    trainer = SimpleNamespace(args=SimpleNamespace(world_size=4), is_deepspeed_enabled=False)
    states.prepare(trainer, tmp_path, batch_size=8)
    with pytest.raises(UserError, match="was written by 2 processes, and 4 would make other batches"):
        states.prepare(trainer, tmp_path, batch_size=None)
    trainer.args.world_size = 2
    states.prepare(trainer, tmp_path, batch_size=None)
