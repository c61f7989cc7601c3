"""Commands at the sizes of a paper and beyond: what the kernel takes in one argument has its limit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from running import ROOT, environment


@pytest.mark.parametrize(("config", "shards"), [("paper", 10_000), ("study", 1)])
def test_every_rules_command_is_taken_by_the_kernel(project, tmp_path, config, shards):
    """Each is run with programs in place of Python and tee that take any arguments; Linux refuses 131,072 bytes."""
    raw = yaml.safe_load((ROOT / "config" / f"{config}.yaml").read_text())
    raw["experiment"] = "a-name-that-somebody-thought-would-say-everything-about-the-run"
    raw["problems"]["shards"] = shards
    if config == "study":  # ten times its seeds: some 400 models evaluated
        raw["grid"]["seeds"] = list(range(10 * len(raw["grid"]["seeds"])))
    (project / "large.yaml").write_text(yaml.safe_dump(raw))
    made = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "commands.py"), "large.yaml"],
        cwd=project, env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    commands = json.loads(made.stdout)
    assert {"tabulate_funnel", "train", "shard_problems", "tabulate_arms", "plot_loss", "audit"} <= set(commands)
    for name in ("python", "tee"):
        (tmp_path / name).symlink_to("/bin/true")
    for rule, command in commands.items():
        for path in [word.strip("&>'\"") for word in command.split() if "/logs/" in word]:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env={**os.environ, "PATH": f"{tmp_path}:/bin"}, capture_output=True
        )
        assert done.returncode == 0, (rule, len(command), done.stderr)
    assert max(map(len, commands.values())) > 1000 and not list(Path(tmp_path).glob("results/*/tables"))
