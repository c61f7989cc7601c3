"""Drawing tokens on a CPU: by the distribution function's inverse, two random numbers a token.

vLLM 0.31 draws an exponential number for each word of the vocabulary (the Gumbel-max trick) and sorts the
vocabulary for top_p. On a GPU that is cheap; on a CPU it took two thirds of a small model's time
(docs/measurements.md). The tokens have the same distribution. What has a seed of its own, top_k or processed
logprobs stays with vLLM. Does not know requests.
"""

from __future__ import annotations

from typing import Any

from reasonlite.core.logs import get_logger

log = get_logger(__name__)
HEAD = 256  # the likeliest words, among which the nucleus nearly always lies
BLOCK = 256  # words whose weights are added up first


def install() -> None:
    """Let vLLM's CPU sampler draw this way; its own is kept where it is built differently than expected."""
    from vllm.v1.sample.ops import topk_topp_sampler as ops

    own = getattr(ops.TopKTopPSampler, "forward_cpu", None)
    if own is None or not hasattr(ops, "PROCESSED_LOGPROBS_MODES"):
        log.warning("vLLM's CPU sampler is not the one that is known; drawing with it as it is")
        return
    if getattr(own, "by_inverse", False):
        return

    def forward_cpu(self: Any, logits: Any, generators: Any, k: Any, p: Any) -> tuple[Any, Any]:
        special = generators or k is not None or getattr(self, "use_fp64_gumbel", False)
        if special or self.logprobs_mode in ops.PROCESSED_LOGPROBS_MODES:
            return own(self, logits, generators, k, p)
        return draw(logits, p), None

    forward_cpu.by_inverse = True  # type: ignore[attr-defined]
    ops.TopKTopPSampler.forward_cpu = forward_cpu


def draw(logits: Any, top_p: Any | None) -> Any:
    """One token for each row of ``logits`` (rows x words), with ``top_p`` (rows) from the nucleus of that mass.

    The nucleus is vLLM's: words by falling probability, as long as the mass before them is below ``top_p``.
    """
    import torch

    probabilities = logits.softmax(dim=-1, dtype=torch.float32)
    if top_p is None:
        return _inverse(probabilities)
    tokens = torch.empty(logits.shape[0], dtype=torch.int64)
    values, words = probabilities.topk(min(HEAD, logits.shape[-1]))
    whole = values.sum(dim=-1, dtype=torch.float64) >= top_p
    if whole.any():
        tokens[whole] = _from_nucleus(values[whole], words[whole], top_p[whole])
    if not whole.all():
        values, words = probabilities[~whole].sort(dim=-1, descending=True)
        tokens[~whole] = _from_nucleus(values, words, top_p[~whole])
    return tokens


def _from_nucleus(values: Any, words: Any, top_p: Any) -> Any:
    """A word for each row; ``values`` are the probabilities of ``words`` (rows x words), falling."""
    import torch

    before = values.cumsum(dim=-1, dtype=torch.float64) - values
    kept = values.masked_fill(before >= top_p.unsqueeze(-1), 0.0)
    return words.gather(-1, _inverse(kept).unsqueeze(-1)).squeeze(-1)


def _inverse(weights: Any) -> Any:
    """A position for each row of ``weights`` (rows x words), with a probability in proportion to its weight.

    First a block of words by the blocks' sums, then a word of it: sums of all words one after the other took a hundred
    times as long (docs/measurements.md).
    """
    import torch

    short = -weights.shape[-1] % BLOCK
    blocks = (torch.nn.functional.pad(weights, (0, short)) if short else weights).unflatten(-1, (-1, BLOCK))
    block = _position(blocks.sum(dim=-1))
    inside = blocks.gather(1, block[:, None, None].expand(-1, 1, BLOCK)).squeeze(1)
    return (block * BLOCK + _position(inside)).clamp_(max=weights.shape[-1] - 1)


def _position(weights: Any) -> Any:
    """The same by the distribution function over few positions; in float64, as sums are long."""
    import torch

    sums = weights.cumsum(dim=-1, dtype=torch.float64)
    at = torch.rand(sums.shape[0], 1, dtype=torch.float64) * sums[:, -1:]
    # the first position whose sum is above: one without weight is never that
    return torch.searchsorted(sums, at, right=True).squeeze(-1).clamp_(max=weights.shape[-1] - 1)
