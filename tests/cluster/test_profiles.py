"""The profile slurm-mi300 on a real Slurm: the label plane of a small run, undisturbed and with Snakemake killed."""

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

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SHARDS = 2
# sizes of this machine instead of a node's; partitions as in the profile
SIZES = [
    *("--nolock", "--slurm-no-account", "--slurm-status-command", "squeue", "--latency-wait", "5"),
    *("--slurm-init-seconds-before-status-checks", "2", "--set-threads", "generate_answers=2", "evaluate_answers=2"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cluster-project")
    for name in ("rules", "scripts", "config", "envs", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
    config = yaml.safe_load((ROOT / "tests" / "workflow" / "tiny.yaml").read_text())
    config["labels"] = {"min_share": 0.6, "min_votes": 2}
    config["models"] = {"smollm2": config["models"]["smollm2"]}
    config["problems"]["shards"] = SHARDS
    config["stages"][0]["start"] = "smollm2"
    config["evaluation"] |= {
        "baseline": "smollm2",
        "models": [config["evaluation"]["models"][0] | {"model": "smollm2"}],
    }
    config["evaluation"]["benchmarks"] = {"heldout": config["evaluation"]["benchmarks"]["heldout"]}
    problems = [{"problem": f"What is {a} + {b}?", "answer": str(a + b)} for a in range(1, 4) for b in (4, 6, 8)]
    (folder / "mine.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    (folder / "heldout.jsonl").write_text(json.dumps({"problem": "What is 5 + 5?", "answer": "10"}) + "\n")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config))
    return folder


def targets():
    return [
        f"results/tiny/judged/{effort}/0000{shard}.parquet" for effort in ("medium", "high") for shard in range(SHARDS)
    ]


def start(project, cluster, *arguments, profile="slurm-mi300"):
    environment = {**os.environ, **cluster.environment}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    command = ["snakemake", "--profile", f"profiles/{profile}", "--configfile", "tiny.yaml", *SIZES, *arguments]
    log = (project / f"snakemake-{time.monotonic_ns()}.log").open("w+")
    process = subprocess.Popen(command, cwd=project, env=environment, stdout=log, stderr=subprocess.STDOUT)
    process.log = log  # type: ignore[attr-defined]
    return process


def finished(process, timeout=1500):
    process.wait(timeout)
    process.log.seek(0)
    text = process.log.read()
    assert process.returncode == 0, text[-4000:]
    return text


def hashes(project):
    return {path: pl.read_parquet(project / path).hash_rows().to_list() for path in targets()}


@pytest.fixture(scope="module")
def undisturbed(project, cluster):
    text = finished(start(project, cluster, "--", *targets()))
    return text, hashes(project)


def test_the_label_plane_runs_through_the_profile(undisturbed, project):
    text, _ = undisturbed
    judged = pl.concat([pl.read_parquet(project / path) for path in targets()])
    assert judged.height == 9 * 2 * 2 and judged["correct"].null_count() == 0
    assert "SLURM run ID" in text or "slurm" in text.lower()


def test_cheap_steps_share_submissions_and_engines_are_an_array(undisturbed):
    text, _ = undisturbed
    submitted = text.count("has been submitted with SLURM jobid")
    rules = 1 + 2 + 1 + 2 * SHARDS + 4 * SHARDS  # model, sources, shards; answers; group, vote, two verdicts
    assert 0 < submitted < rules, (submitted, rules)


def clean(project):
    for name in ("groups", "votes", "judged", "answers", "journals"):
        shutil.rmtree(project / "results" / "tiny" / name, ignore_errors=True)


def test_snakemake_killed_and_started_again_ends_with_the_same_tables(undisturbed, project, cluster):
    clean(project)
    process = start(project, cluster, "--", *targets())
    cluster.wait_for(lambda: [job for job in cluster.jobs() if job[1] == "RUNNING"], "running job", 300)
    process.send_signal(signal.SIGKILL)
    process.wait()
    cluster.command("scancel", "--full", "--partition=mi300")
    cluster.wait_for(lambda: not [job for job in cluster.jobs() if job[1] in ("RUNNING", "COMPLETING")], "end of jobs")
    finished(start(project, cluster, "--", *targets()))
    assert hashes(project) == undisturbed[1]
