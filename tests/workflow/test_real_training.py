"""Training for real on a CPU: every method, chains from config alone, kills, two processes, bad input."""

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
import yaml
from running import ROOT, environment, need_vllm, run_snakemake, warm

from reasonlite.core.schemas import CURRICULUM
from reasonlite.core.seeding import place_of
from reasonlite.core.tables import frame_of, write_table

pytestmark = [pytest.mark.slow, pytest.mark.full]


def command(start, folder, data, stage, accelerate="envs/accelerate/cpu.yaml"):
    stage = {"name": "turbo", "method": "sft", "start": "tiny", "data": ["short"]} | stage
    return [
        *("python", "scripts/launch.py", "--config-file", accelerate, "--threads", "2", "--"),
        *(f"scripts/train_{stage['method']}.py", "--stage", json.dumps(stage), "--start", str(start)),
        *("--data", str(data), "--seed", "0", "--work", str(folder / "work"), "--output", str(folder / "out")),
        *("--log-table", str(folder / "log.parquet"), "--speed-table", str(folder / "speed.parquet")),
        *("--learned-table", str(folder / "learned.parquet")),
        *("--rollouts-table", str(folder / "rollouts.parquet")),
    ]


def start(line, folder, around=environment, **surroundings):
    folder.mkdir(exist_ok=True)
    with (folder / "stderr").open("a") as output:
        around = around() | surroundings
        return subprocess.Popen(line, cwd=ROOT, env=around, stdout=output, stderr=output, start_new_session=True)


def finish(line, folder, **surroundings):
    process = start(line, folder, warm, **surroundings)
    assert process.wait(3600) == 0, (folder / "stderr").read_text()[-4000:]
    return pl.read_parquet(folder / "log.parquet")


@pytest.fixture(scope="module")
def sums(tiny_model, tmp_path_factory) -> Path:
    """Sixteen examples of unequal length, as tokens."""
    rows = []
    for number in range(16):
        reasoning = "\n".join(f"{number} + {term} = {number + term}" for term in range(1 + number % 5))
        turn = [
            {"role": "user", "content": f"{number}+1?"},
            {"role": "assistant", "content": f"<think>\n{reasoning}\n</think>\\boxed{{{number + 1}}}"},
        ]
        rows.append({"answer_id": f"s:{number}_0", "problem_id": f"s:{number}", "source": "s", "effort": "e",
                     "tokens": 5, "messages": turn})  # fmt: skip
    path = tmp_path_factory.mktemp("data") / "short" / "00000.parquet"
    write_table(path, frame_of(rows, CURRICULUM), CURRICULUM)
    return tokenized(path, tiny_model)


def tokenized(table: Path, model: Path) -> Path:
    made = table.with_suffix(".arrow")
    line = ["python", "scripts/tokenize_examples.py", "--table", str(table), "--model", str(model)]
    subprocess.run([*line, "--output", str(made)], cwd=ROOT, env=warm(), check=True, capture_output=True)
    return made


STEPS = {
    **{"max_steps": 60, "save_steps": 5, "logging_steps": 1, "per_device_train_batch_size": 4, "learning_rate": 1e-2},
    **{"bf16": False, "gradient_checkpointing": False, "completion_only_loss": True, "save_total_limit": 2},
    "train_sampling_strategy": "group_by_length",  # whose order after a kill TRL does not keep
}


