"""docs/first_hour.md, line by line on the emulated cluster: from the names of its partitions to a shard judged sane."""

import re
import subprocess

import pytest
from running import ROOT
from slurm import ACCOUNT

pytestmark = [pytest.mark.slow, pytest.mark.full]
TWO_NODES = {
    "preflight_train": {
        **{"nodes": 2, "tasks": 2, "gres": "''", "mem_mb": 4000},
        "accelerate_config": "'envs/accelerate/gloo.yaml'",
    }
}


def commands() -> list[str]:
    """The page's commands, with the tests' profile, config and results in place of the paper's."""
    page = (ROOT / "docs" / "first_hour.md").read_text()
    lines = [line for block in re.findall(r"```bash\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    names = {"slurm-mi300": "profiles/changed", "config/paper.yaml": "hour.yaml", "results/paper": "results/hour"}
    for name, own in names.items():
        lines = [line.replace(name, own) for line in lines]
    return lines


def test_the_page_ends_in_a_first_shard_judged_sane(cluster, submitting):
    config = (submitting.folder / "tiny.yaml").read_text().replace("experiment: tiny", "experiment: hour")
    (submitting.folder / "hour.yaml").write_text(config)
    submitting.write_profile(TWO_NODES, {})
    said = {}
    for line in commands():
        around = submitting.surroundings() | {"USER": "root"}
        done = subprocess.run(
            ["bash", "-c", line], cwd=submitting.folder, env=around, capture_output=True, text=True, timeout=3600
        )
        assert done.returncode == 0, (line, done.stdout[-3000:], done.stderr[-3000:])
        said[line] = done.stdout + done.stderr
    assert len(said) == 9  # preflight stands there twice, and its second answer counts
    assert "mi300" in said[commands()[0]] and ACCOUNT in said[commands()[1]]
    assert "GPU-hours" in next(text for line, text in said.items() if "estimate" in line)
    preflight = next(text for line, text in said.items() if "preflight" in line)
    assert "canary sane" in preflight and "verdict:" in preflight
    assert (submitting.folder / "results/hour/models/smollm2/model.safetensors").exists()
    assert said[commands()[-1]].rstrip().endswith("sane")
