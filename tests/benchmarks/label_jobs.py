"""What the cheap steps of a shard cost on Slurm, grouped as in the profile or in one job a shard.

    python tests/benchmarks/label_jobs.py [--shards 24] [--workflow FOLDER]

A real Slurm on loopback runs groups, votes, verdicts and training files of shards whose answers are recorded ones.
Ways: the profile's groups; one submission for each shard, of the same jobs; and one process for each shard, which
makes all of a shard's files in one rule. Printed are Snakemake's jobs, submissions to Slurm, CPU seconds of Slurm's
jobs (with the Snakemake that each of them starts) and of the main Snakemake, and wall seconds. --workflow takes
another clone, such as one of an earlier commit, which has the first two ways only.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests"), str(ROOT / "tests" / "cluster")]

import slurm
from conftest import TINY
from submitting import SIZES

from reasonlite.core.schemas import RECORDED
from reasonlite.core.seeding import shard_of
from reasonlite.core.tables import frame_of, write_table

EFFORTS, STRATA, ANSWERS = ("medium", "high"), {"short": "medium", "long": "high"}, 8
ONE_PROCESS = """
import yaml
module ours:
    snakefile: "Snakefile"
    config: yaml.safe_load(open("labels.yaml"))
use rule * from ours exclude group_answers, vote_and_judge, curate as our_*
R = "results/labels"
rule label_shard:
    input:
        expand(R + "/answers/{e}/{{shard}}.parquet", e=["medium", "high"]),
        R + "/problems/shards/{shard}.parquet",
        ancient(R + "/models/tiny"),
    output:
        expand(R + "/{part}/{{shard}}.parquet", part=["groups", "groups/pairs", "votes", "judged/medium", "judged/high",
            "curriculum/short", "curriculum/long", "curriculum/funnel/short", "curriculum/funnel/long"]),
    wildcard_constraints: shard="[0-9]{5}",
    log: R + "/logs/label_shard/{shard}.log",
    resources: mem_mb=4000, runtime=60,
    shell: "python one_process.py {wildcards.shard} &> {log}"
"""
PROGRAM = """
import json, sys
sys.path.insert(0, "scripts")
import curate, group_answers, judge_answers, vote
R, shard = "results/labels", sys.argv[1]
at = lambda part: f"{R}/{part}/{shard}.parquet"
answers, problems = [at("answers/medium"), at("answers/high")], ["--problems", at("problems/shards")]
group_answers.main(["--answers", *answers, *problems, "--groups", at("groups"), "--pairs", at("groups/pairs")])
limits = ["--min-share", "0.6", "--min-votes", "2"]
vote.main(["--answers", *answers, "--groups", at("groups"), *problems, *limits, "--output", at("votes")])
judged = ["--output", at("judged/medium"), at("judged/high")]
judge_answers.main(["--answers", *answers, "--groups", at("groups"), "--votes", at("votes"), *problems, *judged])
for stratum, effort in (("short", "medium"), ("long", "high")):
    choice = json.dumps({"efforts": [effort]})
    given = ["--judged", at(f"judged/{effort}"), "--answers", at(f"answers/{effort}"), *problems, "--shard", shard]
    curate.main([*given, "--stratum", stratum, "--choice", choice, "--seed", "7",
        "--output", at(f"curriculum/{stratum}"), "--funnel", at(f"curriculum/funnel/{stratum}")])
