"""One change at a time to a finished run: the audit names exactly the outputs that changed, and exactly that cause.

The outputs that changed are found independently, by hashing every file before and after.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
import yaml
from running import copy_project, environment, run_snakemake

pytestmark = pytest.mark.slow
RESULTS = Path("results/audited")
TARGETS = [
    *("tables/results.csv", "tables/funnel.csv", "tables/published.md", "figures/stages.png", "figures/funnel.png"),
]
NO_OUTPUTS = {"logs", "benchmarks", "journals", "manifest.json", ".audit"}


@dataclass
class Project:
    """A copy of the workflow that was run once, and what is done to it."""

    folder: Path
    log: list[str] = field(default_factory=list)

    def run(self, names: list[str] = TARGETS) -> str:
        targets = [str(RESULTS / name) for name in names]
        done = run_snakemake(self.folder, "--cores", "2", "--configfile", "audited.yaml", "--", *targets)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stderr

    def audit(self, *arguments: str, code: int = 0) -> str:
        command = [sys.executable, "scripts/audit.py", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment(), capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def hashes(self) -> dict[str, str]:
        base = self.folder / RESULTS
        return {
            path.relative_to(base).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in base.rglob("*")
            if path.is_file()
            and path.relative_to(base).parts[0] not in NO_OUTPUTS
            and not path.relative_to(base).as_posix().startswith("training/work/")
        }

    def config(self, change: Callable[[dict], None]) -> None:
        path = self.folder / "audited.yaml"
        config = yaml.safe_load(path.read_text())
        change(config)
        path.write_text(yaml.safe_dump(config))

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert text.count(old) >= 1, f"{name} no longer has {old!r}"
        path.write_text(text.replace(old, new, 1))


@pytest.fixture(scope="module")
def finished(teacher, tiny_model, tmp_path_factory) -> Project:
    folder = copy_project(tmp_path_factory.mktemp("audited"))
    shutil.copytree(tiny_model, folder / "tiny")
    config = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text().replace("TINY", "tiny"))
    config |= {"experiment": "audited", "labels": {"min_share": 0.6, "min_votes": 2}}
    config["problems"]["shards"] = 1
    config["teacher"]["engine"] = {"kind": "server", "url": teacher, "model": "served", "concurrency": 4}
    config["teacher"]["efforts"]["high"] = {**config["teacher"]["efforts"]["medium"]}
    config["stages"] = [config["stages"][0]]
    config["stages"][0]["arguments"] = {**config["stages"][0]["arguments"], "max_steps": 3}
    config["evaluation"] |= {
        "baseline": "turbo",
        "benchmarks": {"heldout": config["evaluation"]["benchmarks"]["heldout"]},
    }
    config["evaluation"]["models"] = [{"model": "turbo", "sampling": {"temperature": 0.6, "max_tokens": 16}}]
    (folder / "audited.yaml").write_text(yaml.safe_dump(config))
    problems = [{"problem": f"What is {a} + {b}?", "answer": str(a + b)} for a in (1, 2, 3) for b in (4, 6)]
    (folder / "mine.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    (folder / "heldout.jsonl").write_text(json.dumps({"problem": "What is 5 + 5?", "answer": "10"}) + "\n")
    project = Project(folder)
    project.run()
    return project


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
    path = project.folder / RESULTS / "votes/00000.parquet"
    pl.read_parquet(path).write_parquet(path, compression="uncompressed")


def touch(project):
    for path in (project.folder / RESULTS).rglob("*"):
        if path.is_file() and path.relative_to(project.folder / RESULTS).parts[0] not in {".audit", "logs"}:
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
        lambda p: p.replace(f"{RESULTS}/tables/published.tex", "tabular", "tabularx"),
        [r"by hand tables/published\.tex: altered after the job that made it"],
        ["tables/published.tex"],
    ),
    (
        "a file that no job made",
        lambda p: (p.folder / RESULTS / "tables" / "notes.txt").write_text("mine"),
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


@pytest.mark.parametrize(("name", "change", "causes", "outputs"), CHANGES, ids=[change[0] for change in CHANGES])
def test_the_audit_names_what_changed_and_why(finished, name, change, causes, outputs):
    before = finished.hashes()
    change(finished)
    said = finished.run()
    after = finished.hashes()
    apart = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    finished.audit("manifest", str(RESULTS), "--lock", "envs/cpu.lock")
    if not apart:
        assert causes == [] and outputs == []
        assert "Nothing to be done" in said or name not in {"only times", "a comment and a docstring"}
        assert finished.audit("verify", str(RESULTS)).endswith(" 0 faults\n")
        return
    told = json.loads(finished.audit("diff", str(RESULTS), "--format", "json", "--fail-on", "any", code=1))
    assert {one["path"] for one in told["changes"]} == apart
    assert set(outputs) <= apart
    found = {f"{c['kind']} {c['where']}: {c['what']}" for one in told["changes"] for c in one["causes"]}
    if causes is None:
        assert {one["kind"] for one in told["changes"]} == {"rewritten"}
        return
    for cause in found:
        assert any(re.match(pattern, cause) for pattern in causes), found
    assert all(any(re.match(pattern, cause) for cause in found) for pattern in causes) or not outputs, found


def test_a_stage_that_would_be_the_same_is_not_trained_again(finished):
    log = finished.folder / RESULTS / "logs" / "train" / "turbo.log"
    finished.replace("scripts/reasonlite/curriculum/examples.py", "UNUSED = 1", "UNUSED = 2")
    assert "Training the stage" in finished.run()  # planned together with what it reads
    assert "its files are put in place again" in log.read_text()
    finished.replace("scripts/reasonlite/curriculum/examples.py", "UNUSED = 2", "UNUSED = 3")
    assert "Choosing examples" in finished.run(["curriculum/short/00000.parquet"])
    assert "Training the stage" not in finished.run()  # the examples are known to be the same by then
    assert finished.audit("verify", str(RESULTS)).endswith(" 0 faults\n")


def test_a_changed_lock_is_told_and_by_config_makes_all_again(finished):
    finished.replace("envs/cpu.lock", "torch==", "torch==9.")
    finished.replace("scripts/tabulate_published.py", "As it was", "As was")
    said = finished.run()
    assert "envs/cpu.lock changed since the last manifest: torch" in said and "environment.changed: rerun" in said
    finished.config(lambda config: config.update(environment={"changed": "rerun"}))
    said = finished.run()
    assert re.search(r"generate_answers\s+2\n", said) and re.search(r"train\s+1\n", said)
    assert "its files are put in place again" not in (finished.folder / RESULTS / "logs/train/turbo.log").read_text()
    keys = pl.read_parquet(finished.folder / RESULTS / "journals/medium/00000/*.parquet")["key"]
    assert keys.n_unique() == len(keys)


def test_an_answer_is_traced_to_its_problem_and_seed(finished):
    table = RESULTS / "curriculum" / "short" / "00000.parquet"
    row = pl.read_parquet(finished.folder / table)["answer_id"][0]
    told = finished.audit("trace", str(table), "--row", row, "--graph", "way.svg")
    for made in ("(curate)", "(vote_and_judge)", "(group_answers)", "(generate_answers)", "(shard_problems)"):
        assert made in told, told
    assert "seed " in told and "What is" in told
    assert "votes/00000.parquet  (vote_and_judge)" in told and "label_source " in told
    assert (finished.folder / "way.svg").read_text().startswith("<svg")
    told = finished.audit("trace", str(RESULTS / "tables" / "results.csv"))
    assert "from mine.jsonl" in told and "train.stage" not in told and "stage.arguments.learning_rate = 0.02" in told


def test_snakemake_audit_brings_all_up_to_date_and_tells(finished):
    for _ in range(2):
        done = run_snakemake(finished.folder, "--cores", "2", "--configfile", "audited.yaml", "--", "audit")
        assert done.returncode == 0, done.stderr[-3000:]
        assert "added     tables/lengths.csv  (tabulate_distributions)" in done.stdout
        assert "because of config tabulate_distributions: newly asked for" in done.stdout
