"""What all tests share: the optional real data, a copy of the workflow, and a model small enough for tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from running import ROOT, copy_project, environment, serving_packaged

# Qwen2.5's architecture in miniature with random weights, and SmolLM2's real tokenizer, as in config/study-tiny.yaml
# tests that share what is dear to make, such as a Slurm or a finished chain, run in one process, one after the other;
# the groups that take longest begin first. A Slurm's tests are mostly waits, so there are two groups with a Slurm each.
# Tests of a file that is not named here are a group of their own if they are slow, and go wherever there is room if not
GROUPS = {
    "faults": ["test_faults"],
    "cluster": ["test_profiles", "test_first_hour"],
    "changes": ["test_changes"],
    "interruptions": ["test_interruptions"],
    "training": ["test_real_training"],
    "chain": ["test_chain"],
}
TINY = yaml.safe_load((ROOT / "config" / "study-tiny.yaml").read_text())["models"]["tiny"]


@pytest.hookimpl(tryfirst=True)  # pytest-xdist looks at the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests into the groups that pytest-xdist keeps together (--dist loadgroup), longest first."""
    group_of = {file: group for group, files in GROUPS.items() for file in files}
    order = [*GROUPS, None]

    def place(item: pytest.Item) -> str | None:
        return group_of.get(item.path.stem)

    items.sort(key=lambda item: (order.index(place(item)), not item.get_closest_marker("slow")))
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.xdist_group(place(item) or item.path.stem))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Stop where pytest-xdist would tear the groups apart: each process would start a Slurm of its own."""
    if getattr(session.config.option, "loadgroup", False):
        torn = [item.nodeid for item in session.items if item.get_closest_marker("slow") and "@" not in item.nodeid]
        if torn:
            raise pytest.UsageError(f"pytest-xdist does not see the groups of {len(torn)} tests, such as {torn[0]}")


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


@pytest.fixture(scope="session")
def package_index() -> dict[str, str]:
    """An environment in which uv reaches a package index."""
    settings = {
        "PIP_FIND_LINKS": "UV_FIND_LINKS",
        "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
        "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    }
    told = {name: os.environ[pip] for pip, name in settings.items() if os.environ.get(pip)}
    surroundings = told | environment()
    asked = subprocess.run(
        ["uv", "pip", "compile", "-", "--quiet", "--no-header"],
        input="six", env=surroundings, capture_output=True, text=True, timeout=3600,
    )  # fmt: skip
    if asked.returncode:
        pytest.skip(f"no package index can be reached: {asked.stderr.strip()[-200:]}")
    return surroundings
