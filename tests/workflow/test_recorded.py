"""An experiment that only evaluates: answers that others drew and published, from their files to our tables."""

import csv
import json

import pytest
import yaml
from running import ROOT, run_snakemake

pytestmark = pytest.mark.slow
# as published for these answers
CHOSEN = {"Qwen2_5-14B-Instruct": 65.0, "gemma-2-27b-it": 17.5}


@pytest.fixture(scope="module")
def regraded(project, shared_data):
    """Two models of config/regrade.yaml on AMC23."""
    config = yaml.safe_load((ROOT / "config" / "regrade.yaml").read_text()) | {"experiment": "few"}
    evaluation = config["evaluation"] | {"baseline": "gemma-2-27b-it", "resamples": 200}
    evaluation["benchmarks"] = {"amc23": evaluation["benchmarks"]["amc23"]}
    chosen = [entry for entry in evaluation["models"] if entry["model"] in CHOSEN]
    evaluation["models"] = [
        {"model": entry["model"], **{key: {"amc23": entry[key]["amc23"]} for key in ("claimed", "recorded")}}
        for entry in chosen
    ]
    (project / "few.yaml").write_text(yaml.safe_dump(config | {"evaluation": evaluation}))
    if not (project / "data").exists():
        (project / "data").symlink_to(shared_data)
    done = run_snakemake(project, "--cores", "2", "--configfile", "few.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    return project / "results" / "few"


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_published_answers_are_graded_and_the_difference_adds_up(regraded):
    by = {(row["model"], row["grader"]): row for row in read(regraded / "tables" / "graders.csv")}
    assert {model for model, _ in by} == set(CHOSEN)
    for model, published in CHOSEN.items():
        assert float(by[model, "own"]["accuracy"]) == published
        parts = {
            row["part"]: float(row["value"])
            for row in read(regraded / "tables" / "explained.csv")
            if row["left"] == f"{model}: published"
        }
        whole = parts.pop("whole")
        assert whole == pytest.approx(sum(parts.values()), abs=1e-3)
        assert whole == pytest.approx(float(by[model, "rules"]["accuracy"]) - published, abs=1e-3)
    assert float(by["Qwen2_5-14B-Instruct", "rules"]["accuracy"]) == 65.0


def test_what_is_not_there_is_left_out_and_every_output_is_audited(regraded):
    assert not (regraded / "answers").exists() and not (regraded / "figures" / "budget.svg").exists()
    outputs = json.loads((regraded / "manifest.json").read_text())["outputs"]
    assert {"tables/graders.csv", "figures/graders.svg", "evaluation/gemma-2-27b-it/amc23/log.json"} <= set(outputs)
    metrics = {row["metric"] for row in read(regraded / "tables" / "results.csv")}
    assert {"avg@1", "difference", "answered"} <= metrics and "tokens" not in metrics
    facts = json.loads((regraded / "evaluation" / "gemma-2-27b-it" / "amc23" / "log.json").read_text())
    assert facts["answers"] == 40 and facts["lacking"] == []
