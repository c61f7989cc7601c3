"""What a first step must look like. Here the path of the CPU, which stands beside a GPU, is compared itself."""

import copy

import pytest
import torch

from reasonlite.core.errors import UserError
from reasonlite.training import first_step


@pytest.fixture(scope="module")
def model():
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return Qwen3ForCausalLM(Qwen3Config(vocab_size=101, num_key_value_heads=1, head_dim=16, **sizes)).train()


def batch(masked=3):
    ids = torch.arange(2 * 12).reshape(2, 12) % 101
    labels = ids.clone()
    labels[:, :masked] = -100
    return {"input_ids": ids, "labels": labels, "attention_mask": torch.ones_like(ids)}


def test_the_share_of_trained_tokens_is_said_and_none_is_refused(caplog):
    caplog.set_level("INFO")
    first_step.check_batch(batch(), "training")
    assert "2 rows, 24 tokens, 75% of them trained" in caplog.text
    with pytest.raises(UserError, match="no token of the first batch is trained"):
        first_step.check_batch(batch(masked=12), "training")


def test_both_paths_give_one_loss_and_a_wrong_one_is_refused(model):
    ids = batch()["input_ids"][:1]
    here, there = first_step.row_loss(model, ids), first_step.cpu_loss(model, ids)
    assert here == pytest.approx(there, rel=1e-4) and model.training
    first_step.compare(here, there, "training")
    wrong = copy.deepcopy(model).to(torch.bfloat16)
    first_step.compare(first_step.row_loss(wrong, ids), there, "training")  # as near as that precision is
    for other in (there + 0.5, float("nan")):
        with pytest.raises(UserError, match=r"(?s)in float32 on the CPU.*what to do: .*attn_implementation"):
            first_step.compare(other, there, "training")


def test_a_batchs_mean_loss_is_found_again_in_what_the_trainer_gives():
    """TRL's: the sum over a part's tokens, times the ranks, by the trained tokens of all parts and ranks."""
    labels = batch(masked=3)["labels"]  # 18 of 22 next tokens are trained
    given = 2.5 * 18 * 4 / 300
    assert first_step.mean_loss(given, labels, 300, parts=8, ranks=4) == pytest.approx(2.5)
    assert first_step.mean_loss(2.5 / 8, labels, None, parts=8, ranks=4) == pytest.approx(2.5)


def test_a_loss_far_above_guessing_and_a_gradient_of_zero_are_refused():
    first_step.check_loss(11.9, 151_936, "training")
    with pytest.raises(UserError, match=r"the loss at the start is 25.00, and a model that guesses has 11.93"):
        first_step.check_loss(25.0, 151_936, "training")
    first_step.check_gradient(None, "training")
    first_step.check_gradient(0.3, "training")
    with pytest.raises(UserError, match="nothing is learned"):
        first_step.check_gradient(0.0, "training")
