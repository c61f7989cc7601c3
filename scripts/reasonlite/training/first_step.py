"""The first training step of a stage, looked at before hours follow it: what is trained, and is the loss believable?

A wrong kernel, a tokenizer of another model, a mask that hides everything: each trains on without a word.
"""

from __future__ import annotations

import copy
import math
from typing import Any

from reasonlite.core.errors import UserError
from reasonlite.core.logs import get_logger

log = get_logger(__name__)

GUESSING = 1.5  # times the loss of a model that takes every token for equally likely
SMALL = 2e9  # parameters up to which the same tokens are run on the CPU too
TOKENS = 512  # of them
APART = 0.05  # share of the CPU's loss, or as many nats, that bfloat16 and kernels may be away
TODO = (
    "see whether tokenizer and weights are of one model; then try another attention implementation"
    " (arguments.model_init_kwargs: {attn_implementation: sdpa}), use_liger_kernel: false, or another node"
)


def check_batch(model: Any, inputs: dict[str, Any], where: str, *, beside_cpu: bool) -> None:
    """Before the first step: share of trained tokens, and on a GPU the loss of the first row beside the CPU's.

    ``inputs``: input_ids and labels (batch, length), attention_mask where rows are padded. The CPU is asked if
    ``beside_cpu``, about small models, where the process has all weights.
    """
    labels, ids = inputs["labels"], inputs["input_ids"]
    seen = int(inputs["attention_mask"].sum()) if "attention_mask" in inputs else ids.numel()
    trained = int((labels != -100).sum())
    log.info("first batch: %d rows, %d tokens, %.0f%% of them trained", len(ids), seen, 100 * trained / max(seen, 1))
    if not trained:
        raise UserError("no token of the first batch is trained", where=where, todo="set completion_only_loss: false")
    bare = getattr(model, "module", model)  # without what would speak to the other processes
    if beside_cpu and ids.is_cuda and _is_whole(bare) and sum(each.numel() for each in bare.parameters()) <= SMALL:
        row = ids[:1, :TOKENS], labels[:1, :TOKENS]
        compare(row_loss(bare, *row), cpu_loss(bare, *row), where)


def compare(here: float, there: float, where: str) -> None:
    """Refuse a loss on the device (``here``, nats) that is far from the CPU's (``there``)."""
    log.info("loss of the first row: %.4f here, %.4f in float32 on the CPU", here, there)
    if not abs(here - there) <= APART * max(1.0, there):  # not a number is far away too
        what = f"the loss of the first row is {here:.4f} here and {there:.4f} in float32 on the CPU"
        raise UserError(what, where=where, todo=TODO)


def _is_whole(model: Any) -> bool:
    return all(each.numel() and type(each.data).__name__ != "DTensor" for each in model.parameters())


def row_loss(model: Any, ids: Any, labels: Any) -> float:
    """Mean loss (nats a token) of one row without dropout."""
    import torch

    was = model.training
    model.eval()
    with torch.no_grad():
        logits = model(input_ids=ids).logits[0, :-1].float()
    model.train(was)
    return float(torch.nn.functional.cross_entropy(logits, labels[0, 1:], ignore_index=-100))


def cpu_loss(model: Any, ids: Any, labels: Any) -> float:
    """The same of a float32 copy on the CPU, with torch's own attention."""
    own = copy.deepcopy(model).to("cpu").float()
    own.set_attn_implementation("eager")
    return row_loss(own, ids.cpu(), labels.cpu())


def check_loss(loss: float, vocabulary: int, where: str) -> None:
    """After the first step: a loss (nats a token) far above that of guessing is no model's that knows its tokens."""
    guessing = math.log(vocabulary)
    log.info("loss at the start: %.3f; guessing would be %.3f", loss, guessing)
    if loss > GUESSING * guessing:
        what = f"the loss at the start is {loss:.2f}, and a model that guesses has {guessing:.2f}"
        raise UserError(what, where=where, todo=TODO)


def check_gradient(norm: float | None, where: str) -> None:
    """A gradient that is zero teaches nothing."""
    if norm == 0:
        raise UserError("the gradient is zero: nothing is learned", where=where, todo=TODO)
