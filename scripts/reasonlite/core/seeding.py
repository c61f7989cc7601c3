"""Seeds and shards from stable hashes: no state, the same on every machine and Python."""

from __future__ import annotations

import hashlib


def _digest(*parts: object) -> int:
    # length before each part, so that ("a", "bc") and ("ab", "c") differ
    text = "".join(f"{len(str(part))}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def answer_seed(seed: int, problem_id: str, effort: str, number: int) -> int:
    """The sampling seed of one answer, 0 <= seed < 2**31, from the experiment's seed and the answer's place."""
    return _digest("answer", seed, problem_id, effort, number) >> 33


def retry_seed(seed: int, tries: int) -> int:
    """The seed of a request that failed ``tries`` times: with the same one it would fail again."""
    return _digest("retry", seed, tries) >> 33


def shard_of(problem_id: str, shards: int) -> int:
    """The shard of a problem, 0 <= shard < ``shards``, by its id alone."""
    return _digest("shard", problem_id) % shards


def place_of(problem_id: str) -> float:
    """Where a problem lies between 0 and 1, the same in every experiment: so that teachers share problems out."""
    return _digest("place", problem_id) / 2**64


def shuffle_key(seed: int, item_id: str) -> int:
    """Sorting by this key shuffles items in a way that depends on the seed and each id alone."""
    return _digest("shuffle", seed, item_id)