@pytest.fixture(scope="module")
def whole(tiny_model, sums, tmp_path_factory):
    """The folder of a training that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(command(tiny_model, folder, sums, {"arguments": STEPS}), folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(whole):
    return pl.read_parquet(whole / "log.parquet")


def learned(folder):
    """Ids of the examples of each step, sorted: in which order processes note them is theirs."""
    table = pl.read_parquet(folder / "learned.parquet")
    assert table["stratum"].unique().to_list() == ["short"] and table["step"].is_sorted()
    return {step: sorted(part["answer_id"]) for (step,), part in table.group_by("step", maintain_order=True)}


def test_each_steps_examples_are_noted(whole):
    steps = learned(whole)
    assert list(steps) == list(range(1, 61)) and {len(ids) for ids in steps.values()} == {4}
    for first in range(1, 61, 4):  # an epoch
        seen = [name for step in range(first, first + 4) for name in steps[step]]
        assert sorted(seen) == sorted(f"s:{number}_0" for number in range(16))


def test_batches_without_padding_learn_the_same_from_the_same_examples(undisturbed, whole, tiny_model, sums, tmp_path):
    arguments = STEPS | {"padding_free": True, "lr_scheduler_type": "constant"}
    log = finish(command(tiny_model, tmp_path, sums, {"arguments": arguments | {"max_steps": 8}}), tmp_path)
    assert list(learned(tmp_path).values()) == list(learned(whole).values())[:8]
    # the undisturbed run's learning rate falls over 60 steps, so only the first losses can be alike to all digits
    assert log["loss"][:2].to_list() == pytest.approx(undisturbed["loss"][:2].to_list(), rel=1e-4)


def test_training_lowers_the_loss(undisturbed):
    assert undisturbed["step"].to_list() == list(range(1, 61))
    assert undisturbed["loss"][-5:].mean() < 0.5 * undisturbed["loss"][0]


def test_a_run_killed_and_one_warned_end_with_the_undisturbed_loss_curve(whole, tiny_model, sums, tmp_path):
    undisturbed = pl.read_parquet(whole / "log.parquet")
    line = command(tiny_model, tmp_path, sums, {"arguments": STEPS})
    first = start(line, tmp_path)
    wait_for(tmp_path / "work" / "checkpoint-10" / "trainer_state.json", first)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    (tmp_path / "work" / "checkpoint-500").mkdir()  # as a kill leaves one that was being written
    second = start(line, tmp_path)
    wait_for(tmp_path / "work" / "checkpoint-25" / "trainer_state.json", second)
    os.killpg(second.pid, signal.SIGURG)
    assert second.wait(3600) != 0 and not (tmp_path / "out").exists()
    assert "is kept as a checkpoint; it continues" in (tmp_path / "stderr").read_text()
    assert finish(line, tmp_path).equals(undisturbed) and learned(tmp_path) == learned(whole)
    assert (tmp_path / "stderr").read_text().count("continuing from checkpoint-") == 2
    assert (tmp_path / "out" / "model.safetensors").exists()
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["finished", "made_from.json"]
    weights = (tmp_path / "out" / "model.safetensors").read_bytes()
    shutil.rmtree(tmp_path / "out")  # as Snakemake does before it runs the job again
    assert finish(line, tmp_path).equals(undisturbed)
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == weights
    said = (tmp_path / "stderr").read_text()
    assert said.count("its files are put in place again") == 1 and "begins anew" not in said


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None, path.parents[2].joinpath("stderr").read_text()[-3000:]
        time.sleep(0.02)


def test_two_processes_walk_the_same_losses_as_one_which_goes_on_for_them(undisturbed, tiny_model, sums, tmp_path):
    accelerate = yaml.safe_load((ROOT / "envs" / "accelerate" / "gloo.yaml").read_text()) | {"num_processes": 2}
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(accelerate))
    arguments = STEPS | {"per_device_train_batch_size": 2, "max_steps": 20, "lr_scheduler_type": "constant"}
    stage = {"arguments": arguments, "batch_size": 4}
    at_once = {"arguments": arguments | {"per_device_train_batch_size": 4}, "batch_size": 4}
    one = finish(command(tiny_model, tmp_path / "one", sums, at_once), tmp_path / "one")
    process = start(command(tiny_model, tmp_path / "two", sums, stage, str(tmp_path / "two.yaml")), tmp_path / "two")
    wait_for(tmp_path / "two" / "work" / "checkpoint-10" / "trainer_state.json", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    both = finish(command(tiny_model, tmp_path / "two", sums, stage), tmp_path / "two")
    assert "was written by 2 processes, and 1 go on" in (tmp_path / "two" / "stderr").read_text()
    assert both["loss"].to_list() == pytest.approx(one["loss"].to_list(), rel=2e-3)
    assert learned(tmp_path / "two") == learned(tmp_path / "one")  # of both processes, and of the one that went on


def test_zeros_parts_of_the_optimizer_are_put_together_for_another_number(tiny_model, sums, tmp_path):
    if importlib.util.find_spec("deepspeed") is None:
        pytest.skip("deepspeed is not installed (make setup ROLE=cuda has it)")
    zero = yaml.safe_load((ROOT / "envs" / "accelerate" / "zero1.yaml").read_text()) | {"mixed_precision": "no"}
    for number in (1, 2):
        (tmp_path / f"{number}.yaml").write_text(yaml.safe_dump(zero | {"num_processes": number}))
    # without a GPU DeepSpeed has to be told so, and transformers which collectives to take
    arguments = STEPS | {"per_device_train_batch_size": 2, "max_steps": 20, "ddp_backend": "gloo"}
    whole, killed, alone = (
        command(tiny_model, tmp_path / name, sums, {"arguments": arguments, "batch_size": 4}, str(tmp_path / config))
        for name, config in (("whole", "2.yaml"), ("killed", "2.yaml"), ("killed", "1.yaml"))
    )
    undisturbed = finish(whole, tmp_path / "whole", DS_ACCELERATOR="cpu")
    process = start(killed, tmp_path / "killed", DS_ACCELERATOR="cpu")
    wait_for(tmp_path / "killed" / "work" / "checkpoint-10" / "trainer_state.json", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    both = finish(alone, tmp_path / "killed", DS_ACCELERATOR="cpu")
    assert both["loss"].to_list() == pytest.approx(undisturbed["loss"].to_list(), rel=2e-3)


def rank_one(work: Path) -> int:
    """The second of the processes that train in a folder."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            given = (entry / "cmdline").read_bytes()
            if str(work).encode() in given and b"\0RANK=1\0" in (entry / "environ").read_bytes():
                return int(entry.name)
    raise AssertionError("no second process")


