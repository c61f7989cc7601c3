"""What vLLM's engine in this process says before it starts."""

import json

import pytest

from reasonlite.answers.engines import offline


@pytest.mark.parametrize(
    ("asked", "saved", "has", "doubted"),
    [
        ("bfloat16", "float32", False, True),
        ("auto", "bfloat16", False, True),
        ("auto", "float32", False, False),
        ("float32", "bfloat16", False, False),
        ("bfloat16", "bfloat16", True, False),
    ],
)
def test_bfloat16_is_doubted_on_a_processor_without_instructions_for_it(
    monkeypatch, tmp_path, caplog, asked, saved, has, doubted
):
    import torch

    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: has, raising=False)
    (tmp_path / "config.json").write_text(json.dumps({"torch_dtype": saved}))
    offline._doubt_arithmetic(asked, tmp_path)
    assert ("no instructions for bfloat16" in caplog.text) == doubted
