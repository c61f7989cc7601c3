"""One Slurm for all cluster tests."""

from pathlib import Path

import pytest
import slurm


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
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
