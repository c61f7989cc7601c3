"""How much of a padded batch is text: real answers in random batches, in batches of like length, and packed.

    python tests/benchmarks/padding.py

Lengths are those of 3,000 answers to MATH-500 (../shared/data/outputs), at 3.3 bytes a token. Random batches are what
ReasonLite trains on; those of like length are in the order of the trainer's sampler, for its 256 examples a step.
What is not text is the most that batches without padding (padding_free) could still save.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import torch
from transformers.trainer_pt_utils import get_length_grouped_indices

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from reasonlite.training.packing import bins

REPEATS, LONGEST, STEP = 20, 32_768, 256


def share(lengths: np.ndarray, batch: int) -> float:
    """Real tokens among all that batches in this order are padded to."""
    rows = lengths[: len(lengths) // batch * batch].reshape(-1, batch)
    return float(rows.sum() / (rows.max(axis=1) * batch).sum())


def main() -> None:
    path = ROOT.parent / "shared" / "data" / "outputs" / "sky_math500.jsonl.gz"
    if not path.exists():
        raise SystemExit(f"the real answers are not there: {path}")
    with gzip.open(path, "rt") as lines:
        lengths = np.array([max(len(json.loads(line)["response"]) / 3.3, 1) for line in lines]).astype(int)
    lengths = np.minimum(np.tile(lengths, REPEATS), LONGEST)
    mixed = np.random.default_rng(0).permutation(lengths)
    print(f"{len(lengths):,} answers, {lengths.mean():.0f} tokens on the mean, {np.median(lengths):.0f} at the median")
    alike = mixed[get_length_grouped_indices(mixed.tolist(), STEP, generator=torch.Generator().manual_seed(0))]
    print("batch   random   by length")
    for batch in (8, 16):
        print(f"{batch:5} {share(mixed, batch):8.0%} {share(alike, batch):11.2%}")
    rows = bins(mixed, LONGEST, 0)
    print(f"packed into rows of {LONGEST:,}: {lengths.sum() / (len(rows) * LONGEST):.1%}")


if __name__ == "__main__":
    main()
