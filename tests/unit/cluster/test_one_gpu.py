"""Profiles agree on which rules need a GPU."""

from pathlib import Path

import yaml

PROFILES = Path(__file__).parents[3] / "profiles"


def rules_of(profile):
    return yaml.safe_load((PROFILES / profile / "config.yaml").read_text())["set-resources"]


def test_one_gpu_is_given_to_one_job_at_a_time():
    on_cluster = {name for name, asked in rules_of("slurm-cuda").items() if "gres" in asked}
    alone = rules_of("one-gpu")
    assert {name for name in on_cluster if not name.startswith("preflight")} == set(alone)
    assert all(asked["gpu"] == 1 for asked in alone.values())
