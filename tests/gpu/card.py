"""What the GPU checks share: a student of any size with random weights, tokens to learn, and a card's peak.

Needs torch, transformers, tokenizers and pyarrow; no network, no shared data. Without a GPU everything runs on the
CPU in miniature (--miniature), so that the programs are known to run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from reasonlite.core.files import write_json
from reasonlite.models.folders import write_fingerprint
from reasonlite.training.tokens import SCHEMA

# Qwen3-0.6B, and the same architecture for a CPU
NAMES = ("layers", "hidden", "intermediate", "words", "heads", "kv_heads", "head_dim")
FULL = dict(zip(NAMES, (28, 1024, 3072, 151_936, 16, 8, 128), strict=True))
MINIATURE = dict(zip(NAMES, (2, 64, 128, 300, 2, 1, 32), strict=True))
# dense bfloat16 FLOP/s by a part of the card's name, from the makers' data sheets
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "MI300X": 1307e12, "MI325X": 1307e12}
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + ' ' + message['content'] + '<|im_end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant ' }}{% endif %}"
)


def parser(description: str | None) -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--miniature", action="store_true", help="sizes for a CPU: shows that the program runs")
    found.add_argument("--output", type=Path, help="file to write the figures to, as JSON")
    return found


def qwen3(sizes: dict[str, int], **more: Any) -> Any:
    """The configuration of a Qwen3 of these sizes."""
    from transformers import Qwen3Config

    return Qwen3Config(
        vocab_size=sizes["words"], hidden_size=sizes["hidden"], intermediate_size=sizes["intermediate"],
        num_hidden_layers=sizes["layers"], num_attention_heads=sizes["heads"], num_key_value_heads=sizes["kv_heads"],
        head_dim=sizes["head_dim"], tie_word_embeddings=True, max_position_embeddings=40_960, **more,
    )  # fmt: skip


def student(folder: Path, sizes: dict[str, int], seed: int = 0) -> Path:
    """A Qwen3 of these sizes with random bfloat16 weights, and a tokenizer of its words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    # characters first, so that sums and boxes can be written; then words nobody says
    characters = [chr(code) for code in range(33, 127)]
    words = [*special, "<unk>", *characters, *(f"w{number}" for number in range(sizes["words"]))][: sizes["words"]]
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", unk_token="<unk>",
        additional_special_tokens=["<|im_start|>"], chat_template=TEMPLATE,
    )  # fmt: skip
    torch.manual_seed(seed)
    config = qwen3(sizes, eos_token_id=2, pad_token_id=0, bos_token_id=None)
    Qwen3ForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    fast.save_pretrained(folder)
    write_fingerprint(folder, "random")
    return folder


def token_file(path: Path, lengths: list[int], words: int, seed: int = 0) -> Path:
    """Examples of random tokens of these lengths, the first quarter of each being the question."""
    random = np.random.default_rng(seed)
    rows = [random.integers(4, words, length).astype(np.int32) for length in lengths]
    path.parent.mkdir(parents=True, exist_ok=True)
    note = SCHEMA.with_metadata({"origin": f"random {seed} {lengths}", "sample": "[]"})
    columns = [pa.array([f"r:{number}" for number in range(len(rows))]), pa.array(rows, SCHEMA.field("tokens").type)]
    columns.append(pa.array([length // 4 for length in lengths], pa.int32()))
    with pa.ipc.new_file(str(path), note) as writer:
        writer.write_batch(pa.record_batch(columns, schema=note))
    return path


def peak() -> tuple[str, float | None]:
    """The card's name and its peak in bfloat16, None if the table does not know it or there is none."""
    import torch

    if not torch.cuda.is_available():
        return "CPU", None
    name = torch.cuda.get_device_name()
    return name, next((value for part, value in PEAKS.items() if part in name), None)


def accelerate_config(name: str, folder: Path) -> Path:
    """One of the project's configurations of accelerate, for one process."""
    text = (ROOT / "envs" / "accelerate" / f"{name}.yaml").read_text()
    path = folder / f"{name}.yaml"
    path.write_text(text.replace("num_processes: 8", "num_processes: 1"))
    return path


def train(
    method: str, start: Path, data: Path, folder: Path, stage: dict, *more: str, config: str | None = None
) -> subprocess.Popen:
    """One of the project's own training scripts on this machine's device, its output in folder/log."""
    import torch

    config = config or ("gpu" if torch.cuda.is_available() else "cpu")
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"name": "s", "method": method, "start": "m", "data": ["short"]} | stage
    line = [
        *(sys.executable, "scripts/launch.py", "--config-file", str(accelerate_config(config, folder))),
        *("--threads", str(os.cpu_count()), "--", f"scripts/train_{method}.py", "--stage", json.dumps(whole)),
        *("--start", str(start), "--data", str(data), "--seed", "0", "--work", str(folder / "work")),
        *("--output", str(folder / "out"), "--log-table", str(folder / "log.parquet")),
        *("--speed-table", str(folder / "speed.parquet"), "--learned-table", str(folder / "learned.parquet")),
        *("--rollouts-table", str(folder / "rollouts.parquet"), *more),
    ]
    with (folder / "log").open("a") as log:
        return subprocess.Popen(line, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)


def finished(process: subprocess.Popen, folder: Path) -> None:
    if process.wait():
        raise SystemExit((folder / "log").read_text(errors="replace")[-4000:])


def keep(output: Path | None, found: dict) -> None:
    """The figures as JSON where they were asked for; they are printed anyway."""
    print(json.dumps(found, indent=2))
    if output is not None:
        write_json(output, found)
