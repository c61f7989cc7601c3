"""The cluster profiles on a real Slurm: what is submitted, what a user reads, training over two nodes."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import polars as pl
import pytest
from submitting import TARGETS

pytestmark = [pytest.mark.slow, pytest.mark.full]
TRAINING = ["results/tiny/training/turbo.parquet"]
TWO_NODES = {
    "train": {
        **{"nodes": 2, "tasks": 2, "gres": "''", "mem_mb": 8000},
        "accelerate_config": "'envs/accelerate/gloo.yaml'",
    }
}


def test_the_label_plane_runs_through_the_profile(undisturbed, submitting):
    judged = pl.concat([pl.read_parquet(submitting.folder / path) for path in TARGETS])
    assert judged.height == 6 * 2 * 2 and judged["correct"].null_count() == 0


def test_the_plan_says_jobs_gpus_and_hours(undisturbed):
    rows = [line.split() for line in undisturbed[0].splitlines() if line.startswith("generate_answers ")]
    assert ["generate_answers", "2", "1", "12.0", "24"] in rows


def test_the_terminal_shows_queued_and_running_jobs_by_rule_and_their_pace(undisturbed):
    text, _ = undisturbed
    assert re.search(r"rule +queued +running +done +failed +of", text)
    assert re.search(r"generate_answers +1 +1 +2\b", text)  # one GPU: one job waits while the other runs
    assert re.search(r"Drawing answers at effort \w+, shard 00000 .*\bqueued\b", text)
    assert re.search(r"\d+ of \d+ answers", text)


def test_cheap_steps_share_submissions(undisturbed):
    text, _ = undisturbed
    # shards, two engines, and one group of classes, votes and two verdicts; the model and two sources stay here
    assert text.count("has been submitted with SLURM jobid") == 4


def test_only_what_needs_gpus_goes_to_their_partition_and_downloads_stay_here(undisturbed, cluster):
    placed: dict[str, str] = {}
    for partition, comment in cluster.jobs("%P %k", everything=True):
        placed[partition] = placed.get(partition, "") + " " + comment
    assert "rule_generate_answers" in placed["mi300"] and "rule_shard_problems" in placed["cpu"], placed
    assert "shard_problems" not in placed["mi300"] and "generate_answers" not in placed["cpu"], placed
    assert "fetch" not in str(placed)


def test_a_failed_job_is_named_with_its_number_and_the_end_of_its_log(undisturbed, submitting):
    broken = submitting.folder / "broken.yaml"
    broken.write_text(
        (submitting.folder / "tiny.yaml").read_text().replace("max_model_len: 512", "max_model_len: 512000")
    )
    target = "results/broken/answers/medium/00000.parquet"
    run = submitting.run("--configfile", "broken.yaml", "--config", "experiment=broken", targets=[target], retries=0)
    text = run.finish(code=1)
    end = text[text.rindex("1 job failed:") :]
    assert "generate_answers → results/broken/answers/medium/00000.parquet, Slurm job " in end
    assert "results/broken/logs/generate_answers/medium/00000.log ends:" in end and "max_model_len" in end


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"default_resources": {"slurm_partition": "nowhere"}},
            "no partition 'nowhere'; it has cpu, cuda, mi300, urgent",
        ),
        (
            {"default_resources": {"slurm_partition": "cpu", "slurm_account": "theirs"}},
            "'theirs' is not an account of yours (yours: maths, root)",
        ),
        ({"resources": {"generate_answers": {"gres": "'gpu:h200:1'"}}}, "no node of partition mi300 has gpu:h200:1"),
        ({"resources": {"generate_answers": {"gres": "'gpu:mi300x:8'"}}}, "a node has gpu:mi300x:1"),
        ({"resources": {"generate_answers": {"runtime": "attempt * 1440"}}}, "4320 minutes are more than"),
    ],
)
def test_what_the_cluster_cannot_give_is_said_before_anything_is_submitted(undisturbed, submitting, changes, said):
    text = submitting.run("--forcerun", "generate_answers", **changes).finish(code=1)
    assert said in text and "what to do:" in text
    assert "has been submitted" not in text and "Traceback" not in text


def test_preflight_looks_at_each_kind_of_node_and_gives_a_verdict(undisturbed, submitting):
    """The emulated nodes have GPUs for Slurm and none for torch, which is just what it has to find."""
    sizes = {"nodes": 2, "tasks": 2, "gres": "''", "mem_mb": 4000, "accelerate_config": "'envs/accelerate/gloo.yaml'"}
    run = submitting.run(targets=["preflight"], resources={"preflight_train": sizes})
    text = run.finish()
    said = (submitting.results / "logs" / "preflight.log").read_text()
    assert "STOP: 1 GPUs are asked for and torch sees 0" in said and "verdict: 1 of this would stop the run" in said
    assert "canary sane" in said and "GB/s between nodes" in said and "model read with" in said
    assert text.count("has been submitted with SLURM jobid") == 3
    assert not list((submitting.results / "preflight").glob("*.json"))  # nodes change: the next time it looks again


def test_a_missing_container_is_named(undisturbed, submitting):
    program = submitting.folder / "bin" / "apptainer"  # Debian has none, and Snakemake asks for its version first
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho apptainer version 1.3.6\n")
    program.chmod(0o755)
    text = submitting.run("--forcerun", "generate_answers", software_deployment_method="apptainer").finish(code=1)
    assert "envs/image.sif: no such container" in text and "what to do:" in text
    assert "has been submitted" not in text and "Traceback" not in text


def rank_one(project: Path) -> list[int]:
    """Training processes of a project that are not the first."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_training = b"scripts/train_sft.py" in (folder / "cmdline").read_bytes().split(b"\0")
            is_second = b"RANK=1" in (folder / "environ").read_bytes().split(b"\0")
            if is_training and is_second and (folder / "cwd").resolve() == project:
                found.append(int(folder.name))
    return found


