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


def check_batch(inputs: dict[str, Any], where: str) -> None:
    """Before the first step: how much of the batch is trained; a batch of which nothing is ends the stage.

    ``inputs``: input_ids and labels (batch, length), attention_mask where rows are padded.
    """
    labels, ids = inputs["labels"], inputs["input_ids"]
    seen = int(inputs["attention_mask"].sum()) if "attention_mask" in inputs else ids.numel()
    trained = int((labels != -100).sum())
    log.info("first batch: %d rows, %d tokens, %.0f%% of them trained", len(ids), seen, 100 * trained / max(seen, 1))
    if not trained:
        raise UserError("no token of the first batch is trained", where=where, todo="set completion_only_loss: false")


def check_device(model: Any, tokens: Any, where: str, *, bf16: bool) -> None:
    """On a GPU: the loss of the first tokens of an example there, beside float32 on the CPU; small models only.

    ``model`` as it was opened, on the CPU: trainers bind what they patch to the model itself, which no copy survives.
    """
    import torch

    if not torch.cuda.is_available() or sum(each.numel() for each in model.parameters()) > SMALL:
        return
    ids = torch.as_tensor(tokens[:TOKENS])[None]
    there = cpu_loss(model, ids)
    on_gpu = copy.deepcopy(model).to("cuda")
    with torch.autocast("cuda", torch.bfloat16, enabled=bf16):  # as it will be trained
        here = row_loss(on_gpu, ids.to("cuda"))
    compare(here, there, where)
    del on_gpu
    torch.cuda.empty_cache()


def compare(here: float, there: float, where: str) -> None:
    """Refuse a loss on the device (``here``, nats) that is far from the CPU's (``there``)."""
    log.info("loss of the first tokens: %.4f here, %.4f in float32 on the CPU", here, there)
    if not abs(here - there) <= APART * max(1.0, there):  # not a number is far away too
        what = f"the loss of the first tokens is {here:.4f} here and {there:.4f} in float32 on the CPU"
        raise UserError(what, where=where, todo=TODO)


def row_loss(model: Any, ids: Any) -> float:
    """Mean loss (nats a token) of one row (1, length), every token counted, without dropout."""
    import torch

    was = model.training
    model.eval()
    with torch.no_grad():
        logits = model(input_ids=ids).logits[0, :-1].float()
    model.train(was)
    return float(torch.nn.functional.cross_entropy(logits, ids[0, 1:]))


def cpu_loss(model: Any, ids: Any) -> float:
    """The same of a float32 copy on the CPU, with torch's own attention."""
    own = copy.deepcopy(model).to("cpu").float()
    own.set_attn_implementation("eager")
    return row_loss(own, ids.cpu())


def mean_loss(loss: float, labels: Any, items: Any, parts: int, ranks: int) -> float:
    """Nats a token of this batch, from what the trainer gives back.

    That is the sum over the batch's tokens, times ``ranks``, by ``items``, the trained tokens of all ranks and of all
    ``parts`` of an accumulated batch; where it does not count them, the mean by ``parts``.
    """
    own = int((labels[..., 1:] != -100).sum())
    return loss * parts if items is None or not own else loss * float(items) / (ranks * own)


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
