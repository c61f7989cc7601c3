"""How workflow tests start programs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    """The tests' own environment with this interpreter's programs first on the path."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": "scripts"}


def run_snakemake(project: Path, *arguments: str, timeout: int = 3000) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["snakemake", *arguments], cwd=project, env=environment(), capture_output=True, text=True, timeout=timeout
    )
