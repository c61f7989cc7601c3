"""A look inside a change: cells, rows, pixels, tensors or lines, old file against new.

Says what differs and how far; does not know why.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

EXAMPLES = 5  # shown of each kind; all are counted
CELLS = 12
LONGEST = 120  # characters of a value
# what tells one row of a table from another, most telling first
KEYS = (
    *(("answer_id",), ("id",), ("problem_id", "left", "right"), ("problem_id", "answer"), ("problem_id",)),
    *(("stage", "step"), ("stratum", "shard", "step")),
)


def look(old: Path, new: Path, suffix: str) -> list[str]:
    """Lines that say what differs inside two files of one kind, by the kind's suffix."""
    ways: dict[str, Callable[[Path, Path], list[str]]] = {
        **{".csv": cells, ".parquet": rows, ".png": pixels, ".safetensors": tensors},
        **dict.fromkeys((".json", ".jsonl", ".md", ".tex", ".html", ".txt", ".yaml", ".rst", ".sha256"), lines),
    }
    way = ways.get(suffix)
    if way is None:
        return []
    try:
        return way(old, new)
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        return [f"cannot be looked into: {error}"]


def limited(found: Sequence[str], what: str, most: int = EXAMPLES) -> list[str]:
    """The first lines, and how many more there are."""
    more = len(found) - most
    return [*found[:most], *([f"… and {more:,} more {what}"] if more > 0 else [])]


def shortened(value: Any) -> str:
    """A value on one line, cut where it is long."""
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else shortened(value)


def cells(old: Path, new: Path) -> list[str]:
    """Cells of a table with a header: rows are told apart by their leading columns of text."""
    before, after = (pl.read_csv(path, infer_schema_length=None) for path in (old, new))
    names = [name for name in after.columns if name in before.columns]
    key = []
    for name in names:
        if before[name].dtype != pl.String or after[name].dtype != pl.String:
            break
        key.append(name)
    while key and len(key) < len(names) and not _is_key(key, before, after):
        key.append(names[len(key)])
    if not key or not _is_key(key, before, after):
        before, after = (frame.with_row_index("row", offset=1) for frame in (before, after))
        key = ["row"]
    found = _columns(before, after)
    left, right = (_by_key(frame, key) for frame in (before, after))
    found += limited([f"row added: {_named(k)}" for k in right if k not in left], "rows added")
    found += limited([f"row removed: {_named(k)}" for k in left if k not in right], "rows removed")
    changed = [
        f"{_named(k)} · {name}: {_short(left[k][name])} → {_short(right[k][name])}"
        for k in right
        if k in left
        for name in names
        if left[k][name] != right[k][name]
    ]
    return found + limited(changed, "cells", CELLS)


def _is_key(names: Sequence[str], *frames: pl.DataFrame) -> bool:
    return all(set(names) <= set(frame.columns) and not frame.select(names).is_duplicated().any() for frame in frames)


def _by_key(frame: pl.DataFrame, key: list[str]) -> dict[tuple, dict[str, Any]]:
    return {tuple(row[name] for name in key): row for row in frame.iter_rows(named=True)}


def _named(key: tuple) -> str:
    return ", ".join(_short(value) for value in key)


