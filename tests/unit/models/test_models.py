"""Model sources and what a model folder must hold. No weights are opened here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reasonlite.config.sources import LocalModel
from reasonlite.core.errors import UserError
from reasonlite.models.folders import check_model_folder, fetch_model, fingerprint

ROOT = Path(__file__).parents[3]


def model_folder(path, *, without=()):
    path.mkdir(parents=True)
    for name in {"config.json", "tokenizer.json", "model.safetensors"} - set(without):
        (path / name).write_text(name)
    return path


@pytest.mark.parametrize(
    ("missing", "message"),
    [("tokenizer.json", "has no tokenizer"), ("config.json", "no config.json"), ("model.safetensors", "no weights")],
)
def test_an_incomplete_folder_is_named(tmp_path, missing, message):
    folder = model_folder(tmp_path / "m", without=[missing])
    with pytest.raises(UserError, match=message):
        check_model_folder(folder)
    with pytest.raises(UserError, match=message):
        fetch_model(LocalModel(kind="local", path=folder), tmp_path / "out")


def test_a_local_model_is_linked_and_its_fingerprint_is_of_its_files(tmp_path):
    source = model_folder(tmp_path / "m")
    for name in ("a", "b"):
        fetch_model(LocalModel(kind="local", path=source), tmp_path / name)
    assert (tmp_path / "a" / "model.safetensors").is_symlink()
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b") == fingerprint(source)
    (source / "model.safetensors").write_text("other weights")
    fetch_model(LocalModel(kind="local", path=source), tmp_path / "c")
    assert fingerprint(tmp_path / "c") != fingerprint(tmp_path / "a")


def test_a_hub_model_is_taken_from_the_hubs_own_layout(tmp_path):
    revision = "b" * 40
    model_folder(tmp_path / "hub" / "models--owner--m" / "snapshots" / revision)
    source = json.dumps({"kind": "hub", "repo": "owner/m", "revision": revision})
    command = [sys.executable, "scripts/fetch_model.py", "--source", source, "--output"]
    settings = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([*command, tmp_path / "out"], cwd=ROOT, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "model.safetensors").read_text() == "model.safetensors"
    missing = subprocess.run(
        [*command[:3], source.replace("owner/m", "owner/none"), "--output", tmp_path / "none"],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
    )
    assert missing.returncode == 2 and "model owner/none at" in missing.stderr and "Traceback" not in missing.stderr
    assert not (tmp_path / "none").exists()
