"""How workflow and cluster tests copy the project and start programs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def environment() -> dict[str, str]:
    """The tests' own environment with this interpreter's programs first on the path."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": "scripts"}


def copy_project(folder: Path) -> Path:
    """What a clean clone holds of the workflow, away from the working tree's results."""
    for name in ("rules", "scripts", "config", "envs", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
    return folder


def run_snakemake(project: Path, *arguments: str, timeout: int = 3000) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["snakemake", *arguments], cwd=project, env=environment(), capture_output=True, text=True, timeout=timeout
    )
