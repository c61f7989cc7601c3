"""Without the mask of padding on the right a model learns the same; any other mask is kept."""

import pytest
import torch

from reasonlite.training import padding

LENGTHS = [7, 4, 1]


def small(attention="sdpa", **more):
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "head_dim": 8}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1}
    return Qwen3ForCausalLM(Qwen3Config(**sizes, **heads, attn_implementation=attention, **more))


def batch(*, left=False):
    mask = torch.arange(max(LENGTHS))[None] < torch.tensor(LENGTHS)[:, None]
    mask = mask.flip(1) if left else mask
    ids = torch.randint(0, 50, mask.shape, generator=torch.Generator().manual_seed(1))
    return {"input_ids": ids, "attention_mask": mask.long(), "labels": ids.masked_fill(~mask, -100)}


def seen(model):
    """The masks that reach the model's layers."""
    masks = []
    for layer in model.modules():
        if type(layer).__name__ == "Qwen3DecoderLayer":
            layer.register_forward_pre_hook(
                lambda _, args, given: masks.append(given.get("attention_mask")), with_kwargs=True
            )
    return masks


@pytest.mark.parametrize("adapted", [False, True])
def test_loss_and_gradients_are_those_with_the_mask(adapted):
    found = []
    for shortened in (False, True):
        model = small()
        if adapted:
            from peft import LoraConfig, get_peft_model

            torch.manual_seed(0)
            model = get_peft_model(model, LoraConfig(target_modules="all-linear", init_lora_weights=False))
        masks = seen(model)
        if shortened:
            padding.leave_mask_out(model)
        loss = model(**batch()).loss
        loss.backward()
        assert all((mask is None) == shortened for mask in masks) and len(masks) == 2
        found.append((loss, [each.grad for each in model.parameters() if each.grad is not None]))
    (loss, gradients), (own, own_gradients) = found
    assert torch.allclose(loss, own, rtol=1e-6)
    assert len(gradients) == len(own_gradients) > 0
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(gradients, own_gradients, strict=True))


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (lambda: small(), batch(left=True)),
        (lambda: small("eager"), batch()),
        (lambda: small(output_router_logits=True), batch()),
    ],
    ids=["padded on the left", "another attention", "experts are balanced by it"],
)
def test_any_other_mask_is_kept(model, given):
    model = model()
    given = {name: value for name, value in given.items() if name != "labels"}
    masks = seen(model)
    padding.leave_mask_out(model)
    model(**given)
    assert len(masks) == 2 and all(mask is not None for mask in masks)