"""


def prepared(folder: Path, workflow: Path, shards: int) -> Path:
    """A copy of the workflow with problems, recorded answers of all shards, and a config."""
    for name in ("Snakefile", "rules", "scripts", "config", "envs", "profiles"):
        source = workflow / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    rows = [{"problem": f"What is {a} times {b}?", "answer": str(a * b)} for a in range(12, 112) for b in range(11, 71)]
    rows = rows[: shards * 20]
    (folder / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "heldout.jsonl").write_text(json.dumps({"problem": "How many legs has a spider?", "answer": "8"}) + "\n")
    by_shard: dict[int, list[tuple]] = {shard: [] for shard in range(shards)}
    for number, row in enumerate(rows):
        name = f"mine:{number}"
        text = f"We multiply. So the final answer is \\boxed{{{row['answer']}}}."
        by_shard[shard_of(name, shards)] += [(name, draw, text, None, None) for draw in range(ANSWERS)]
    for effort in EFFORTS:
        for shard, answers in by_shard.items():
            write_table(
                folder / "recorded" / effort / f"{shard:05d}.parquet", frame_of(sorted(answers), RECORDED), RECORDED
            )
    source = {"kind": "jsonl", "path": "mine.jsonl"}
    effort = {"answers_per_problem": ANSWERS, "sampling": {"temperature": 0.7, "max_tokens": 40}}
    config = {
        "experiment": "labels",
        "seed": 7,
        "models": {"tiny": TINY},
        "problems": {"shards": shards, "sources": {"mine": source}, "cleaning": {"similarity": 1.0}},
        "teacher": {
            "model": "tiny",
            "engine": {"kind": "recorded", "folder": "recorded"},
            "efforts": dict.fromkeys(EFFORTS, effort),
        },
        "labels": {"min_share": 0.6, "min_votes": 2},
        "strata": {name: {"efforts": [effort]} for name, effort in STRATA.items()},
        "stages": [{"name": "turbo", "method": "sft", "start": "tiny", "data": list(STRATA)}],
        "evaluation": {
            **{"engine": {"kind": "vllm", "max_model_len": 256}, "answers_per_problem": 1, "pass_at": [1]},
            **{"baseline": "tiny", "benchmarks": {"heldout": {"source": source | {"path": "heldout.jsonl"}}}},
            "models": [{"model": "tiny", "sampling": {"temperature": 0.6, "max_tokens": 16}}],
        },
    }
    (folder / "labels.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(config))))  # no anchors
    (folder / "one_process.smk").write_text(ONE_PROCESS)
    (folder / "one_process.py").write_text(PROGRAM)
    return folder


def profile(folder: Path, way: str) -> str:
    """The profile for Slurm with this machine's sizes and the way's groups; its folder."""
    found = yaml.safe_load((folder / "profiles" / "slurm-mi300" / "config.yaml").read_text()) | SIZES
    if way == "one submission a shard":
        found["groups"]["curate"] = "labels"
        found["group-components"]["labels"] = 1
    if way == "one process a shard":
        del found["groups"], found["group-components"]
    del found["set-resources"]
    (folder / "changed").mkdir(exist_ok=True)
    (folder / "changed" / "config.yaml").write_text(yaml.safe_dump(found))
    return "changed"


def seconds(clock: str) -> float:
    """Seconds in Slurm's notation of CPU times: [DD-[HH:]]MM:SS[.mmm]."""
    days, _, rest = clock.rpartition("-")
    found = float(days or 0) * 86_400
    for power, part in enumerate(reversed(rest.split(":"))):
        found += float(part) * 60**power
    return found


def run(folder: Path, cluster: slurm.Cluster, way: str, targets: list[str]) -> dict[str, float]:
    environment = {**os.environ, **cluster.environment}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    options = ["--snakefile", "one_process.smk"] if way == "one process a shard" else ["--configfile", "labels.yaml"]
    command = ["snakemake", "--profile", profile(folder, way), *options, "--", *targets]
    known = set(cluster.command("sacct", "-n", "-X", "-P", "--format=JobID").split())
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    text = done.stdout + done.stderr
    if done.returncode:
        raise SystemExit(text[-4000:])
    time.sleep(10)  # until the last job's accounting is in
    lines = [line.split("|") for line in cluster.command("sacct", "-n", "-P", "--format=JobID,TotalCPU").splitlines()]
    # a job's line adds up its steps; with -X it would say nothing
    spent = [seconds(clock) for job, clock in lines if "." not in job and job not in known]
    counts = [int(words[1]) for words in map(str.split, text.splitlines()) if len(words) == 2 and words[0] == "total"]
    return {
        "jobs": counts[0],
        "submissions": text.count("has been submitted with SLURM jobid"),
        "CPU s of jobs": sum(spent),
        "CPU s of main": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall s": wall,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, default=24)
    parser.add_argument("--workflow", type=Path, default=ROOT, help="the clone whose workflow runs")
    arguments = parser.parse_args()
    if reason := slurm.missing():
        raise SystemExit(reason)
    ways = ["the profile's groups", "one submission a shard", "one process a shard"]
    if not (arguments.workflow / "rules" / "hooks.smk").is_file():
        ways.pop()
    with tempfile.TemporaryDirectory() as name, slurm.running(Path(name) / "cluster") as cluster:
        Path(name).chmod(0o755)
        folder = Path(name) / "run"
        folder.mkdir()
        prepared(folder, arguments.workflow, arguments.shards)
        shards = [f"{shard:05d}" for shard in range(arguments.shards)]
        results = "results/labels"
        first = [f"{results}/answers/{effort}/{shard}.parquet" for effort in EFFORTS for shard in shards]
        first.append(f"{results}/models/tiny")
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        command = ["snakemake", "--cores", "2", "--configfile", "labels.yaml", "--quiet", "all", "--", *first]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit((done.stdout + done.stderr)[-4000:])
        targets = [f"{results}/curriculum/{stratum}/{shard}.parquet" for stratum in STRATA for shard in shards]
        for way in ways:
            for part in ("groups", "votes", "judged", "curriculum"):
                shutil.rmtree(folder / results / part, ignore_errors=True)
            found = run(folder, cluster, way, targets)
            print(f"{way:24}", "  ".join(f"{name} {value:.0f}" for name, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
