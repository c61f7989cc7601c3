"""Models as folders in the Hugging Face layout, wherever they come from.

Knows sources (a package's GGUF, a local folder, the hub); does not know what a model is for.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reasonlite.config.sources import HubModel, LocalModel, PackagedModel, RandomModel
from reasonlite.core.errors import UserError
from reasonlite.core.files import canonical_json, sha256_file, sha256_text, write_json, write_text
from reasonlite.models import hub

FINGERPRINT = "fingerprint.json"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json")
TEKKEN = "mistral_common"  # package that carries Mistral's tokenizer
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


def check_model_folder(folder: Path) -> None:
    """Refuse a folder that ``from_pretrained`` could not open; say what it lacks."""
    if not folder.is_dir():
        raise UserError("no such model folder", where=folder, todo="give a folder in the Hugging Face layout")
    if not (folder / "config.json").is_file():
        raise UserError("the model folder has no config.json", where=folder, todo="copy it from the model's repository")
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise UserError(
            f"the model folder has no tokenizer (none of {', '.join(TOKENIZER_FILES)})",
            where=folder,
            todo="save one with AutoTokenizer.from_pretrained(…).save_pretrained(folder)",
        )
    if not any(any(folder.glob(pattern)) for pattern in WEIGHTS):
        raise UserError(f"the model folder has no weights ({', '.join(WEIGHTS)})", where=folder)
    _check_weights(folder)


def _check_weights(folder: Path) -> None:
    """Refuse weights that were half copied: files an index names that are not there, and files that are cut short."""
    todo = "copy or fetch it again, and compare with the sizes where it is from"
    for index in sorted(folder.glob("*.safetensors.index.json")):
        named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        absent = sorted(name for name in named if not (folder / name).is_file())
        if absent:
            raise UserError(
                f"{len(absent)} of {len(named)} files of weights are missing, such as {absent[0]}",
                where=folder,
                todo=todo,
            )
    for file in sorted(folder.glob("*.safetensors")):
        found, expected = file.stat().st_size, _safetensors_size(file)
        if found != expected:
            raise UserError(
                f"the file of weights has {found:,} bytes, and its head says {expected:,}", where=file, todo=todo
            )


def _safetensors_size(file: Path) -> int:
    """Bytes of a whole safetensors file, from its head: a length, JSON with each tensor's place, the tensors."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if not 2 <= length <= file.stat().st_size:
            return 8 + length
        try:
            tensors = json.loads(opened.read(length))
            ends = [entry["data_offsets"][1] for name, entry in tensors.items() if name != "__metadata__"]
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UserError("is no safetensors file", where=file, todo="copy or fetch it again") from None
    return 8 + length + max(ends, default=0)


def fetch_model(source: PackagedModel | LocalModel | HubModel | RandomModel, folder: Path) -> None:
    """Fill ``folder`` with the model and a fingerprint of its files."""
    if isinstance(source, PackagedModel):
        folder.mkdir(parents=True)
        _convert_packaged(source.package, folder)
    elif isinstance(source, RandomModel):
        folder.mkdir(parents=True)
        _make_random(source, folder)
    elif isinstance(source, LocalModel):
        check_model_folder(source.path)
        _link_files(source.path, folder)
    else:
        _link_files(hub.download(source.repo, source.revision, "model"), folder)
    check_model_folder(folder)
    write_fingerprint(folder, source.model_dump(mode="json"))


def _link_files(origin: Path, folder: Path) -> None:
    """Link, not copy: weights may be hundreds of gigabytes."""
    folder.mkdir(parents=True)
    for file in sorted(origin.iterdir()):
        if file.is_file() and file.name != FINGERPRINT:
            (folder / file.name).symlink_to(file.resolve())


def write_fingerprint(folder: Path, source: Any) -> None:
    """Record the SHA-256 of every file, so that no later step needs to read the weights for it."""
    write_json(folder / FINGERPRINT, {"source": source, "files": _hashes(folder)})


