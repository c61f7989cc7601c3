"""What a file says, apart from how it is written: rows, columns, and a hash of a table's values.

Does not know where files lie or what made them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from reasonlite.core.errors import UserError

BATCH_ROWS = 1_024


def describe(path: Path) -> dict[str, Any]:
    """Rows, schema and content hash of a Parquet file; nothing of other files.

    The content hash is over the values alone: equal for equal rows in equal order, whatever the
    compression, the row groups, the encoding or the file's own metadata. Memory is that of a few batches.
    """
    if path.suffix != ".parquet":
        return {}
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=2**20) as file:
            schema = {field.name: _name(field.type) for field in file.schema_arrow}
            columns = [_Values(field.type) for field in file.schema_arrow]
            rows = 0
            for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
                rows += batch.num_rows
                for column, values in zip(columns, batch.columns, strict=True):
                    column.feed(values)
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"is not a readable Parquet file ({error})", where=path, todo="delete it and rerun") from None
    whole = hashlib.sha256(repr([*schema.items(), rows, *(column.digest() for column in columns)]).encode())
    return {"rows": rows, "schema": schema, "content": whole.hexdigest()}


def _name(kind: Any) -> str:
    """A type's name without what only its layout in memory knows."""
    return str(kind).replace("large_", "").replace("_view", "").replace("list<element:", "list<item:")


class _Values:
    """Hashes of one column's values, fed piece by piece: which are null, lengths, bytes, and those of the parts."""

    def __init__(self, kind: Any) -> None:
        import pyarrow.types as types
        import xxhash

        self._is_list = types.is_list(kind) or types.is_large_list(kind)
        self._is_text = types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind)
        self._is_struct = types.is_struct(kind)
        self._is_plain = types.is_integer(kind) or types.is_floating(kind)
        self._nulls, self._lengths, self._bytes = xxhash.xxh3_128(), xxhash.xxh3_128(), xxhash.xxh3_128()
        parts = [kind.value_type] if self._is_list else [field.type for field in kind] if self._is_struct else []
        self._parts = [_Values(part) for part in parts]

    def feed(self, values: Any) -> None:
        import pyarrow.compute as compute

        self._nulls.update(values.is_valid().cast("uint8").to_numpy())
        if self._is_struct:
            for part, child in zip(self._parts, values.flatten(), strict=True):
                part.feed(child)
            return
        present = values.drop_null() if values.null_count else values
        if self._is_list:
            self._lengths.update(compute.list_value_length(present).cast("int64").to_numpy())
            self._parts[0].feed(present.flatten())
        elif self._is_plain:
            self._bytes.update(present.to_numpy())
        else:
            text = present.cast("large_binary" if self._is_text else "large_string")
            self._lengths.update(compute.binary_length(text).cast("int64").to_numpy())
            if len(text):
                self._bytes.update(_bytes_of(text))

    def digest(self) -> list[Any]:
        own = [hashed.hexdigest() for hashed in (self._nulls, self._lengths, self._bytes)]
        return [*own, *(part.digest() for part in self._parts)]


def _bytes_of(text: Any) -> Any:
    """The values' bytes, one after the other, without copying them."""
    _, offsets, data = text.buffers()
    numbers = memoryview(offsets).cast("q")
    first, last = numbers[text.offset], numbers[text.offset + len(text)]
    return memoryview(data)[first:last] if last > first else b""
