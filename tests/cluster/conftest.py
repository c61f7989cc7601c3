"""One Slurm for the tests of a process, and a project with an undisturbed run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import slurm
from running import need_vllm
from submitting import ANSWERS, TARGETS, Project, tiny_project


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    need_vllm()
    reason = slurm.missing()
    if reason:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("slurm")
    for parent in (folder, *folder.parents):
        if parent == Path("/tmp"):
            break
        parent.chmod(parent.stat().st_mode | 0o755)
    with slurm.running(folder / "cluster") as running:
        yield running


@pytest.fixture(scope="session")
def submitting(cluster, tiny_model, tmp_path_factory) -> Iterator[Project]:
    project = tiny_project(tmp_path_factory.mktemp("cluster-project"), cluster, tiny_model)
    yield project
    project.end()


@pytest.fixture(scope="session")
def undisturbed(submitting):
    """What a terminal and Snakemake's log showed, and the tables' rows, of a run that nothing happens to."""
    return submitting.run_in_a_terminal(), submitting.rows(TARGETS + ANSWERS)