def _columns(before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    added = [name for name in after.columns if name not in before.columns]
    removed = [name for name in before.columns if name not in after.columns]
    return [f"column added: {name}" for name in added] + [f"column removed: {name}" for name in removed]


def rows(old: Path, new: Path) -> list[str]:
    """Rows of a Parquet table by their key: added, removed, changed by column, verdicts that flipped."""
    before, after = pl.read_parquet(old), pl.read_parquet(new)
    key = next((list(names) for names in KEYS if _is_key(names, before, after)), None)
    if key is None:
        return [f"{before.height:,} → {after.height:,} rows; no column tells them apart"]
    found = [*_columns(before, after)]
    if before.height != after.height:
        found.append(f"{before.height:,} → {after.height:,} rows")
    for what, left, right in (("added", after, before), ("removed", before, after)):
        gone = left.join(right, on=key, how="anti", nulls_equal=True, maintain_order="left")
        found += limited([f"row {what}: {_named(row)}" for row in gone.select(key).iter_rows()], f"rows {what}")
    shared = [name for name in after.columns if name in before.columns and name not in key]
    both = after.join(before, on=key, how="inner", nulls_equal=True, suffix="\0", maintain_order="left")
    for name in shared:
        changed = both.filter(pl.col(name).ne_missing(pl.col(f"{name}\0")))
        if changed.is_empty():
            continue
        found.append(_count(changed, name))
        examples = changed.head(EXAMPLES).select(*key, f"{name}\0", name).iter_rows()
        found += [f"  {_named(row[:-2])} · {name}: {_short(row[-2])} → {_short(row[-1])}" for row in examples]
    return found


def _count(changed: pl.DataFrame, name: str) -> str:
    if changed[name].dtype != pl.Boolean:
        return f"{name} changed in {changed.height:,} rows"
    counts = changed.group_by(f"{name}\0", name).len().sort("len", descending=True)
    return f"{name} flipped: " + ", ".join(f"{old} → {new} {count:,}" for old, new, count in counts.iter_rows())


def pixels(old: Path, new: Path) -> list[str]:
    """Pixels of two pictures: how many differ, and how far at most in levels of 255."""
    import numpy
    from PIL import Image

    with Image.open(old) as left, Image.open(new) as right:
        if left.size != right.size:
            return [f"{left.size[0]} x {left.size[1]} → {right.size[0]} x {right.size[1]} pixels"]
        one, other = (numpy.asarray(picture.convert("RGBA"), dtype=int) for picture in (left, right))
    apart = numpy.abs(one - other)
    touched = apart.max(axis=2) > 0
    if not touched.any():
        return ["every pixel as before"]
    top, bottom = numpy.flatnonzero(touched.any(axis=1))[[0, -1]]
    first, last = numpy.flatnonzero(touched.any(axis=0))[[0, -1]]
    share = 100 * touched.mean()
    return [
        f"{touched.sum():,} pixels differ ({share:.2g}%), by up to {apart.max()} of 255 levels, "
        f"within columns {first}–{last} and rows {top}–{bottom}"
    ]


def tensors(old: Path, new: Path) -> list[str]:
    """Tensors of two checkpoints: which differ, and how far (norm of the difference over the old norm)."""
    from safetensors import safe_open

    found, distances = [], []
    with safe_open(old, framework="pt") as left, safe_open(new, framework="pt") as right:
        before, after = set(left.keys()), set(right.keys())
        found += limited([f"tensor added: {name}" for name in sorted(after - before)], "tensors added")
        found += limited([f"tensor removed: {name}" for name in sorted(before - after)], "tensors removed")
        for name in sorted(before & after):
            one, other = left.get_tensor(name), right.get_tensor(name)
            if one.shape != other.shape or one.dtype != other.dtype:
                found.append(
                    f"{name}: {list(one.shape)} {one.dtype} → {list(other.shape)} {other.dtype}".replace("torch.", "")
                )
                continue
            apart = (other.double() - one.double()).norm().item()
            if apart:
                distances.append((apart / max(one.double().norm().item(), 1e-300), name))
    if distances:
        found.append(f"{len(distances)} of {len(before & after)} tensors differ; relative distance of the farthest:")
        found += [f"  {name}: {distance:.3g}" for distance, name in sorted(distances, reverse=True)[:EXAMPLES]]
    return found or ["every tensor as before"]


def lines(old: Path, new: Path) -> list[str]:
    """Lines of two texts, as diff shows them, without context."""
    before, after = (path.read_text(encoding="utf-8", errors="replace").splitlines() for path in (old, new))
    told = [
        f"{line[0]} {_short(line[1:])}"
        for line in difflib.unified_diff(before, after, n=0, lineterm="")
        if line[0] in "+-" and not line.startswith(("--- ", "+++ "))
    ]
    return limited(told, "lines")
