"""Model sources and what a model folder must hold. No weights are opened here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import hub
import numpy
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from reasonlite.config.sources import LocalModel
from reasonlite.core.errors import UserError
from reasonlite.models.folders import _cut_vocabulary, check_model_folder, fetch_model, fingerprint

ROOT = Path(__file__).parents[3]


def model_folder(path, *, without=()):
    path.mkdir(parents=True)
    for name in {"config.json", "tokenizer.json"} - set(without):
        (path / name).write_text(name)
    if "model.safetensors" not in without:
        save_file({"w": numpy.arange(4096, dtype=numpy.float32)}, path / "model.safetensors")
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
    save_file({"w": numpy.zeros(4096, dtype=numpy.float32)}, source / "model.safetensors")
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
    assert (tmp_path / "out" / "model.safetensors").stat().st_size > 4 * 4096
    missing = subprocess.run(
        [*command[:3], source.replace("owner/m", "owner/none"), "--output", tmp_path / "none"],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
    )
    assert missing.returncode == 2 and "model owner/none at" in missing.stderr and "Traceback" not in missing.stderr
    assert not (tmp_path / "none").exists()


def test_weights_that_were_half_copied_are_named(tmp_path):
    folder = model_folder(tmp_path / "m")
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1000])
    with pytest.raises(UserError, match=r"model.safetensors: the file of weights has [\d,]+ bytes, and its head says"):
        check_model_folder(folder)
    weights.write_bytes(b"<html>a page that says no</html>" * 40)
    with pytest.raises(UserError, match="file of weights has|is no safetensors file"):
        check_model_folder(folder)
    weights.write_bytes(whole)
    parts = {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))
    with pytest.raises(UserError, match="1 of 2 files of weights are missing, such as model-00002-of-00002"):
        check_model_folder(folder)


def fetch(url, cache, output, repo="owner/m", **settings):
    """fetch_model.py against a hub on loopback, as in a fresh user's account."""
    source = json.dumps({"kind": "hub", "repo": repo, "revision": hub.COMMIT})
    around = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    around |= {"HF_ENDPOINT": url, "HF_HOME": str(cache), "HF_HUB_DISABLE_XET": "1", **settings}
    command = [sys.executable, "scripts/fetch_model.py", "--source", source, "--output", str(output)]
    return subprocess.run(command, cwd=ROOT, env=around, capture_output=True, text=True, timeout=600)


def test_a_download_tells_how_far_it_is_and_goes_on_after_a_break(tmp_path):
    with hub.serving(tmp_path / "hub") as server:
        folder = model_folder(tmp_path / "hub" / "owner" / "m")
        save_file({"w": numpy.arange(2**20, dtype=numpy.float32)}, folder / "model.safetensors")
        server.breaks = 1  # the library asks again by itself
        done = fetch(server.url, tmp_path / "cache", tmp_path / "out")
        assert done.returncode == 0, done.stderr
        assert "3 files, 4 MB, 4 MB of them to fetch" in done.stderr and "progress: 4 of 4 MB" in done.stderr
        assert (tmp_path / "out" / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
        server.breaks = 100  # the network is gone; what came whole before stays
        save_file({"w": numpy.ones(2**20, dtype=numpy.float32)}, folder / "more.safetensors")
        (tmp_path / "cache" / "hub" / "models--owner--m" / "trees" / f"{hub.COMMIT}.json").unlink(missing_ok=True)
        broken = fetch(server.url, tmp_path / "cache", tmp_path / "again")
        assert broken.returncode == 2 and not (tmp_path / "again").exists(), broken.stderr
        assert "can be reached from here" in broken.stderr and "Traceback" not in broken.stderr
        server.breaks = 0
        assert fetch(server.url, tmp_path / "cache", tmp_path / "again").returncode == 0
        assert server.sent["model.safetensors"] == 1 and server.sent["more.safetensors"] == 1


def test_a_gated_model_names_the_token_and_never_shows_it(tmp_path):
    with hub.serving(tmp_path / "hub") as server:
        model_folder(tmp_path / "hub" / "owner" / "m")
        server.gated.add("owner/m")
        none = fetch(server.url, tmp_path / "cache", tmp_path / "out")
        assert none.returncode == 2 and "it is gated" in none.stderr and "set HF_TOKEN to a token" in none.stderr
        other = fetch(server.url, tmp_path / "cache", tmp_path / "out", HF_TOKEN="hf_of_somebody_else")
        assert other.returncode == 2 and "the token that is set notwithstanding" in other.stderr
        mine = fetch(server.url, tmp_path / "cache", tmp_path / "out", HF_TOKEN=server.token)
        assert mine.returncode == 0, mine.stderr
        assert not any(word in done.stderr + done.stdout for done in (none, other, mine) for word in ("hf_of", "hf_a_"))
        absent = fetch(server.url, tmp_path / "cache", tmp_path / "none", repo="owner/none")
        assert absent.returncode == 2 and "the hub does not show it to you" in absent.stderr


def test_a_vocabulary_is_cut_to_its_first_tokens(tmp_path):
    whole = Tokenizer(models.BPE())
    whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, initial_alphabet=alphabet, special_tokens=["<end>"])
    text = "the sum of seven and eleven and the sum of the two"
    whole.train_from_iterator([text] * 9, trainer)
    path = tmp_path / "tokenizer.json"
    whole.save(str(path))
    _cut_vocabulary(path, 270)
    cut = Tokenizer.from_file(str(path))
    assert cut.get_vocab_size() == 270 < whole.get_vocab_size()
    for said in (text, "é☃ 12<end>"):
        numbers = cut.encode(said).ids
        assert max(numbers) < 270 and b"".join(spelt(cut, numbers)) == b"".join(spelt(whole, whole.encode(said).ids))
    assert len(cut.encode(text)) > len(whole.encode(text))
    whole.add_special_tokens(["<late>"])
    whole.save(str(path))
    with pytest.raises(UserError, match="vocabulary: the tokenizer's first 270 tokens leave out <late>"):
        _cut_vocabulary(path, 270)


def spelt(tokenizer, numbers):
    return [tokenizer.id_to_token(number).encode() for number in numbers]
