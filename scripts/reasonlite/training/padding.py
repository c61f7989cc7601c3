"""Padding on the right needs no mask: in causal attention a token sees nothing that comes after it."""

from __future__ import annotations

from typing import Any


def leave_mask_out(model: Any) -> None:
    """Take the mask of padding from what ``model`` is given, where it changes nothing that is learned.

    With a mask, torch's own attention (sdpa) leaves its fast causal kernel, computes both halves of each square and
    holds a table of length x length for each row (figures: docs/measurements.md). Models that balance experts by the
    mask keep it, and so does every other attention.
    """
    config = model.config.get_text_config()
    if config._attn_implementation == "sdpa" and not getattr(config, "output_router_logits", False):
        model.register_forward_pre_hook(_without, with_kwargs=True)


def _without(module: Any, args: Any, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    mask = given.get("attention_mask")
    if mask is None or mask.dim() != 2 or not on_the_right(mask):
        return args, given
    return args, {**given, "attention_mask": None}


def on_the_right(mask: Any) -> bool:
    """Whether each row of ``mask`` (rows x length, 1 for a token) begins with a token and ends in its padding."""
    return bool(mask[:, 0].all()) and bool((mask[:, 1:] <= mask[:, :-1]).all())