@pytest.fixture(scope="module")
def trained(undisturbed, submitting) -> pl.DataFrame:
    submitting.run(targets=TRAINING, resources=TWO_NODES).finish()
    return pl.read_parquet(submitting.folder / TRAINING[0])


def test_training_over_two_nodes_lowers_the_loss(trained, submitting):
    assert trained["loss"][-1] < trained["loss"][0]
    log = (submitting.results / "logs/train/turbo.log").read_text(errors="replace")
    assert "srun --nodes=2" in log and "--machine_rank 1" in log
    assert (submitting.results / "checkpoints/turbo/model.safetensors").exists()


def test_a_node_that_fails_ends_all_and_the_next_try_continues(trained, submitting, cluster):
    work = submitting.results / "training" / "work" / "turbo"
    shutil.rmtree(work)  # else the finished stage would be put in place again
    run = submitting.run("--forcerun", "train", targets=TRAINING, resources=TWO_NODES)
    cluster.wait_for(lambda: (work / "checkpoint-20" / "trainer_state.json").exists(), "checkpoint", every=0.05)
    for pid in rank_one(submitting.folder):
        os.kill(pid, signal.SIGKILL)
    run.finish()
    assert "continuing from checkpoint-" in (submitting.results / "logs/train/turbo.log").read_text(errors="replace")
    again = pl.read_parquet(submitting.folder / TRAINING[0])
    assert again.select("step", "loss").equals(trained.select("step", "loss"))


def test_the_literal_command_works_from_the_root(submitting, cluster, tmp_path):
    environment = {**os.environ, **cluster.environment, "XDG_CONFIG_HOME": str(tmp_path / "my config")}
    root = Path(__file__).parents[2]
    make = ["make", "--no-print-directory", "-C", str(root)]
    subprocess.run([*make, "profiles"], env=environment, check=True, capture_output=True)
    command = ["snakemake", "--profile", "slurm-mi300", "-n", "--configfile", "config/paper.yaml"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "generate_answers" in done.stderr and "8,232" in done.stderr
    subprocess.run([*make, "unlink-profiles"], env=environment, check=True, capture_output=True)
    assert not list((tmp_path / "my config" / "snakemake").iterdir())