def test_two_processes_that_hang_or_are_killed_continue_as_well(tiny_model, sums, tmp_path):
    accelerate = yaml.safe_load((ROOT / "envs" / "accelerate" / "gloo.yaml").read_text()) | {"num_processes": 2}
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(accelerate))
    arguments = STEPS | {"per_device_train_batch_size": 2, "max_steps": 24}
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    lines = [
        command(tiny_model, tmp_path / name, sums, {"arguments": arguments}, str(tmp_path / "two.yaml"))
        for name in ("whole", "killed")
    ]
    whole = finish(lines[0], tmp_path / "whole")
    process = start(lines[1], tmp_path / "killed", REASONLITE_STALL_SECONDS="60")
    wait_for(tmp_path / "killed" / "work" / "checkpoint-5" / "trainer_state.json", process)
    hanging = rank_one(tmp_path / "killed" / "work")
    os.kill(hanging, signal.SIGSTOP)  # the first one waits for it in a collective, until its guard ends it
    while "stalled: no training step for" not in (tmp_path / "killed" / "stderr").read_text():
        assert process.poll() is None
        time.sleep(0.2)
    assert process.wait(600) != 0  # the launcher ends the other
    said = (tmp_path / "killed" / "stderr").read_text()
    # the stack of the rank that waited: in a step, or where the checkpoint is saved, which the other one did not finish
    assert "what to do: the next try goes on by itself" in said and "in _inner_training_loop" in said
    process = start(lines[1], tmp_path / "killed")
    wait_for(tmp_path / "killed" / "work" / "checkpoint-15" / "trainer_state.json", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert finish(lines[1], tmp_path / "killed").equals(whole)


BAD = """
import json, os, sys
from pathlib import Path
from reasonlite.core.errors import UserError
from reasonlite.config.stages import Stage
from reasonlite.training import common, distill, sft
from pydantic import TypeAdapter
start, other, data, none, problems, folder = map(Path, sys.argv[1:])
def attempt(name, train, stage, paths, model=start, teacher=None):
    base = {"name": name, "start": "tiny", "method": "sft", "data": ["short"]}
    stage = TypeAdapter(Stage).validate_python(base | stage)
    job = common.Job(stage, model, paths, teacher, 0, folder / name, folder / f"{name}-out", folder / f"{name}.log",
                     folder / f"{name}.speed", folder / f"{name}.learned",
                     folder / f"{name}.rollouts")
    try:
        train(job)
    except UserError as error:
        print(json.dumps([name, str(error)]))
small = {"max_steps": 30, "per_device_train_batch_size": 4, "bf16": False, "gradient_checkpointing": False}
attempt("empty", sft.train, {}, [none])
attempt("long", sft.train, {"too_long": "refuse", "arguments": {"max_length": 60}}, [data])
attempt("targets", sft.train, {"lora": {"targets": ["query"]}, "arguments": small}, [data])
attempt("nan", sft.train, {"arguments": small | {"learning_rate": 1e30, "max_grad_norm": 0}}, [data])
attempt("tokens", distill.train, {"method": "distill", "teacher": "o", "data": ["s"], "arguments": {"bf16": False}},
        [problems], teacher=other)
attempt("roles", sft.train, {"arguments": small}, [data], model=other)
"""


@pytest.fixture(scope="module")
def refusals(tiny_model, sums, tmp_path_factory):
    """All bad inputs in one process, because importing the trainers is what takes long."""
    folder = tmp_path_factory.mktemp("bad")
    none = folder / "short" / "none.parquet"
    write_table(none, frame_of([], CURRICULUM), CURRICULUM)
    other = folder / "other"
    other.mkdir()
    for file in tiny_model.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    tokenizer = json.loads((other / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    first, second = list(vocabulary)[1000:1002]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    (other / "tokenizer.json").write_text(json.dumps(tokenizer))
    template = (
        "{% for m in messages %}{% if m.role != 'user' %}{{ raise_exception('only users') }}{% endif %}{% endfor %}"
    )
    (other / "chat_template.jinja").write_text(template)
    paths = [tiny_model, other, sums, tokenized(none, tiny_model), folder / "none", folder]
    done = subprocess.run(
        [sys.executable, "-c", BAD, *map(str, paths)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=3600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return folder, dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith('["'))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty", "stage empty: there are no training examples"),
        ("long", "examples are longer than max_length 60 (the longest, s:"),
        ("targets", "stages.targets.lora.targets: no module of the model is called query"),
        ("nan", "the loss is nan at step"),
        (
            "tokens",
            "stages.tokens.teacher: student and teacher have other tokenizers (2 of the teacher's tokens differ)",
        ),
        ("roles", "00000.arrow was made by another tokenizer or chat template"),
    ],
)
def test_bad_input_is_named(refusals, name, said):
    assert said in refusals[1][name] and "what to do:" in refusals[1][name]


def test_a_loss_that_is_no_number_names_the_batch_and_leaves_the_checkpoint_before_it(refusals):
    folder, said = refusals
    assert "examples s:" in said["nan"]
    assert not (folder / "nan-out").exists() and not (folder / "nan.log").exists()


@pytest.fixture(scope="module")
def study(project) -> Path:
    need_vllm()
    done = run_snakemake(project, "--cores", "2", "--configfile", "config/study-tiny.yaml")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return project / "results" / "study-tiny"


def test_a_tracker_shows_a_training_and_changes_nothing_of_it(tiny_model, sums, tmp_path):
    packages = tmp_path / "packages"
    line = [*("uv", "pip", "install", "--quiet", "--python", sys.executable, "--no-deps", "--target", str(packages))]
    got = subprocess.run([*line, "--requirement", "envs/trackio.in"], cwd=ROOT, capture_output=True, text=True)
    if got.returncode:
        pytest.skip(f"trackio could not be installed: {got.stderr[-200:]}")
    results = tmp_path / "results" / "mine"
    line = command(tiny_model, tmp_path, sums, {"arguments": STEPS | {"max_steps": 6}})
    shown = [*line, "--report-to", "trackio", "--trackers", str(results / "trackers")]
    where = {"PYTHONPATH": os.pathsep.join(filter(None, [environment().get("PYTHONPATH", ""), str(packages)]))}
    log = finish(shown, tmp_path, **where)
    script = "import json, trackio.sqlite_storage as s; print(json.dumps(s.SQLiteStorage.get_logs('mine', 'turbo')))"
    told = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | where | {"TRACKIO_DIR": str(results / "trackers" / "trackio")},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    losses = [row["train/loss"] for row in json.loads(told.stdout) if "train/loss" in row]
    assert losses == pytest.approx(log["loss"].to_list())
    resolved = json.loads((tmp_path / "out" / "training.json").read_text())["resolved"]
    assert not {"report_to", "run_name", "project"} & set(resolved)
    shutil.rmtree(tmp_path / "out")
    assert finish(line, tmp_path).equals(log)  # without it nothing is trained again
    assert "put in place again" in (tmp_path / "stderr").read_text()


def test_each_method_does_what_it_is_for(study):
    logs = {path.stem: pl.read_parquet(path) for path in (study / "training").glob("*.parquet")}
    assert set(logs) == {"across", *(f"tiny-{chain}-s0" for chain in ("sft", "sft-lora", "sft-rl", "sft-rl-kd"))}
    across = logs["across"]["loss"]  # of a teacher with another tokenizer
    assert across[-2:].mean() < across[:2].mean(), across.to_list()
    for name in ("tiny-sft-s0", "tiny-sft-lora-s0", "tiny-sft-rl-kd-s0"):
        loss = logs[name]["loss"]  # of few drawn texts in distillation, so up and down
        assert loss[-4:].mean() < 0.95 * loss[:4].mean(), (name, loss.to_list())
    reward = logs["tiny-sft-rl-s0"]["reward"]
    # of the two rewards the miniature earns that for form, which is 1 at most; it rose from 0.1 to 0.95
    assert reward[-6:].mean() > max(reward[:6].mean() + 0.05, 0.85), reward.to_list()


def test_what_reinforcement_learning_met_is_kept_and_counted(study):
    name = "tiny-sft-rl-s0"
    log, drawn = (pl.read_parquet(study / "training" / part / f"{name}.parquet") for part in (".", "rollouts"))
    assert drawn.group_by("step").len()["len"].unique().to_list() == [16] and drawn["step"].n_unique() == 24
    by_step = drawn.group_by("step", maintain_order=True).agg(
        pl.mean("reward", "correct", "format", "truncated"), pl.mean("tokens").alias("completion_length")
    )
    for column in ("reward", "correct", "format", "truncated", "completion_length"):
        assert log[column].to_list() == pytest.approx(by_step[column].to_list()), column
    groups = drawn.group_by("step", pl.int_range(pl.len()) // 8, maintain_order=True)
    means = groups.agg(pl.mean("advantage"), pl.max("correct"))
    assert means["advantage"].abs().max() < 1e-4  # each answer beside those of its group
    wrong = means.group_by("step", maintain_order=True).agg((pl.col("correct") == 0).mean())["correct"]
    assert log["all_wrong"].to_list() == pytest.approx(wrong.to_list()) and log["entropy"].min() > 0
    assert drawn["prompt"][0][0]["content"].startswith("State the final answer")
    assert set(drawn["verdict"]) <= {"equal", "different", "undecided", None}
    table = pl.read_csv(study / "tables" / "rollouts.csv")
    assert table["answers"].sum() == drawn.height and table["last"].max() == 24
    assert (study / "figures" / "reinforcement.svg").exists()
    assert pl.read_parquet(study / "training" / "rollouts" / "tiny-sft-s0.parquet").is_empty()


def test_stages_choose_their_problems_by_the_teachers_verdicts_or_their_own_starts(study):
    own, teachers = (pl.read_parquet(study / "difficulty" / name) for name in ("own-tiny-sft-rl-s0", "teacher"))
    assert own["answers"].to_list() == [2] * 16 and own["pass_rate"].mean() < teachers["pass_rate"].mean()
    judged = pl.read_parquet(study / "probes" / "own-tiny-sft-rl-s0" / "judged")
    assert judged["effort"].unique().to_list() == ["own-tiny-sft-rl-s0"] and judged.height == 32
    drawn = pl.read_parquet(study / "training" / "rollouts" / "tiny-sft-rl-s0.parquet")["problem_id"].value_counts()
    seen = teachers.join(drawn, on="problem_id", how="left").with_columns(pl.col("count").fill_null(0))
    hard, easy = (seen.filter(pl.col("pass_rate") == rate)["count"].mean() for rate in (0, 1))
    assert hard > easy  # by the weight 1.5 - pass_rate


def test_a_second_teacher_is_asked_its_part_of_the_problems_and_told_apart(study):
    first, second = (pl.read_parquet(study / "judged" / effort) for effort in ("medium", "second"))
    assert first["problem_id"].n_unique() == 16 > second["problem_id"].n_unique() > 2
    assert set(second["problem_id"]) == {name for name in first["problem_id"] if place_of(name) >= 0.5}
    votes = pl.read_parquet(study / "votes")
    assert votes["drawn"].to_list() == [2] * 16  # those of the first alone
    parts = set(pl.read_csv(study / "tables" / "lengths.csv")["part"])
    assert {"teacher, medium", "teacher, second"} <= parts


def test_the_engine_ends_thinking_at_its_budget(study):
    answers = pl.read_parquet(study / "evaluation" / "smollm2-think6" / "heldout" / "answers.parquet")
    thought = answers["text"].str.extract(r"<think>(.*?)</think>").drop_nulls()
    assert len(thought) >= 9 and thought.str.len_chars().max() < len("We are asked for 7 + 5. ")  # six tokens
    curves = pl.read_csv(study / "tables" / "curves.csv").filter(pl.col("curve") == "thinking")
    assert curves.select("model", "x").rows() == [("smollm2", 6)]


def test_checkpoints_load_alike_and_say_what_they_are(study):
    for folder in (path for path in (study / "checkpoints").iterdir() if path.is_dir()):
        assert (folder / "model.safetensors").exists() and not list(folder.glob("adapter*"))
        summary = json.loads((folder / "training.json").read_text())
        assert summary["resolved"]["learning_rate"] == summary["stage"]["arguments"]["learning_rate"]
        card = (folder / "README.md").read_text()
        assert card.startswith("---\n") and summary["stage"]["start"] in card and "Lineage" in card
        assert str(study) not in (folder / "training.json").read_text() + card


def test_the_grids_table_has_a_row_an_arm(study):
    table = pl.read_csv(study / "tables" / "arms.csv")
    assert table["arm"].to_list() == ["base", "sft-lora", "sft-rl-kd"]
    assert table.filter(pl.col("arm") == "base")["difference"].to_list() == [0.0]
    assert (table["low"] <= table["value"]).all() and (table["value"] <= table["high"]).all()


def test_the_ledger_counts_what_was_trained(study):
    ledger = pl.read_csv(study / "tables" / "ledger.csv").filter(pl.col("rule") == "train")
    assert ledger.height == 5 and ledger.filter(pl.col("tokens") > 0).height == 4  # GOLD's trainer counts none
