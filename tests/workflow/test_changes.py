"""One change at a time to a finished run: the audit names exactly the outputs that changed, and exactly that cause."""

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml
from auditing import CHANGES, Project, check
from running import copy_project, run_snakemake

pytestmark = [pytest.mark.slow, pytest.mark.full]


@pytest.fixture(scope="module")
def finished(teacher, tiny_model, tmp_path_factory) -> Project:
    folder = copy_project(tmp_path_factory.mktemp("audited"))
    shutil.copytree(tiny_model, folder / "tiny")
    config = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text().replace("TINY", "tiny"))
    config |= {"experiment": "audited", "labels": {"min_share": 0.6, "min_votes": 2}}
    config["problems"]["shards"] = 1
    server = {"kind": "server", "url": teacher, "model": "served", "concurrency": 16}
    config["teacher"]["engine"] = server | {"canary": {"max_tokens": 8}}
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
    project = Project(folder, "audited", "audited.yaml")
    project.run()
    return project


@pytest.mark.parametrize("change", CHANGES, ids=[change[0] for change in CHANGES])
def test_the_audit_names_what_changed_and_why(finished, change):
    check(finished, *change)


def test_a_stage_that_would_be_the_same_is_not_trained_again(finished):
    log = finished.folder / finished.results / "logs" / "train" / "turbo.log"
    finished.replace("scripts/reasonlite/curriculum/examples.py", "UNUSED = 1", "UNUSED = 2")
    assert "Training the stage" in finished.run()  # planned together with what it reads
    assert "its files are put in place again" in log.read_text()
    finished.replace("scripts/reasonlite/curriculum/examples.py", "UNUSED = 2", "UNUSED = 3")
    assert "Choosing examples" in finished.run(["curriculum/short/00000.parquet"])
    assert "Training the stage" not in finished.run()  # the examples are known to be the same by then
    assert finished.audit("verify", str(finished.results)).endswith(" 0 faults\n")


def test_a_changed_lock_is_told_and_by_config_makes_all_again(finished):
    finished.replace("envs/cpu.lock", "torch==", "torch==9.")
    finished.replace("scripts/tabulate_published.py", "As it was", "As was")
    said = finished.run()
    assert "envs/cpu.lock changed since the last manifest: torch" in said and "environment.changed: rerun" in said
    finished.config(lambda config: config.update(environment={"changed": "rerun"}))
    said = finished.run()
    assert re.search(r"generate_answers 2\b", said) and re.search(r"\btrain 1\b", said)
    assert (
        "its files are put in place again"
        not in (finished.folder / finished.results / "logs/train/turbo.log").read_text()
    )
    keys = pl.read_parquet(finished.folder / finished.results / "journals/medium/00000/*.parquet")["key"]
    assert keys.n_unique() == len(keys)


def test_an_answer_is_traced_to_its_problem_and_seed(finished):
    table = finished.results / "curriculum" / "short" / "00000.parquet"
    row = pl.read_parquet(finished.folder / table)["answer_id"][0]
    told = finished.audit("trace", str(table), "--row", row, "--graph", "way.svg")
    for made in ("(curate)", "(vote_and_judge)", "(group_answers)", "(generate_answers)", "(shard_problems)"):
        assert made in told, told
    assert "seed " in told and "What is" in told
    assert "votes/00000.parquet  (vote_and_judge)" in told and "label_source " in told
    assert (finished.folder / "way.svg").read_text().startswith("<svg")
    told = finished.audit("trace", str(finished.results / "tables" / "results.csv"))
    assert "from mine.jsonl" in told and "train.stage" not in told and "stage.arguments.learning_rate = 0.02" in told


def test_snakemake_audit_brings_all_up_to_date_and_tells(finished):
    for _ in range(2):
        done = run_snakemake(finished.folder, "--cores", "2", "--configfile", "audited.yaml", "--", "audit")
        assert done.returncode == 0, done.stderr[-3000:]
        assert "added     tables/lengths.csv  (tabulate_distributions)" in done.stdout
        assert "because of config tabulate_distributions: newly asked for" in done.stdout
