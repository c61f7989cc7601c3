"""What all tests share: the optional real data, a copy of the workflow, and a model small enough for tests."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from running import ROOT, copy_project, environment, serving_packaged

# Qwen2.5's architecture in miniature with random weights, and SmolLM2's real tokenizer, as in config/study-tiny.yaml
TINY = yaml.safe_load((ROOT / "config" / "study-tiny.yaml").read_text())["models"]["tiny"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real benchmarks and problems; they are not part of the project."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the repository")
    return folder


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    command = [sys.executable, "scripts/fetch_model.py", "--source", json.dumps(TINY), "--output", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, env=environment(), timeout=1800)
    return folder


@pytest.fixture(scope="session")
def teacher(tmp_path_factory):
    """The address of the packaged teacher behind vLLM's server, started once for all tests that ask for it."""
    with serving_packaged(tmp_path_factory.mktemp("teacher")) as url:
        yield url
