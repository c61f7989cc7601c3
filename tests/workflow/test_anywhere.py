"""The workflow used from another folder and from another Snakefile; clone and folder have spaces and umlauts in their
names. The teacher's answers are recorded ones, so no engine is started; training is real."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml
from running import ROOT, copy_project, environment, run_snakemake

from reasonlite.core.schemas import RECORDED
from reasonlite.core.tables import frame_of, write_table

pytestmark = [pytest.mark.slow, pytest.mark.full]
SUMS = {f"mine:{number}": (number + 1, 4) for number in range(4)}
FOREIGN = """
import yaml

module plain:
    snakefile: {snakefile!r}
    config: yaml.safe_load(open("plain.yaml", encoding="utf-8"))

use rule * from plain as plain_*

module strict:
    snakefile: {snakefile!r}
    config: yaml.safe_load(open("strict.yaml", encoding="utf-8"))

use rule * from strict as strict_*

rule labels:
    default_target: True
    input:
        expand("results/{{name}}/votes/00000.parquet", name=["plain", "strict"]),
        "results/plain/tables/vote_sweep.csv",
    output:
        "sweep.txt",
    shell:
        "head -2 {{input[2]:q}} > {{output:q}}"
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ein Klon, größer")
    return copy_project(folder / "reason lite")


@pytest.fixture(scope="module")
def config(tiny_model) -> dict:
    effort = {"answers_per_problem": 2, "sampling": {"temperature": 0.7, "max_tokens": 40}}
    held_out = {"source": {"kind": "jsonl", "path": "meine Aufgaben.jsonl"}}
    arguments = {"max_steps": 2, "max_length": 128, "bf16": False, "gradient_checkpointing": False}
    return {
        "experiment": "plain",
        "seed": 7,
        "models": {"tiny": {"kind": "local", "path": str(tiny_model)}},
        "problems": {"shards": 1, "sources": {"mine": {"kind": "jsonl", "path": "meine Aufgaben.jsonl"}}},
        "teacher": {
            "model": "tiny",
            "engine": {"kind": "recorded", "folder": "gegebene Antworten"},
            "efforts": {"medium": effort},
        },
        "labels": {"min_share": 0.5, "min_votes": 2},
        "strata": {"short": {"efforts": ["medium"]}},
        "stages": [{"name": "turbo", "method": "sft", "start": "tiny", "data": ["short"], "arguments": arguments}],
        "evaluation": {
            "engine": {"kind": "vllm", "max_model_len": 256},
            "answers_per_problem": 1,
            "pass_at": [1],
            "baseline": "tiny",
            "benchmarks": {"heldout": held_out | {"source": held_out["source"] | {"path": "andere.jsonl"}}},
            "models": [{"model": "tiny", "sampling": {"temperature": 0.6, "max_tokens": 16}}],
        },
    }


