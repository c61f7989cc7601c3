"""What a mask of padding costs on the GPU: steps of padded rows with it, and without as our trainer gives them.

    python tests/gpu/padding.py [--miniature] [--output padding.json]

One batch of rows, one of them of full length, through Qwen3-0.6B's architecture with gradient checkpointing, in one
process: seconds a step, peak memory, and the loss of both, which must be the same but for rounding.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from typing import Any

import card
import numpy as np
import torch

from reasonlite.training import padding

STEPS = 2


def model_of(sizes: dict[str, int], device: str) -> Any:
    from transformers import Qwen3ForCausalLM

    if device == "cuda" and importlib.util.find_spec("liger_kernel"):
        from liger_kernel.transformers import apply_liger_kernel_to_qwen3

        apply_liger_kernel_to_qwen3()  # so that logits of all tokens need not be held
    torch.manual_seed(0)
    with torch.device(device):
        model = Qwen3ForCausalLM(card.qwen3(sizes, attn_implementation="sdpa"))
    model.gradient_checkpointing_enable({"use_reentrant": False})
    return model.train()


def batch_of(rows: int, length: int, words: int, device: str) -> dict[str, torch.Tensor]:
    """Rows as long as a teacher's answers are, the first of full length; -100 and mask 0 where padded."""
    drawn = np.clip(np.random.default_rng(0).lognormal(np.log(length / 6), 0.9, rows), 32, length).astype(int)
    drawn[0] = length
    ids = torch.randint(4, words, (rows, length), generator=torch.Generator().manual_seed(1))
    mask = torch.arange(length)[None] < torch.as_tensor(drawn)[:, None]
    found = {"input_ids": ids, "attention_mask": mask.long(), "labels": ids.masked_fill(~mask, -100)}
    return {name: tensor.to(device) for name, tensor in found.items()}


def measured(model: Any, batch: dict[str, torch.Tensor], device: str) -> dict[str, float]:
    """Seconds of a step and peak of memory; the loss of the first."""
    first: float | None = None
    cuda = device == "cuda"
    for step in range(STEPS + 1):
        if step == 1:
            began = time.perf_counter()
            if cuda:
                torch.cuda.reset_peak_memory_stats()
        with torch.autocast(device, torch.bfloat16, enabled=cuda):
            loss = model(**batch).loss
        loss.backward()
        model.zero_grad()
        first = loss.item() if first is None else first
        if cuda:
            torch.cuda.synchronize()
    seconds = (time.perf_counter() - began) / STEPS
    assert first is not None
    tokens = int(batch["attention_mask"].sum())
    peak = torch.cuda.max_memory_allocated() / 1e9 if cuda else 0.0
    return {"seconds_a_step": seconds, "tokens_per_second": tokens / seconds, "peak_gb": peak, "loss": first}


def main() -> int:
    parser = card.parser(__doc__)
    given = parser.parse_args()
    sizes = card.MINIATURE if given.miniature else card.FULL
    device = "cuda" if torch.cuda.is_available() else "cpu"
    found: dict[str, Any] = {"card": card.peak()[0], "batches": []}
    for rows, length in [(4, 256)] if given.miniature else [(8, 8192), (8, 32_768)]:
        model, batch = model_of(sizes, device), batch_of(rows, length, sizes["words"], device)
        padded = 1 - float(batch["attention_mask"].float().mean())
        entry: dict[str, Any] = {"rows": rows, "length": length, "share_of_padding": padded}
        entry["with the mask"] = measured(model, batch, device)
        padding.leave_mask_out(model)
        entry["without"] = measured(model, batch, device)
        found["batches"].append(entry)
        del model
    card.keep(given.output, found)
    apart = [abs(each["with the mask"]["loss"] - each["without"]["loss"]) for each in found["batches"]]
    return 0 if max(apart) < 0.01 else 1


if __name__ == "__main__":
    sys.exit(main())
