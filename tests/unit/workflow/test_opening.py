"""The plan that the main process leaves and jobs read."""

import json
import subprocess
import sys

import pytest
import yaml
from running import ROOT, environment

from reasonlite.core.errors import UserError
from reasonlite.workflow import opening
from reasonlite.workflow.checks import python_complaint

HEAVY = {"pydantic", "polars", "numpy", "reasonlite.config", "reasonlite.audit"}


@pytest.fixture
def raw(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())


def plans(folder):
    return list((folder / opening.NOTES).glob("plan-*.json"))


def test_a_job_reads_what_the_main_process_left_and_loads_nothing_heavy(raw, tmp_path):
    made = opening.open_plan(raw, ROOT, main=True)
    assert json.loads(json.dumps(made)) == made and len(plans(tmp_path)) == 1
    assert list(made["teacher"]["efforts"]) == ["medium", "high"]  # the config's order, not the alphabet's
    code = (
        "import json, sys; from pathlib import Path; from reasonlite.workflow import opening\n"
        f"plan = opening.open_plan(json.load(sys.stdin), Path({str(ROOT)!r}), main=False)\n"
        f"json.dump([plan, sorted(set(sys.modules) & {HEAVY!r})], sys.stdout)"
    )
    path = environment() | {"PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(raw), env=path, capture_output=True, text=True, check=True
    )
    assert done.stdout == json.dumps([made, []])


def test_a_job_that_finds_nothing_makes_the_plan_itself_and_leaves_nothing(raw, tmp_path):
    assert opening.open_plan(raw, ROOT, main=False) == opening.open_plan(raw, ROOT, main=True)
    for plan in plans(tmp_path):
        plan.unlink()
    opening.open_plan(raw, ROOT, main=False)
    assert not plans(tmp_path)


def test_the_plan_is_written_anew_only_when_it_says_something_else(raw, tmp_path):
    opening.open_plan(raw, ROOT, main=True)
    (file,) = plans(tmp_path)
    first = file.stat().st_ino
    opening.open_plan(raw, ROOT, main=True)
    assert file.stat().st_ino == first
    file.write_text("{}")  # cut off, or of other code
    assert opening.open_plan(raw, ROOT, main=True)["experiment"] == "demo" == json.loads(file.read_text())["experiment"]
    opening.open_plan(raw | {"experiment": "other"}, ROOT, main=True)
    assert len(plans(tmp_path)) == 2


def test_a_value_that_json_cannot_hold_is_told(raw):
    with pytest.raises(UserError, match="holds a value that JSON cannot"):
        opening.open_plan(raw | {"seed": {1, 2}}, ROOT, main=True)


def test_another_python_on_the_path_is_told():
    assert python_complaint("/a/bin/python", "/a/bin/python3.11") is None
    told = python_complaint("/usr/bin/python", "/a/bin/python")
    assert told.startswith("jobs will call /usr/bin/python, not") and "source /a/bin/activate" in told
