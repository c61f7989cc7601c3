"""Reading and writing Parquet by a schema.

A table is written whole, in a fixed row order, with fixed writer settings, so that the same
rows give the same bytes. Does not know what the rows mean.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import polars as pl

from reasonlite.core.errors import UserError
from reasonlite.core.files import atomic_path, canonical_json

ABOUT = "reasonlite"  # key of the file's metadata under which `about` is kept, as JSON


def write_table(path: Path, frame: pl.DataFrame, schema: pl.Schema, about: dict[str, Any] | None = None) -> None:
    """Write ``frame`` with exactly the columns and types of ``schema``; all or nothing.

    ``about``: what is true of the whole table, kept in the file's metadata.
    """
    missing = [name for name in schema if name not in frame.columns]
    if missing:
        raise ValueError(f"{path}: the table lacks {missing}")
    whole = frame.select(schema.names()).cast(dict(schema.items()))
    with atomic_path(path) as temporary, system_errors(path):
        note = {ABOUT: canonical_json(about)} if about else None
        whole.write_parquet(temporary, compression="zstd", compression_level=3, statistics=True, metadata=note)


def about_table(path: Path) -> dict[str, Any]:
    """What `write_table` or `TableWriter` was told of the whole table; empty where it was told nothing."""
    return json.loads(pl.read_parquet_metadata(path).get(ABOUT, "{}"))


@contextmanager
def system_errors(path: Path) -> Iterator[None]:
    """Errors of disk and rights as the system's own, with the path: Polars has their number in its text alone."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        told = re.search(r"\(os error (\d+)\)", str(error))
        number = getattr(error, "errno", None) or (int(told[1]) if told else None)
        if number is None:
            raise
        raise OSError(number, os.strerror(number), str(path)) from None


class TableWriter:
    """Writes a table piece by piece: memory holds a piece, and nothing stands under its name until it is whole."""

    def __init__(self, path: Path, schema: pl.Schema, about: dict[str, Any] | None = None) -> None:
        self._whole, self._path, self._schema, self._about = ExitStack(), path, schema, about

    def __enter__(self) -> TableWriter:
        import pyarrow.parquet

        temporary = self._whole.enter_context(atomic_path(self._path))
        layout = _arrow(frame_of([], self._schema)).schema
        if self._about:
            layout = layout.with_metadata({ABOUT: canonical_json(self._about)})
        writer = pyarrow.parquet.ParquetWriter(temporary, layout, compression="zstd", compression_level=3)
        self._writer = self._whole.enter_context(writer)
        return self

    def write(self, frame: pl.DataFrame) -> None:
        """Add rows, as one row group."""
        if not frame.height:
            return
        with system_errors(self._path):
            rows = _arrow(frame.select(self._schema.names()).cast(dict(self._schema.items())))
            self._writer.write_table(rows.replace_schema_metadata(self._writer.schema.metadata))

    def __exit__(self, *error: Any) -> None:
        self._whole.__exit__(*error)


def _arrow(frame: pl.DataFrame) -> Any:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def stream_table(path: Path, schema: pl.Schema, columns: list[str], rows: int = 8_192) -> Iterator[pl.DataFrame]:
    """Read some columns of a table piece by piece, at most ``rows`` rows at a time."""
    import pyarrow.parquet

    scan_table(path, schema)  # says what is wrong with it
    with pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=2**20) as file:
        for batch in file.iter_batches(rows, columns=columns):
            yield cast(pl.DataFrame, pl.from_arrow(batch)).cast({name: schema[name] for name in columns})


def text_bytes(path: Path, column: str) -> int:
    """Bytes that a table's column takes when it is read."""
    import pyarrow.parquet

    groups = pyarrow.parquet.ParquetFile(path).metadata
    chunks = (groups.row_group(g).column(c) for g in range(groups.num_row_groups) for c in range(groups.num_columns))
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema == column)


def scan_table(path: Path, schema: pl.Schema) -> pl.LazyFrame:
    """Open a table lazily; a `UserError` when it is absent, not Parquet, or of another schema."""
    if not path.is_file():
        raise UserError("no such file", where=path, todo="run the rule that makes it, or check the path")
    try:
        frame = pl.scan_parquet(path)
        found = frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UserError(f"is not a readable Parquet file ({error})", where=path, todo="delete it and rerun") from None
    for name, kind in schema.items():
        if name not in found:
            raise UserError(f"lacks the column {name!r}; it has {', '.join(found.names())}", where=path)
        if found[name] != kind:
            raise UserError(f"column {name!r} is {found[name]}, expected {kind}", where=path)
    return frame.select(schema.names())


def read_table(path: Path, schema: pl.Schema, columns: list[str] | None = None) -> pl.DataFrame:
    """Read a table, or only some of its columns."""
    frame = scan_table(path, schema)
    return (frame.select(columns) if columns else frame).collect()


def read_tables(paths: list[Path], schema: pl.Schema, columns: list[str] | None = None) -> pl.DataFrame:
    """Read several tables of one schema, one below the other."""
    return pl.concat([read_table(path, schema, columns) for path in paths], rechunk=False)


def frame_of(rows: list[dict] | list[tuple], schema: pl.Schema) -> pl.DataFrame:
    """A data frame of ``rows`` with ``schema``, also when there are no rows."""
    return pl.DataFrame(rows, schema=schema, orient="row")