@pytest.fixture
def folder(tmp_path, config) -> Path:
    """A working folder with nothing but the user's own files."""
    made = tmp_path / "Läufe im Juni"
    made.mkdir()
    rows = [{"problem": f"What is {a} + {b}?", "answer": str(a + b)} for a, b in SUMS.values()]
    (made / "meine Aufgaben.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (made / "andere.jsonl").write_text(json.dumps({"problem": "How many legs has a spider?", "answer": "8"}) + "\n")
    answers = [
        (name, number, f"We add {a} and {b}. So the final answer is \\boxed{{{a + b}}}.", None, None)
        for name, (a, b) in SUMS.items()
        for number in range(2)
    ]
    write_table(made / "gegebene Antworten" / "medium" / "00000.parquet", frame_of(answers, RECORDED), RECORDED)
    (made / "plain.yaml").write_text(yaml.safe_dump(config))
    strict = config | {"experiment": "strict", "labels": {"min_share": 0.5, "min_votes": 3}}
    (made / "strict.yaml").write_text(yaml.safe_dump(strict))
    return made


def test_a_run_in_an_empty_folder_with_the_workflow_elsewhere(clone, folder, tmp_path):
    targets = ["results/plain/checkpoints/turbo", "results/plain/tables/published.md"]
    options = ["--snakefile", str(clone / "Snakefile"), "--directory", str(folder)]
    done = run_snakemake(tmp_path, *options, "--configfile", str(folder / "plain.yaml"), "--cores", "2", "--", *targets)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
    results = folder / "results" / "plain"
    assert (results / "checkpoints" / "turbo" / "model.safetensors").is_file()
    assert pl.read_parquet(results / "judged" / "medium" / "00000.parquet")["correct"].to_list() == [True] * 8
    assert {"judged/medium/00000.parquet", "training/turbo.parquet"} <= set(
        json.loads((results / "manifest.json").read_text())["outputs"]
    )
    assert sorted(path.name for path in clone.iterdir()) == sorted(path.name for path in copied(clone))
    again = run_snakemake(tmp_path, *options, "--configfile", str(folder / "plain.yaml"), "-n", "--", *targets)
    assert "Nothing to be done" in again.stdout + again.stderr


def copied(clone: Path) -> list[Path]:
    """What copy_project makes: a run elsewhere leaves nothing in the clone."""
    return [clone / name for name in ("Makefile", "Snakefile", "config", "envs", "profiles", "rules", "scripts")]


def test_another_snakefile_takes_the_rules_in_twice_with_two_configs(clone, folder):
    (folder / "Snakefile").write_text(FOREIGN.format(snakefile=str(clone / "Snakefile")))
    done = run_snakemake(folder, "--cores", "2")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
    header, first = (folder / "sweep.txt").read_text().splitlines()
    assert header.startswith("min_share,min_votes") and len(first.split(",")) == len(header.split(","))
    sources = {
        name: set(pl.read_parquet(folder / "results" / name / "votes" / "00000.parquet")["label_source"])
        for name in ("plain", "strict")
    }
    assert sources == {"plain": {"vote"}, "strict": {"dataset"}}
    listed = run_snakemake(folder, "-n", "--quiet", "rules", "--", "plain_figures", "strict_all")
    assert listed.returncode == 0 and "strict_train" in listed.stdout + listed.stderr


def test_a_run_whose_jobs_would_find_no_python_is_stopped(clone, folder):
    """Snakemake called by its path, with no environment activated."""
    snakemake = Path(sys.executable).with_name("snakemake")
    command = [snakemake, "--snakefile", clone / "Snakefile", "--configfile", "plain.yaml", "--cores", "1", "published"]
    (folder / "bin").mkdir()
    for program in ("bash", "sh", "which"):  # Snakemake itself calls these
        (folder / "bin" / program).symlink_to(shutil.which(program))
    bare = environment() | {"PATH": str(folder / "bin")}
    done = subprocess.run(command, cwd=folder, env=bare, capture_output=True, text=True)
    assert done.returncode != 0 and "jobs call python, and there is none on PATH" in done.stderr
    assert f"what to do: source {snakemake.parent}/activate" in done.stderr
    assert not (folder / "results" / "plain" / "tables").exists()


def test_a_folder_that_cannot_be_written_is_named(clone, folder):
    closed = ["bwrap", "--bind", "/", "/", "--dev", "/dev", "--ro-bind", str(folder), str(folder)]
    if subprocess.run([*closed, "true"], capture_output=True).returncode:
        pytest.skip("bubblewrap, which closes the folder for this test, is not installed or may not be used here")
    command = ["snakemake", "--snakefile", str(clone / "Snakefile"), "--configfile", "plain.yaml", "--cores", "1"]
    done = subprocess.run(
        [*closed, "--chdir", str(folder), *command, "published"], env=environment(), capture_output=True, text=True
    )
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert f"{folder}/.snakemake" in done.stderr and "the file system is read-only" in done.stderr
    assert "what to do: make the place writable" in done.stderr


def test_the_judge_is_importable_alone_and_light():
    """As other programs use it: no Polars, no SymPy, nothing of the other rooms is loaded."""
    code = (
        "import sys; from reasonlite.judge import compare, extract\n"
        "print(compare(extract('so \\\\boxed{\\\\frac12}'), '0.5').verdict)\n"
        "rooms = {name.split('.')[1] for name in sys.modules if name.startswith('reasonlite.')}\n"
        "print(rooms, {'polars', 'sympy', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run(
        ["python", "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["equal", "{'judge'} set()"]
