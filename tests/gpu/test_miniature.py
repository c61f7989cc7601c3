"""The GPU checks run on the CPU in miniature, so that they are no dead text. Figures come from a GPU alone."""

import json
import subprocess
import sys

import pytest
from running import ROOT, environment

pytestmark = [pytest.mark.slow, pytest.mark.full]


def run(program, folder, *arguments):
    output = folder / f"{program}.json"
    line = [sys.executable, f"tests/gpu/{program}.py", "--miniature", "--output", str(output), *arguments]
    done = subprocess.run(line, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, (done.stdout[-1000:], done.stderr[-3000:])
    return json.loads(output.read_text())


def test_losses_agree_on_one_device(tmp_path):
    found = run("loss", tmp_path)
    assert isinstance(found["losses"]["sdpa"], float) and found["cpu"] > 0


def test_a_batch_has_the_same_loss_without_its_mask(tmp_path):
    (batch,) = run("padding", tmp_path)["batches"]
    assert batch["with the mask"]["loss"] == pytest.approx(batch["without"]["loss"], abs=1e-4)


def test_an_engines_speed_by_what_is_seeded(tmp_path):
    speeds = run("engine", tmp_path)["speed"]["tokens_per_second"]
    assert len(speeds) == 5 and all(speed > 0 for speed in speeds.values())


def test_sft_in_every_variant_and_a_kill(tmp_path):
    found = run("sft", tmp_path, "--steps", "3", "--variants", "packed", "trl")
    assert set(found["variants"]) == {"packed", "trl"}  # the first step of the others is walked in resumed
    assert all(each["tokens_per_second"] > 0 for each in found["variants"].values())
    assert found["kill_and_resume"]["cpu"] == {"continued": True, "largest_difference_of_losses": 0.0}


def test_grpo_and_distillation(tmp_path):
    found = run("on_policy", tmp_path, "--steps", "2")
    assert {method: each["steps"] for method, each in found["steps"].items()} == {"grpo": 2, "distill": 2}
