"""The loss of one text on the GPU, by each attention implementation at hand, beside float32 on the CPU.

    python tests/gpu/loss.py [--miniature] [--output loss.json]

Exit status 1 if one is further away than the first step of a training lets pass.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import card
import torch

from reasonlite.training import first_step

TOKENS = 512


def main() -> int:
    parser = card.parser(__doc__)
    given = parser.parse_args()
    from transformers import AutoModelForCausalLM

    sizes = card.MINIATURE if given.miniature else card.FULL
    device = "cuda" if torch.cuda.is_available() else "cpu"
    ids = torch.randint(4, sizes["words"], (1, TOKENS), generator=torch.Generator().manual_seed(1))
    found: dict = {"card": card.peak()[0], "tokens": TOKENS, "losses": {}}
    with tempfile.TemporaryDirectory() as name:
        start = card.student(Path(name) / "m", sizes)
        for implementation in ("eager", "sdpa", "flash_attention_2"):
            try:
                model = AutoModelForCausalLM.from_pretrained(
                    start, dtype=torch.bfloat16, attn_implementation=implementation
                ).to(device)
            except (ImportError, ValueError) as error:
                found["losses"][implementation] = f"not at hand: {str(error).splitlines()[0]}"
                continue
            if "cpu" not in found:
                found["cpu"] = first_step.cpu_loss(model, ids)
            found["losses"][implementation] = first_step.row_loss(model, ids.to(device))
    card.keep(given.output, found)
    known = [value for value in found["losses"].values() if isinstance(value, float)]
    allowed = first_step.APART * max(1.0, found["cpu"])
    return 0 if known and all(abs(value - found["cpu"]) <= allowed for value in known) else 1


if __name__ == "__main__":
    sys.exit(main())
