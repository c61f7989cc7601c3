"""A project that was run once, changes to it, and what the audit must say of each.

The outputs that changed are found independently, by hashing every file before and after.
"""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import yaml
from running import run_snakemake, warm

TARGETS = [
    *("tables/results.csv", "tables/funnel.csv", "tables/published.md", "figures/stages.png", "figures/funnel.png"),
]
NO_OUTPUTS = {"logs", "benchmarks", "journals", "manifest.json", ".audit"}


@dataclass
class Project:
    """A copy of the workflow that was run once, and what is done to it."""

    folder: Path
    experiment: str
    config_file: str

    @property
    def results(self) -> Path:
        """The results folder, from the project's own."""
        return Path("results") / self.experiment

    def run(self, names: list[str] = TARGETS) -> str:
        targets = [str(self.results / name) for name in names]
        done = run_snakemake(self.folder, "--cores", "2", "--configfile", self.config_file, "--", *targets)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stderr

    def audit(self, *arguments: str, code: int = 0) -> str:
        command = ["python", "scripts/audit.py", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=warm(), capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def hashes(self) -> dict[str, str]:
        base = self.folder / self.results
        return {
            path.relative_to(base).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in base.rglob("*")
            if path.is_file()
            and path.relative_to(base).parts[0] not in NO_OUTPUTS
            and not path.relative_to(base).as_posix().startswith("training/work/")
        }

    def config(self, change: Callable[[dict], None]) -> None:
        path = self.folder / self.config_file
        config = yaml.safe_load(path.read_text())
        change(config)
        path.write_text(yaml.safe_dump(config))

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert text.count(old) >= 1, f"{name} no longer has {old!r}"
        path.write_text(text.replace(old, new, 1))


def lines_of(project, name, change):
    path = project.folder / name
    path.write_text("".join(change(line) for line in path.read_text().splitlines(keepends=True)))


def sampling(config):
    return config["teacher"]["efforts"]["medium"]["sampling"]


def setter(*keys, to):
    def change(config):
        for key in keys[:-1]:
            config = config[key]
        config[keys[-1]] = to

    return lambda project: project.config(change)


def recompress(project):
    path = project.folder / project.results / "votes/00000.parquet"
    pl.read_parquet(path).write_parquet(path, compression="uncompressed")


def touch(project):
    for path in (project.folder / project.results).rglob("*"):
        if path.is_file() and path.relative_to(project.folder / project.results).parts[0] not in {".audit", "logs"}:
            os.utime(path)
    for path in [*(project.folder / "scripts").rglob("*.py"), project.folder / "mine.jsonl"]:
        os.utime(path)


# name, what is done, the causes that must be told (as patterns, all of them and no other), and outputs that must change
CHANGES = [
    (
        "a problem's text",
        lambda p: p.replace("mine.jsonl", "What is 1 + 4?", "What is 4 + 1?"),
        ["source mine.jsonl: "],
        ["problems/shards/00000.parquet", "answers/medium/00000.parquet", "curriculum/short/00000.parquet"],
    ),
    (
        "a label",
        lambda p: p.replace("mine.jsonl", '"answer": "7"', '"answer": "8"'),
        ["source mine.jsonl: "],
        ["problems/shards/00000.parquet", "judged/medium/00000.parquet"],
    ),
    (
        "a sampling value",
        setter("teacher", "efforts", "medium", "sampling", "temperature", to=0.9),
        [r"setting generate_answers\.settings\.sampling\.temperature: 0\.7 → 0\.9"],
        ["answers/medium/00000.parquet"],
    ),
    (
        "the prompt",
        setter("teacher", "efforts", "high", "prompt", "instruction", to="Answer in a box."),
        [r"setting generate_answers\.settings\.prompt\.instruction: 'Please .*' → 'Answer in a box\.'"],
        ["answers/high/00000.parquet"],
    ),
    (
        "the number of answers",
        setter("teacher", "efforts", "high", "answers_per_problem", to=3),
        [r"setting generate_answers\.settings\.answers_per_problem: 2 → 3"],
        ["answers/high/00000.parquet", "votes/00000.parquet"],
    ),
    (
        "a vote threshold",
        setter("labels", "min_votes", to=99),
        [r"setting vote_and_judge\.min_votes: 2 → 99"],
        ["votes/00000.parquet"],
    ),
    (
        "a stratum's filter",
        setter("strata", "short", "filter", to="number = 0"),
        [r"setting curate\.stratum\.filter: .* → 'number = 0'"],
        ["curriculum/short/00000.parquet", "checkpoints/turbo/model.safetensors"],
    ),
    (
        "a training argument",
        setter("stages", 0, "arguments", "learning_rate", to=0.02),
        [r"setting train\.stage\.arguments\.learning_rate: 0\.01 → 0\.02"],
        ["checkpoints/turbo/model.safetensors", "training/turbo.parquet"],
    ),
    (
        "a stage's seed",
        setter("stages", 0, "seed", to=3),
        [r"setting train\.seed: 7 → 3", r"setting train\.stage\.seed: None → 3"],
        ["checkpoints/turbo/model.safetensors"],
    ),
    (
        "the start model",
        lambda p: p.replace("tiny/generation_config.json", "{", '{"top_k": 50,'),
        [r"source tiny/generation_config\.json: "],
        ["models/tiny.sha256"],
    ),
    (
        "a benchmark's answer",
        lambda p: p.replace("heldout.jsonl", '"10"', '"11"'),
        ["source heldout.jsonl: "],
        ["problems/sources/heldout.parquet", "evaluation/turbo/heldout/groups.parquet"],
    ),
    (
        "the evaluated model's sampling",
        setter("evaluation", "models", 0, "sampling", "max_tokens", to=12),
        [r"setting evaluate_answers\.settings\[0\]\.sampling\.max_tokens: 16 → 12"]
        + [r"setting tabulate_results\.evaluation\.models\[0\]\.sampling\.max_tokens: 16 → 12"],
        ["evaluation/turbo/heldout/answers.parquet"],
    ),
    (
        "a statistic",
        setter("evaluation", "pass_at", to=[1]),
        [r"setting tabulate_results\.evaluation\.pass_at: \[1, 2\] → \[1\]"],
        ["tables/results.csv"],
    ),
    (
        "a function of the library",
        lambda p: p.replace("scripts/reasonlite/report/funnel.py", '"kept"', '"left"'),
        [r"code reasonlite/report/funnel\.py: "],
        ["tables/funnel.csv", "figures/funnel.png"],
    ),
    (
        "a script",
        lambda p: p.replace("scripts/tabulate_published.py", "As printed by", "As it was printed by"),
        [r"code tabulate_published\.py: the module's own lines"],
        ["tables/published.md"],
    ),
    (
        "a rule's command",
        lambda p: p.replace("rules/labels.smk", "--min-votes {params.min_votes}", "--min-votes 1"),
        [r"rule vote_and_judge: - --min-votes \{params\.min_votes\} \\; \+ --min-votes 1 "],
        ["votes/00000.parquet"],
    ),
    (
        "a figure's style",
        lambda p: p.replace("scripts/reasonlite/report/figures.py", "0.9 + 0.35 *", "1.9 + 0.35 *"),
        [r"code reasonlite/report/figures\.py: stages"],
        ["figures/stages.png", "figures/stages.svg", "figures/stages.pdf"],
    ),
    (
        "a published figure",
        lambda p: lines_of(p, "config/published/reasonlite_table1.csv", lambda line: line.replace("57.1", "57.2")),
        [r"source config/published/reasonlite_table1\.csv: "],
        ["tables/published.md"],
    ),
    (
        "a table on disk",
        lambda p: p.replace(f"{p.results}/tables/published.tex", "tabular", "tabularx"),
        [r"by hand tables/published\.tex: altered after the job that made it"],
        ["tables/published.tex"],
    ),
    (
        "a file that no job made",
        lambda p: (p.folder / p.results / "tables" / "notes.txt").write_text("mine"),
        [r"by hand tables/notes\.txt: no job of the workflow made this file"],
        ["tables/notes.txt"],
    ),
    ("only times", touch, [], []),
    (
        "a comment and a docstring",
        lambda p: p.replace("scripts/reasonlite/labels/votes.py", '"""', '"""Said otherwise. '),
        [],
        [],
    ),
    (
        "code that gives the same",
        lambda p: p.replace(
            "scripts/reasonlite/curriculum/examples.py", "import polars as pl\n", "import polars as pl\n\nUNUSED = 1\n"
        ),
        [],
        [],
    ),
    ("the commits of the journal", setter("teacher", "commit", to=3), [], []),
    ("a line of the lock", lambda p: p.replace("envs/cpu.lock", "polars==", "polars==9."), [], []),
    ("another compression", recompress, None, ["votes/00000.parquet"]),
    ("the experiment's seed", setter("seed", to=8), [r"setting \w+\.seed: 7 → 8"], ["answers/medium/00000.parquet"]),
]


def check(
    project: Project,
    name: str,
    change: Callable[[Project], object],
    causes: list[str] | None,
    outputs: list[str],
) -> None:
    """Make one of the CHANGES, run, and compare what the audit says with what is seen on disk."""
    before = project.hashes()
    change(project)
    said = project.run()
    after = project.hashes()
    apart = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    project.audit("manifest", str(project.results), "--lock", "envs/cpu.lock")
    if not apart:
        assert causes == [] and outputs == []
        assert "Nothing to be done" in said or name not in {"only times", "a comment and a docstring"}
        assert project.audit("verify", str(project.results)).endswith(" 0 faults\n")
        return
    told = json.loads(project.audit("diff", str(project.results), "--format", "json", "--fail-on", "any", code=1))
    assert {one["path"] for one in told["changes"]} == apart
    assert set(outputs) <= apart
    found = {f"{c['kind']} {c['where']}: {c['what']}" for one in told["changes"] for c in one["causes"]}
    if causes is None:
        assert {one["kind"] for one in told["changes"]} == {"rewritten"}
        return
    for cause in found:
        assert any(re.match(pattern, cause) for pattern in causes), found
    assert all(any(re.match(pattern, cause) for cause in found) for pattern in causes) or not outputs, found
