"""How long answers are and how votes are spread, counted into bins.

Does not know what becomes of the counts.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl

from reasonlite.core.errors import UserError
from reasonlite.core.schemas import JUDGED, LENGTHS, VOTE_SHARES, VOTES
from reasonlite.core.tables import frame_of, read_table, scan_table

LENGTH_BINS = 24
SHARE_BINS = 20


def lengths(parts: dict[str, list[Path]]) -> pl.DataFrame:
    """LENGTHS: answers by generated tokens, in bins of equal ratio, the right ones and the others apart.

    ``parts``: judged tables by the name of the part, a teacher's effort or a model on a benchmark. Answers
    are judged by the label after voting where there is one.
    """
    known = [path for paths in parts.values() for path in paths]
    ends = [
        scan_table(path, JUDGED).select(pl.min("tokens"), pl.max("tokens").alias("last")).collect().row(0)
        for path in known
    ]
    ends = [pair for pair in ends if pair[0] is not None]
    shortest = max(1, min((low for low, _ in ends), default=1))
    longest = max((high for _, high in ends), default=1)
    edges = np.geomspace(shortest, max(longest, shortest) + 1, LENGTH_BINS + 1)
    rows = []
    for part, paths in parts.items():
        counts = {verdict: np.zeros(LENGTH_BINS, dtype=np.int64) for verdict in ("right", "wrong")}
        for path in paths:  # one at a time: all of them may be more than memory holds
            frame = read_table(path, JUDGED, ["tokens", "correct", "correct_vote"]).drop_nulls("tokens")
            right = frame.select(pl.coalesce("correct_vote", "correct").fill_null(False)).to_series()
            for verdict, chosen in (("right", frame.filter(right)), ("wrong", frame.filter(~right))):
                counts[verdict] += np.histogram(chosen["tokens"].to_numpy(), edges)[0]
        for verdict, found in counts.items():
            rows += [(part, verdict, *bounds, int(n)) for *bounds, n in zip(edges, edges[1:], found, strict=False)]
    return frame_of(rows, LENGTHS)


def vote_shares(paths: list[Path]) -> pl.DataFrame:
    """VOTE_SHARES: problems by the share of their top answer, and whether the data set's label is in its class."""
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
    counts = Counter[tuple[int, str]]()
    for path in paths:
        votes = read_table(path, VOTES, ["share", "top_class", "dataset_class"])
        counted = votes.with_columns(agrees.alias("agrees"), place.alias("bin")).group_by("bin", "agrees").len()
        counts.update({(number, kind): count for number, kind, count in counted.iter_rows()})
    if not counts:
        raise UserError("the tables of votes have no rows", where=paths[0])
    rows = [(number / SHARE_BINS, (number + 1) / SHARE_BINS, kind, count) for (number, kind), count in counts.items()]
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
