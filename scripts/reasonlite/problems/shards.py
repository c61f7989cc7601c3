"""Problems spread over shards. Does not know where they come from."""

from __future__ import annotations

import polars as pl

from reasonlite.core.schemas import PROBLEMS
from reasonlite.core.seeding import shard_of


def into_shards(problems: pl.DataFrame, shards: int) -> list[pl.DataFrame]:
    """The problems of each shard, by a hash of the id alone, in the order of ids."""
    places = [shard_of(identity, shards) for identity in problems["id"]]
    placed = problems.with_columns(pl.Series("shard", places, dtype=pl.Int64)).sort("id")
    return [placed.filter(pl.col("shard") == shard).select(PROBLEMS.names()) for shard in range(shards)]
