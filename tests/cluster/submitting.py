"""Runs of the tiny chain through a cluster profile, and what can be done to them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from running import ROOT, copy_project, environment
from slurm import ACCOUNT, Cluster
from terminal import Terminal

# this machine's sizes instead of a node's; all else is the profile's
SIZES = {
    "latency-wait": 5,
    "max-status-checks-per-second": 1,
    "slurm-init-seconds-before-status-checks": 2,
    "default-resources": {"slurm_partition": "cpu", "slurm_account": ACCOUNT, "mem_mb": 2000, "runtime": 60},
    "set-threads": {"generate_answers": 2, "evaluate_answers": 2, "train": 1},
}
EFFORTS = ("medium", "high")
TARGETS = [f"results/tiny/judged/{effort}/00000.parquet" for effort in EFFORTS]
ANSWERS = [f"results/tiny/answers/{effort}/00000.parquet" for effort in EFFORTS]


class Run:
    """One Snakemake, its output in a file; ``earlier`` are the log files of Snakemake's that were there before."""

    def __init__(self, process: subprocess.Popen, log: Path, earlier: set[Path]) -> None:
        self.process = process
        self.log = log
        self._earlier = earlier

    def text(self) -> str:
        """What was printed, then the whole of Snakemake's own log, which has each submission."""
        logs = sorted(set(snakemake_logs(self.log.parent)) - self._earlier)
        return "".join(path.read_text(errors="replace") for path in (self.log, *logs))

    def finish(self, *, code: int = 0, timeout: float = 3600) -> str:
        self.process.wait(timeout)
        assert self.process.returncode == code, self.text()[-5000:]
        return self.text()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def snakemake_logs(folder: Path) -> list[Path]:
    return list((folder / ".snakemake" / "log").glob("*.log"))


class Project:
    """A copy of the workflow whose jobs go to the cluster of the tests."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder = folder
        self.results = folder / "results" / "tiny"
        self.cluster = cluster
        self._runs: list[Run] = []

    def run(
        self, *arguments: str, targets: list[str] = TARGETS, resources: dict[str, dict] | None = None, **settings: Any
    ) -> Run:
        """Start Snakemake with the profile, of which ``resources`` changes rules' and ``settings`` other lines.

        On the command line --set-resources would replace all of the profile's, not one rule's one line.
        """
        self.write_profile(resources or {}, settings)
        log = self.folder / f"snakemake-{time.monotonic_ns()}.log"
        earlier = set(snakemake_logs(self.folder))
        with log.open("w") as output:
            process = subprocess.Popen(
                self._command(arguments, targets), cwd=self.folder, env=self.surroundings(),
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._runs.append(Run(process, log, earlier))
        return self._runs[-1]

    def run_in_a_terminal(self) -> str:
        """Run to the end as a user does; what was written, then Snakemake's own log."""
        self.write_profile({}, {})
        earlier = set(snakemake_logs(self.folder))
        terminal = Terminal(self._command((), TARGETS), self.folder, self.surroundings())
        assert terminal.finish() == 0, terminal.written[-9000:]
        logs = set(snakemake_logs(self.folder)) - earlier
        written = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.written)  # colours and the cursor's ways
        return "".join([written, *(path.read_text(errors="replace") for path in logs)])

    def write_profile(self, resources: dict[str, dict], settings: dict[str, Any]) -> None:
        profile = yaml.safe_load((self.folder / "profiles" / "slurm-mi300" / "config.yaml").read_text()) | SIZES
        for rule, changes in resources.items():
            profile["set-resources"][rule] = profile["set-resources"].get(rule, {}) | changes
        profile |= {name.replace("_", "-"): value for name, value in settings.items()}
        path = self.folder / "profiles" / "changed" / "config.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(profile))

    def _command(self, arguments: tuple[str, ...], targets: list[str]) -> list[str]:
        return ["snakemake", "--profile", "profiles/changed", "--configfile", "tiny.yaml", *arguments, "--", *targets]

    def surroundings(self) -> dict[str, str]:
        around = {**environment(), **self.cluster.environment}
        del around["PYTHONPATH"]  # a cluster's user has none
        around["PATH"] = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{around['PATH']}"
        return around

    def end(self) -> None:
        """End what tests left running."""
        for run in self._runs:
            if run.process.poll() is None:
                run.kill()
        # without cgroups Slurm loses sight of a job's process whose parent was killed
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (entry / "cwd").resolve() == self.folder:
                    os.kill(int(entry.name), signal.SIGKILL)

    def rows(self, paths: list[str]) -> dict[str, list[int]]:
        """A hash of every row of tables."""
        return {path: pl.read_parquet(self.folder / path).hash_rows().to_list() for path in paths}

    def forget(self) -> None:
        """Back to the cleaned problems: no answers, no journals, no labels, no logs."""
        for name in ("groups", "votes", "judged", "answers", "journals", "logs"):
            shutil.rmtree(self.results / name, ignore_errors=True)

    def replies(self) -> int:
        """Replies that journals hold, so that a test sees how far generation is."""
        return len(self.journal_keys())

    def journal_keys(self) -> list[str]:
        """Keys of the replies in all journals, each as often as it was paid for."""
        chunks = [path for path in self.results.glob("journals/*/*/*.parquet") if path.stem.isdigit()]
        return [key for path in chunks for key in pl.read_parquet(path, columns=["key"])["key"]]

    def wait_for_job(self, rule: str, state: str = "RUNNING", seconds: float = 1800) -> str:
        """Slurm's number of a job of a rule, once it is in a state."""
        found: list[str] = []

        def seen() -> bool:
            jobs = self.cluster.jobs("%i %T %k")
            found[:] = [job[0] for job in jobs if job[1] == state and f"rule_{rule}" in job[2]]
            return bool(found)

        self.cluster.wait_for(seen, f"{state} job of {rule}", seconds)
        return found[0]

    def wait_for_replies(self, count: int, seconds: float = 1800) -> None:
        self.cluster.wait_for(lambda: self.replies() >= count, f"{count} replies", seconds, every=0.05)


def tiny_project(
    folder: Path, cluster: Cluster, model: Path, *, teacher: str = "smollm2", tokens: int = 40, **engine: Any
) -> Project:
    """The tiny chain with one shard: two engine jobs, then the cheap steps, then a stage.

    Replies have at most so many tokens, and two are put on disk together; ``engine`` changes the teacher's.
    """
    copy_project(folder)
    config = yaml.safe_load((ROOT / "tests" / "workflow" / "tiny.yaml").read_text().replace("TINY", str(model)))
    config["labels"] = {"min_share": 0.6, "min_votes": 2}
    config["problems"]["shards"] = 1
    config["teacher"] |= {"commit": 2, "model": teacher}
    config["teacher"]["engine"] |= engine
    config["teacher"]["efforts"]["medium"]["sampling"]["max_tokens"] = tokens  # the same object as of high
    config["evaluation"]["benchmarks"] = {"heldout": config["evaluation"]["benchmarks"]["heldout"]}
    config["stages"] = [config["stages"][0]]
    config["stages"][0]["arguments"] |= {"max_steps": 80, "save_steps": 10, "save_total_limit": 2}
    config["evaluation"]["models"] = [config["evaluation"]["models"][0]]
    problems = [{"problem": f"What is {a} + {b}?", "answer": str(a + b)} for a in range(1, 4) for b in (4, 8)]
    (folder / "mine.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    (folder / "heldout.jsonl").write_text(json.dumps({"problem": "What is 5 + 5?", "answer": "10"}) + "\n")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config))
    return Project(folder, cluster)