def write_checksums(folder: Path) -> None:
    """The files' SHA-256 beside the folder, as sha256sum prints them: so the steps that read it see a change."""
    path = folder.with_name(f"{folder.name}.sha256")
    files = json.loads((folder / FINGERPRINT).read_text(encoding="utf-8"))["files"]
    write_text(path, "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items())))


def _hashes(folder: Path) -> dict[str, str]:
    files = (file for file in sorted(folder.iterdir()) if file.is_file() and file.name != FINGERPRINT)
    return {file.name: sha256_file(file) for file in files}


def fingerprint(folder: Path) -> str:
    """A hash of the model's files; equal for equal models wherever they lie."""
    recorded = folder / FINGERPRINT
    if recorded.is_file():
        return sha256_text(canonical_json(json.loads(recorded.read_text(encoding="utf-8"))["files"]))
    return sha256_text(canonical_json(_hashes(folder)))


def _packaged_gguf(package: str) -> Path:
    # find_spec does not import the package, whose own dependencies are left out
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise UserError("the package is not installed", where=package, todo="run make demo, which installs it")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    if len(found) != 1:
        raise UserError(f"the package carries {len(found)} GGUF files, expected one", where=package)
    return found[0]


def _convert_packaged(package: str, folder: Path) -> None:
    """Unpack a GGUF file to bfloat16 weights, with the tokenizer it describes."""
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    gguf = _packaged_gguf(package)
    where: dict[str, Any] = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    with _read_once():
        model = AutoModelForCausalLM.from_pretrained(
            **where, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
        )
        model.config._name_or_path = package
        model.save_pretrained(folder)
        packaged_tokenizer(package).save_pretrained(folder)


@contextlib.contextmanager
def _read_once() -> Iterator[None]:
    """Have a GGUF file parsed once: transformers 5.17 parses it anew for configuration, weights and tokenizer.

    It also makes the table of all tensors' names anew for every module of the model.
    """
    import gguf
    import numpy as np

    reader, names = gguf.GGUFReader, gguf.get_tensor_name_map

    class Plain(gguf.GGUFReader):
        """Its half a million slices are of a plain array, which is several times as fast as a memory map's."""

        data = property(lambda self: self._data, lambda self, mapped: setattr(self, "_data", np.asarray(mapped)))

    known = functools.cache(Plain)
    gguf.GGUFReader = lambda path: known(str(path))
    gguf.get_tensor_name_map = functools.cache(names)
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = reader, names


def _make_random(source: RandomModel, folder: Path) -> None:
    """A model of random weights in bfloat16, with a real tokenizer."""
    import torch
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    if source.architecture not in CONFIG_MAPPING:
        raise UserError(
            f"transformers knows no architecture {source.architecture!r}",
            where="architecture",
            todo="use a model_type of transformers, such as qwen2, qwen3 or llama",
        )
    with _read_once():
        tokenizer = packaged_tokenizer(source.tokenizer)
    special = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    torch.manual_seed(source.seed)
    size = min(source.vocabulary or len(tokenizer), len(tokenizer))
    config = CONFIG_MAPPING[source.architecture](**{"vocab_size": size, **special, **source.settings})
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if size < len(tokenizer):
        _cut_vocabulary(folder / "tokenizer.json", size)


def _cut_vocabulary(path: Path, size: int) -> None:
    """Keep the first tokens of a byte-pair encoding: they are numbered in the order in which they were merged."""
    saved = json.loads(path.read_text(encoding="utf-8"))
    model = saved["model"]
    model["vocab"] = {token: number for token, number in model["vocab"].items() if number < size}
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    model["merges"] = [[left, right] for left, right in pairs if {left, right, left + right} <= model["vocab"].keys()]
    lost = [added["content"] for added in saved["added_tokens"] if added["id"] >= size]
    if lost:
        raise UserError(
            f"the tokenizer's first {size} tokens leave out {', '.join(lost[:3])}",
            where="vocabulary",
            todo="choose a larger number, or leave it out",
        )
    write_text(path, json.dumps(saved, ensure_ascii=False))


def packaged_tokenizer(package: str) -> Any:
    """The tokenizer that a package carries: Tekken, or that of its GGUF file, splitting text as its model learnt it."""
    from transformers import AutoTokenizer

    if package == TEKKEN:
        return _tekken()
    gguf = _packaged_gguf(package)
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    _mend_tokenizer(tokenizer, gguf)
    return tokenizer


def _tekken() -> Any:
    """Mistral's tokenizer of 2024, in the package that vLLM brings along."""
    from transformers.integrations.mistral.tokenizer import convert_tekken_tokenizer

    spec = importlib.util.find_spec(TEKKEN)
    folders = spec.submodule_search_locations if spec is not None else None
    found = sorted((Path(folders[0]) / "data").glob("tekken_*.json")) if folders else []
    if not found:
        raise UserError("the package carries no tekken_*.json", where=TEKKEN, todo="install it with vLLM")
    return convert_tekken_tokenizer(str(found[-1]))


def _mend_tokenizer(tokenizer: Any, gguf: Path) -> None:
    """Set what transformers 5.17 does not take over from GGUF: special tokens and the splitting of text.

    It leaves GPT-2's splitting in place whatever ``tokenizer.ggml.pre`` says, and SmolLM
    splits numbers into digits: without this, numbers would become tokens the model never saw.
    """
    from gguf import GGUFReader
    from tokenizers import pre_tokenizers

    fields = GGUFReader(gguf).fields
    value = {
        name: fields[name].contents()
        for name in fields
        if name.startswith("tokenizer.ggml.")
        and name.rsplit(".", 1)[1] in {"pre", "bos_token_id", "eos_token_id", "padding_token_id"}
    }
    splitting = value.get("tokenizer.ggml.pre", "gpt-2")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)
    if splitting == "smollm":
        digits = pre_tokenizers.Digits(individual_digits=True)
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, byte_level])
    elif splitting not in {"gpt-2", "default"}:
        raise UserError(
            f"its way of splitting text, {splitting!r}, is not known here",
            where=gguf,
            todo="give the model as a local folder with its own tokenizer instead",
        )
    for token, key in [("bos_token", "bos"), ("eos_token", "eos"), ("pad_token", "padding")]:
        number = value.get(f"tokenizer.ggml.{key}_token_id")
        if number is not None:
            setattr(tokenizer, token, tokenizer.convert_ids_to_tokens(int(number)))
    tokenizer.clean_up_tokenization_spaces = False
    tokenizer.model_max_length = int(fields["llama.context_length"].contents())
