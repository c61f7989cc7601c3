"""Whether a benchmark is the copy that was meant. Does not know how it is read."""

from __future__ import annotations

import re

import polars as pl

from reasonlite.core.errors import UserError
from reasonlite.core.files import canonical_json, sha256_text

_GIVEN_AWAY = r"(?:\\boxed\s*\{{\s*{0}\s*\}}|(?:answer|ans)\s*(?:is|:|=)\s*\$?{0}(?!\w|\.\d))"


def content_hash(problems: pl.DataFrame) -> str:
    """SHA-256 of problems and answers in the order of the table, ids left out."""
    return sha256_text(canonical_json(problems.select("problem", "answer").rows()))


def check_benchmark(problems: pl.DataFrame, name: str, expected: str | None) -> str:
    """Refuse a benchmark of other content than its hash says, or whose problems give their answers away."""
    for row in problems.iter_rows(named=True):
        pattern = _GIVEN_AWAY.format(re.escape(row["answer"])) if row["answer"] and len(row["answer"]) < 100 else "(?!)"
        if re.search(pattern, row["problem"], re.IGNORECASE):
            raise UserError(
                f"the problem {row['id']} holds its own answer, {row['answer']!r}",
                where=name,
                todo="take a clean copy of the benchmark",
            )
    found = content_hash(problems)
    if expected is not None and found != expected:
        raise UserError(
            f"its content has the hash {found}, not the configured {expected}",
            where=name,
            todo="compare the copy with the one that was pinned, or pin this one in content_sha256",
        )
    return found
