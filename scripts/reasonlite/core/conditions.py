"""SQL expressions of a config over a table's columns. Does not know what the columns mean."""

from __future__ import annotations

import polars as pl

from reasonlite.core.errors import UserError
from reasonlite.core.tables import frame_of


def parse_filter(expression: str, where: object, schema: pl.Schema) -> pl.Expr:
    """A filter as an expression over the columns of ``schema``; a `UserError` says what it cannot be."""
    parsed, kind = _parsed(expression, where, schema, "correct_vote")
    if kind != pl.Boolean:
        raise UserError(f"gives {kind}, expected true or false: {expression!r}", where=where)
    return parsed


def parse_weight(expression: str, where: object, schema: pl.Schema) -> pl.Expr:
    """A weight: a number for each row."""
    parsed, kind = _parsed(expression, where, schema, "1 - pass_rate")
    if not kind.is_numeric():
        raise UserError(f"gives {kind}, expected a number: {expression!r}", where=where)
    return parsed.cast(pl.Float64)


def _parsed(expression: str, where: object, schema: pl.Schema, example: str) -> tuple[pl.Expr, pl.DataType]:
    try:
        parsed = pl.sql_expr(expression)
        used = parsed.meta.root_names()
    except pl.exceptions.PolarsError as error:
        raise UserError(f"is not an SQL expression: {error}", where=where, todo=f"for example: {example}") from None
    for column in used:
        if column not in schema:
            raise UserError(
                f"names the column {column!r}, which does not exist; there are {', '.join(schema.names())}",
                where=where,
                todo="correct the expression",
            )
    try:
        return parsed, frame_of([], schema).select(parsed.alias("made")).schema["made"]
    except pl.exceptions.PolarsError as error:
        raise UserError(f"cannot be worked out: {error}", where=where, todo=f"for example: {example}") from None
