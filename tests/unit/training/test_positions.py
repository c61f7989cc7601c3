"""On a CPU the head is asked of the learned positions alone, and what is learned stays the same."""

import logging

import pytest
import torch

from reasonlite.training import positions

LEARNED = [[0, 0, 0, 1, 1, 0], [0, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]]  # the last row is nothing but prompt


@pytest.fixture
def trl(monkeypatch):
    """TRL's own module, with the rows that its head is asked of; as it was afterwards."""
    from trl.trainer import utils

    monkeypatch.setattr(utils, positions.CHOICE, getattr(utils, positions.CHOICE))
    monkeypatch.setattr(positions, "CHOOSING", ["trl.trainer.utils"])
    utils_own, asked = utils._ChunkedLogProbFunction, []

    class Counting:
        @staticmethod
        def apply(hidden, *rest):
            asked.append(len(hidden))
            return utils_own.apply(hidden, *rest)

    monkeypatch.setattr(utils, "_ChunkedLogProbFunction", Counting)
    return utils, asked


def learned(utils, mask):
    """Loss, gradients and what is told beside them, of one batch."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "head_dim": 8}
    model = Qwen3ForCausalLM(Qwen3Config(**sizes, num_attention_heads=2, num_key_value_heads=1))
    utils.add_fused_lm_head(model, outputs=("log_probs", "entropy", "is_top1"))
    ids = torch.randint(0, 50, mask.shape, generator=torch.Generator().manual_seed(1))
    told = model(input_ids=ids, labels=ids.masked_fill(mask == 0, -100), fused_lm_head=True)
    told.loss.backward()
    return [told.loss, told.log_probs, told.entropy, told.is_top1.float(), *(p.grad for p in model.parameters())]


def test_loss_and_gradients_are_those_of_all_positions(trl):
    utils, asked = trl
    mask = torch.tensor(LEARNED)
    all_of_them = learned(utils, mask)
    positions.score_learned_alone()
    positions.score_learned_alone()  # of a second stage in one process
    alone = learned(utils, mask)
    assert asked == [15, 7]  # of three rows the first token is never foretold
    assert all_of_them[0] > 1
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(all_of_them, alone, strict=True))


def test_a_batch_of_prompts_alone_teaches_nothing(trl):
    utils, asked = trl
    positions.score_learned_alone()
    loss, *_, first, _ = learned(utils, torch.zeros(2, 4))
    assert asked == [0] and loss == 0 and not first.any()


def test_a_gpu_is_asked_of_trl_itself(trl):
    utils, _ = trl
    own = getattr(utils, positions.CHOICE)
    positions.score_learned_alone()
    for name in ("cuda", "meta"):
        assert getattr(utils, positions.CHOICE)(torch.device(name)) == own(torch.device(name))
    assert getattr(utils, positions.CHOICE)(torch.device("cpu")) and not own(torch.device("cpu"))


def test_a_trainer_that_is_built_otherwise_is_left_and_told(trl, monkeypatch, caplog):
    utils, _ = trl
    monkeypatch.delattr(utils, positions.CHOICE)
    with caplog.at_level(logging.WARNING):
        positions.score_learned_alone()
    assert "trl.trainer.utils is not as it is known" in caplog.text
