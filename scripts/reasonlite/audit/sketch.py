"""What is kept of a file too large to keep: of weights each tensor's statistics, of a table some of its rows.

Sketches of two files tell whether and roughly where they differ. Does not load torch.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

TENSORS, SAMPLE = ".tensors.json", ".sample.parquet"  # kept under the file's hash with these endings
LONGEST = 2_000  # characters of a value in a kept row
CHUNK = 2**22  # values looked at together
# of the types whose values numpy can read; others are known by their bytes' hash alone
FORMS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"}
FORMS |= {"U8": "u1", "BOOL": "u1"}


def ending(path: Path) -> str | None:
    """The ending of the sketch that is made of a file of this kind; None where none is."""
    return {".safetensors": TENSORS, ".parquet": SAMPLE}.get(path.suffix)


def sketch(path: Path, target: Path, rows: int) -> None:
    """Write the sketch of ``path`` to ``target``; ``rows``: of a table, at most. Nothing of a table without a key.

    Raises `OSError` and `ValueError` for a file that cannot be read.
    """
    if path.suffix == ".safetensors":
        target.write_text(json.dumps(statistics(path)), encoding="utf-8")
    elif rows and (found := sample(path, rows)) is not None:
        found.write_parquet(target, compression="zstd")


def statistics(path: Path) -> dict[str, dict[str, Any]]:
    """Of each tensor of a safetensors file: type, shape, a hash of its bytes, and mean, norm and largest value.

    Norm is the root of the sum of squares; statistics are null for types that are not read.
    """
    import numpy
    import xxhash

    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    data = numpy.memmap(path, mode="r", offset=8 + length)
    found = {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        first, last = about["data_offsets"]
        raw = data[first:last]
        entry = {"dtype": about["dtype"], "shape": about["shape"], "hash": xxhash.xxh3_128_hexdigest(raw.data)}
        found[name] = entry | _moments(raw, about["dtype"])
    return found


def _moments(raw: Any, kind: str) -> dict[str, float | None]:
    import numpy

    if kind not in FORMS or not len(raw):
        return {"mean": None, "norm": None, "largest": None}
    values = raw.view(FORMS[kind])
    whole = squares = largest = 0.0
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK]
        if kind == "BF16":  # the upper half of a float32
            part = (part.astype(numpy.uint32) << 16).view(numpy.float32)
        part = part.astype(numpy.float64)
        whole, squares = whole + float(part.sum()), squares + float(part @ part)
        largest = max(largest, float(numpy.abs(part).max()))
    return {"mean": whole / len(values), "norm": math.sqrt(squares) if squares >= 0 else math.nan, "largest": largest}


def sample(path: Path, rows: int) -> Any:
    """The rows of a table whose keys have the smallest hashes, so that of two tables the same are kept; None
    where no column tells rows apart. Long values are cut, lists and structs told as text."""
    import polars as pl
    import xxhash

    from reasonlite.audit.inside import KEYS

    table = pl.scan_parquet(path)
    try:
        schema = table.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise ValueError(str(error)) from None
    key = next((list(names) for names in KEYS if set(names) <= set(schema)), None)
    if key is None:
        return None
    hashes = [xxhash.xxh3_64_intdigest(repr(row).encode()) for row in table.select(key).collect().iter_rows()]
    chosen = sorted(range(len(hashes)), key=hashes.__getitem__)[:rows]
    found = table.with_row_index("\0row").filter(pl.col("\0row").is_in(chosen)).drop("\0row").collect()
    return found.with_columns(
        _cut(found[name]) for name, kind in schema.items() if kind.is_nested() or kind == pl.String
    )


def _cut(column: Any) -> Any:
    import polars as pl

    told = [None if value is None else str(value)[:LONGEST] for value in column.to_list()]
    return pl.Series(column.name, told, dtype=pl.String)


def told_apart(old: Path, new: Path) -> list[str]:
    """Lines that say what differs by two sketches of one kind."""
    from reasonlite.audit import inside

    if old.name.endswith(SAMPLE):
        return ["of a sample of its rows, as the whole file is not kept:", *inside.rows(old, new)]
    before, after = (json.loads(path.read_text(encoding="utf-8")) for path in (old, new))
    both = [name for name in after if name in before]
    changed = [name for name in both if before[name]["hash"] != after[name]["hash"]]
    found = [f"tensor added: {name}" for name in after if name not in before]
    found += [f"tensor removed: {name}" for name in before if name not in after]
    found = inside.limited(found, "tensors added or removed")
    found.append(f"{len(changed)} of {len(both)} tensors differ; by statistics, as the whole file is not kept:")
    changed.sort(key=lambda name: -_moved(before[name], after[name]))
    lines = [f"  {name}: {_in_words(before[name], after[name])}" for name in changed]
    return [*found, *inside.limited(lines, "tensors")]


def _moved(old: dict[str, Any], new: dict[str, Any]) -> float:
    """How much the norm has changed, as a share of what it was; no more than the tensor itself has."""
    if old["norm"] is None or new["norm"] is None or old["shape"] != new["shape"]:
        return math.inf
    return abs(new["norm"] - old["norm"]) / max(old["norm"], 1e-300)


def _in_words(old: dict[str, Any], new: dict[str, Any]) -> str:
    if (old["dtype"], old["shape"]) != (new["dtype"], new["shape"]):
        return f"{old['shape']} {old['dtype']} → {new['shape']} {new['dtype']}"
    if old["norm"] is None:
        return "other values"
    return ", ".join(f"{name} {old[name]:.6g} → {new[name]:.6g}" for name in ("norm", "mean", "largest"))
