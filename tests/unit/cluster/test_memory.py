"""Memory of stages and engines: shapes against transformers' own models, sums by hand, what cannot fit."""

from pathlib import Path

import pytest
import yaml

from reasonlite.cluster import memory
from reasonlite.config.experiment import parse_config
from reasonlite.config.settings import VllmEngine

ROOT = Path(__file__).parents[3]
KNOWN = memory.shapes(ROOT / "config" / "published" / "architectures.csv")


@pytest.mark.parametrize("repo", [repo for repo in KNOWN if repo.startswith("Qwen/")])
def test_parameters_are_those_of_the_architecture_without_weights(repo):
    """transformers' own model of these sizes on the meta device."""
    import torch
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    shape = KNOWN[repo]
    kind = "qwen3" if shape.qk_norm else "qwen2"
    sizes = {
        **{"hidden_size": shape.hidden, "intermediate_size": shape.intermediate, "vocab_size": shape.vocabulary},
        **{"num_hidden_layers": shape.layers, "num_attention_heads": shape.heads, "head_dim": shape.head_dim},
        **{"num_key_value_heads": shape.kv_heads, "tie_word_embeddings": shape.tied},
    }
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(CONFIG_MAPPING[kind](**sizes))
    assert shape.parameters == sum(each.numel() for each in model.parameters())
    assert shape.weights_gb == pytest.approx(2 * shape.parameters / 1e9, rel=0.3)  # bfloat16, some with the head twice


def paper(**arguments):
    raw = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())
    for stage in raw["stages"]:
        stage["arguments"] = {**stage["arguments"], **arguments}
    return memory.of_config(parse_config(raw), KNOWN, 32)


def test_the_papers_stages_fit_an_mi300x_and_say_what_they_take():
    text, complaints = memory.lines(paper(), 206)
    assert not complaints and text[0].startswith("  train turbo: ") and "activations 30.3" in text[0]
    assert any(line.startswith("  generate_answers: 71 GB (weights 65.3") for line in text)


@pytest.mark.parametrize(
    ("arguments", "gpu", "said"),
    [
        ({"label_smoothing_factor": 0.1}, 206, "most of it logits\n  what to do: label_smoothing_factor: 0"),
        ({"gradient_checkpointing": False}, 206, "most of it activations\n  what to do: gradient_checkpointing"),
        ({"per_device_train_batch_size": 64, "max_length": 65536}, 206, "train turbo takes"),
        ({}, 40, "generate_answers takes 71 GB of a GPU of 40, most of it weights\n  what to do: tensor_parallel_size"),
    ],
)
def test_what_cannot_fit_is_refused_with_what_to_do(arguments, gpu, said):
    _, complaints = memory.lines(paper(**arguments), gpu)
    assert any(said in complaint for complaint in complaints)


def test_only_packing_without_flash_attention_needs_a_mask_and_more_ranks_less_optimizer():
    shape = KNOWN["Qwen/Qwen3-0.6B"]
    plain = {"per_device_train_batch_size": 8, "max_length": 32768, "use_liger_kernel": True}
    flash = {"model_init_kwargs": {"attn_implementation": "flash_attention_2"}}
    for packed in ({"packing": True}, {"padding_free": True}):
        table = memory.training(shape, plain | packed, 32)["mask of packed examples"]
        assert table == pytest.approx((8 * 32768) ** 2 / 1e9)
        assert memory.training(shape, plain | packed | flash, 32)["mask of packed examples"] == 0
    assert memory.training(shape, plain, 32)["mask of packed examples"] == 0
    one, many = (memory.training(shape, plain, ranks)["optimizer"] for ranks in (1, 32))
    assert one == pytest.approx(32 * many) == pytest.approx(12 * shape.parameters / 1e9)


def test_an_engines_cache_is_of_keys_and_values_and_shared_by_its_gpus():
    shape = KNOWN["openai/gpt-oss-120b"]
    settings = VllmEngine(max_model_len=32768, tensor_parallel_size=4)
    found = memory.engine(shape, settings)
    assert found["keys and values of one text"] == pytest.approx(2 * 36 * 8 * 64 * 2 * 32768 / 1e9 / 4)
    assert found["weights"] == pytest.approx(65.3 / 4)


def test_a_local_models_shape_is_read_from_its_folder(tmp_path):
    (tmp_path / "config.json").write_text(
        '{"model_type": "qwen3", "num_hidden_layers": 28, "hidden_size": 1024, "intermediate_size": 3072,'
        ' "vocab_size": 151936, "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128,'
        ' "tie_word_embeddings": true}'
    )

    class Local:
        kind, path = "local", tmp_path

    assert memory.shape_of(Local(), {}).parameters == KNOWN["Qwen/Qwen3-0.6B"].parameters
    (tmp_path / "config.json").write_text("{}")
    assert memory.shape_of(Local(), {}) is None
