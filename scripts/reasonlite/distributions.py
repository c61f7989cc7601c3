"""How long answers are and how votes are spread, counted into bins.

Does not know what becomes of the counts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from reasonlite.errors import UserError
from reasonlite.tables import JUDGED, LENGTHS, VOTE_SHARES, VOTES, frame_of, read_tables

LENGTH_BINS = 24
SHARE_BINS = 20


def lengths(parts: dict[str, list[Path]]) -> pl.DataFrame:
    """LENGTHS: answers by generated tokens, in bins of equal ratio, the right ones and the others apart.

    ``parts``: judged tables by the name of the part, a teacher's effort or a model on a benchmark. Answers
    are judged by the label after voting where there is one.
    """
    frames = {
        part: read_tables(paths, JUDGED, ["tokens", "correct", "correct_vote"]).drop_nulls("tokens")
        for part, paths in parts.items()
    }
    tokens = np.concatenate([frame["tokens"].to_numpy() for frame in frames.values()])
    shortest, longest = (max(1, int(tokens.min())), int(tokens.max())) if len(tokens) else (1, 1)
    edges = np.geomspace(shortest, max(longest, shortest) + 1, LENGTH_BINS + 1)
    rows = []
    for part, frame in frames.items():
        right = frame.select(pl.coalesce("correct_vote", "correct").fill_null(False)).to_series()
        for verdict, chosen in (("right", frame.filter(right)), ("wrong", frame.filter(~right))):
            counts, _ = np.histogram(chosen["tokens"].to_numpy(), edges)
            rows += [(part, verdict, *bounds, int(n)) for *bounds, n in zip(edges, edges[1:], counts, strict=False)]
    return frame_of(rows, LENGTHS)


def vote_shares(paths: list[Path]) -> pl.DataFrame:
    """VOTE_SHARES: problems by the share of their top answer, and whether the data set's label is in its class."""
    votes = read_tables(paths, VOTES)
    if votes.is_empty():
        raise UserError("the tables of votes have no rows", where=paths[0])
    agrees = (
        pl.when(pl.col("top_class").is_null())
        .then(pl.lit("no top answer"))
        .when(pl.col("dataset_class").is_null())
        .then(pl.lit("no label"))
        .when(pl.col("top_class") == pl.col("dataset_class"))
        .then(pl.lit("agrees with the label"))
        .otherwise(pl.lit("differs from the label"))
    )
    place = (pl.col("share") * SHARE_BINS).floor().clip(0, SHARE_BINS - 1).cast(pl.Int64)
    counted = votes.with_columns(agrees.alias("agrees"), place.alias("bin")).group_by("bin", "agrees").len()
    rows = [
        (number / SHARE_BINS, (number + 1) / SHARE_BINS, kind, count) for number, kind, count in counted.iter_rows()
    ]
    return frame_of(sorted(rows), VOTE_SHARES)


def part_of(path: Path) -> str:
    """The name of a judged table's part: judged/<effort>/… or evaluation/<model>/<benchmark>/judged.parquet."""
    if path.name == "judged.parquet":
        return f"{path.parent.parent.name} on {path.parent.name}"
    return f"teacher, {path.parent.name}"


def by_part(paths: list[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(part_of(path), []).append(path)
    return found
