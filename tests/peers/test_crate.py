"""The release's metadata before the validator of its profile, and read by runcrate; the contexts without a network."""

# ruff: noqa: E402, for the packages are looked for first
import json
import subprocess
import sys
from pathlib import Path

import pytest

for name in ("rocrate_validator", "runcrate", "prov"):
    pytest.importorskip(name, reason=f"{name} is not installed here; make test-peers")

import requests
import rocrate
from prov.model import ProvActivity, ProvDocument, ProvGeneration, ProvUsage
from rocrate_validator import models, services
from rocrate_validator.utils.http import HttpRequester

from reasonlite.audit import crate, prov

TERMS = json.loads((Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_text())["@context"]
# what RO-Crate 1.1's own context says otherwise than that of 1.3, which the package carries
TERMS |= {name: f"https://bioschemas.org/{name}" for name in ("ComputationalWorkflow", "FormalParameter")}
CONTEXTS = {
    "https://w3id.org/ro/crate/1.1/context": TERMS,
    "https://w3id.org/ro/terms/workflow-run/context": {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
}


def answered(self, url, **_):
    answer = requests.Response()
    answer.status_code, answer.url = 200 if url in CONTEXTS else 404, url
    answer._content = json.dumps({"@context": CONTEXTS.get(url)}).encode()
    answer.headers["Content-Type"] = "application/ld+json"
    return answer


def output(rule, inputs, seconds=2.5, **more):
    return {
        **{"rule": rule, "sha256": "0" * 64, "bytes": 9, "seconds": seconds, "start": "2026-11-26T16:52:50+00:00"},
        **{"inputs": inputs, "code": "c" * 64, "machine": {"processor": "x86_64", "python": "3.11.7", "gpus": []}},
        **more,
    }


MANIFEST = {
    "sources": {"config/published/a.csv": {"sha256": "1" * 64, "bytes": 3}},
    "outputs": {
        "answers/high/00000.parquet": output("generate_answers", {}, settings={"seed": 7, "engine": {"kind": "vllm"}},
                                             wildcards={"effort": "high", "shard": "00000"}),
        "tables/results.csv": output("tabulate_results", {"results/demo/answers/high/00000.parquet": "0" * 64,
                                                          "config/published/a.csv": "1" * 64}),
        "figures/stages.svg": output("plot_stages", {"results/demo/tables/results.csv": None}),
    },
}  # fmt: skip
FILES = ("tables/results.csv", "figures/stages.svg", "config/published/a.csv", "workflow/README.md")


@pytest.fixture
def folder(tmp_path):
    for name in (*FILES, "workflow/Snakefile", "browse/index.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text\n")
    about = {"name": "demo", "description": "A run.", "license": "apache-2.0", "authors": ["A. Person"]}
    crate.write(tmp_path, about, MANIFEST, dict.fromkeys((*FILES, "workflow/Snakefile"), "2" * 64), "browse")
    return tmp_path


def complaints(folder, monkeypatch):
    monkeypatch.setattr(HttpRequester, "get", answered, raising=False)
    monkeypatch.setattr(HttpRequester, "head", answered, raising=False)
    wanted = {"rocrate_uri": str(folder), "profile_identifier": "provenance-run-crate"}
    settings = services.ValidationSettings(**wanted, requirement_severity=models.Severity.REQUIRED)
    return [f"{issue.message} {issue.violatingEntity}" for issue in services.validate(settings).get_issues()]


def test_the_release_is_a_provenance_run_crate(folder, monkeypatch):
    assert complaints(folder, monkeypatch) == []
    known = json.loads((folder / crate.NAME).read_text())
    for entity in known["@graph"]:
        if entity["@id"] == "#organize":
            entity["object"] = []
    (folder / crate.NAME).write_text(json.dumps(known))
    assert any("OrganizeAction must reference the ControlAction" in each for each in complaints(folder, monkeypatch))


def test_every_step_says_what_it_read_made_and_was_told(folder):
    graph = {entity["@id"]: entity for entity in json.loads((folder / crate.NAME).read_text())["@graph"]}
    steps = {entity["name"]: entity for entity in graph.values() if entity["@type"] == "CreateAction"}
    assert set(steps) == {"demo", "generate_answers/high/00000", "tabulate_results", "plot_stages"}
    drawn = steps["generate_answers/high/00000"]
    told = {(graph[each["@id"]]["name"], graph[each["@id"]]["value"]) for each in drawn["object"]}
    assert told == {("seed", "7"), ("engine.kind", "vllm")} and drawn["endTime"] == "2026-11-26T16:52:52+00:00"
    absent = graph["#file/answers/high/00000.parquet"]
    assert absent["description"] == "not in this release" and absent["sha256"] == "0" * 64
    read = {each["@id"] for each in steps["tabulate_results"]["object"]}
    assert read == {absent["@id"], "config/published/a.csv"}


def test_the_prov_library_reads_the_export():
    found = ProvDocument.deserialize(content=json.dumps(prov.document(MANIFEST)), format="json")
    activities = {str(each.label): each for each in found.get_records(ProvActivity)}
    assert set(activities) == {"generate_answers/high/00000", "tabulate_results", "plot_stages"}
    assert str(activities["plot_stages"].get_endTime()) == "2026-11-26 16:52:52+00:00"
    assert len(list(found.get_records(ProvUsage))) == 3 and len(list(found.get_records(ProvGeneration))) == 3


def test_runcrate_reads_it(folder):
    line = [Path(sys.executable).with_name("runcrate"), "report", folder]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0 and "instrument: workflow/Snakefile" in done.stdout, done.stdout + done.stderr
    assert "tables/results.csv" in done.stdout and "#rule/plot_stages" in done.stdout
