"""make's set-up on a lock of two small packages: repeated, moved, interrupted, and with what may be wrong."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from running import ROOT

LIMIT = 1800
BARE = {
    name: value for name, value in os.environ.items() if not name.startswith(("UV_", "MAKE")) and name != "VIRTUAL_ENV"
}


@pytest.fixture
def folder(tmp_path) -> Path:
    """What set-up needs of the project, in a folder with a space, with a lock of the installer and one package."""
    made = tmp_path / "a clone"
    (made / "envs").mkdir(parents=True)
    (made / "config").mkdir()
    shutil.copy(ROOT / "Makefile", made)
    shutil.copy(ROOT / "envs" / "setup.sh", made / "envs")
    shutil.copy(ROOT / "config" / "demo.yaml", made / "config")
    uv = re.search(r"^uv==\S+", (ROOT / "envs" / "cpu.lock").read_text(), re.MULTILINE).group()
    (made / "envs" / "cpu.lock").write_text(f"six==1.17.0\n{uv}\n")
    return made


def make(folder: Path, *arguments: str, code: int = 0, **settings: str) -> str:
    done = subprocess.run(
        ["make", *arguments], cwd=folder, env=BARE | settings, capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def installed(folder: Path) -> bool:
    return bool(list(folder.glob(".venv/installed-*")))


@pytest.mark.full
def test_a_second_time_does_nothing_and_a_moved_folder_is_set_up_anew(package_index, folder):
    make(folder, "setup")
    assert installed(folder) and "Nothing to be done" in make(folder, "setup")
    moved = folder.with_name("moved elsewhere")
    folder.rename(moved)
    assert "making .venv anew" in make(moved, "setup")
    uv = (moved / ".venv" / "bin" / "pip").read_text().splitlines()[:2]
    assert str(moved) in "".join(uv) and "Nothing to be done" in make(moved, "setup")
    (moved / "envs" / "cpu.lock").write_text((moved / "envs" / "cpu.lock").read_text().replace("1.17.0", "1.16.0"))
    assert "installing the 2 packages of envs/cpu.lock" in make(moved, "setup")
    assert list(moved.glob(".venv/lib/python3.11/site-packages/six-1.16.0.dist-info"))


@pytest.mark.full
def test_interrupted_it_counts_as_nothing_and_goes_on(package_index, folder):
    run = subprocess.Popen(
        ["make", "setup"], cwd=folder, env=BARE, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    while not (folder / ".venv" / "bin" / "python").exists():
        assert run.poll() is None
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGINT)
    said, _ = run.communicate(timeout=LIMIT)
    assert run.returncode != 0 and "interrupted: nothing counts as installed" in said and not installed(folder)
    assert "making .venv anew" in make(folder, "setup") and installed(folder)


def test_another_python_is_refused_by_name(folder, tmp_path):
    python = tmp_path / "python3.14"
    python.write_text("#!/bin/sh\necho 3.14\n")
    python.chmod(0o755)
    said = make(folder, "setup", f"PYTHON={python}", code=2)
    assert f"error: {python} is not Python 3.11 but 3.14" in said and "run: make PYTHON=" in said
    said = make(folder, "setup", "PYTHON=/nowhere/python3", code=2)
    assert "not Python 3.11 but no Python at all" in said and not (folder / ".venv").exists()


def test_a_folder_that_is_no_environment_is_left_alone(folder):
    (folder / ".venv").mkdir()
    (folder / ".venv" / "thesis.txt").write_text("mine")
    said = make(folder, "setup", code=2)
    assert ".venv is no Python environment" in said and (folder / ".venv" / "thesis.txt").read_text() == "mine"


@pytest.mark.full
def test_an_environment_of_another_python_is_made_anew(package_index, folder):
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (folder / ".venv" / "bin" / "python").write_text("#!/bin/sh\necho 3.12\n")
    (folder / ".venv" / "bin" / "python").chmod(0o755)
    assert "making .venv anew" in make(folder, "setup") and installed(folder)


def test_without_an_index_the_package_is_named_and_nothing_looks_installed(folder):
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    nowhere |= {"PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": "", "PIP_CONFIG_FILE": os.devnull}
    said = make(folder, "setup", code=2, **nowhere)
    assert re.search(r"No matching distribution found for uv==", said)
    assert "check the network and the index" in said and "run the same command again" in said
    assert not installed(folder)


@pytest.mark.full
def test_a_full_disk_is_said(package_index, folder):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount a small file system here")
    try:
        for name in ("Makefile", "envs", "config"):
            source = ROOT / name
            target = folder / name
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        said = make(folder, "setup", code=2)
        assert "the disk is full" in said and "free some space" in said and not installed(folder)
    finally:
        subprocess.run(["umount", folder], check=True)


def test_clean_says_what_it_deletes_and_keeps_results(folder):
    for name in ("site", ".pytest_cache", "results/demo", "results/paper", ".venv", "scripts/__pycache__", "tests"):
        (folder / name).mkdir(parents=True)
    said = make(folder, "clean")
    assert "deleting site (" in said and "deleting .pytest_cache (" in said
    assert {path.name for path in folder.iterdir()} == {
        "Makefile",
        "envs",
        "config",
        "results",
        ".venv",
        "scripts",
        "tests",
    }
    said = make(folder, "clean-all")
    assert "deleting results/demo (" in said and "deleting .venv (" in said
    assert [path.name for path in (folder / "results").iterdir()] == ["paper"] and not (folder / ".venv").exists()


def test_help_lists_every_target():
    text = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE).group(1).split()
    listed = [line.split()[0] for line in make(ROOT, "help").splitlines()]
    assert sorted(listed) == sorted(targets)
