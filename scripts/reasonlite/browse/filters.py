"""A reader's filter: an SQL condition over named columns, and nothing else.

Polars' own SQL would also open files (``SELECT … FROM read_csv(…)``), so only known words get through to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import polars as pl

from reasonlite.core.errors import UserError

LONGEST = 2_000  # characters
WORDS = frozenset(
    "and or not in between like ilike is null true false case when then else end as cast"
    " int integer bigint float double varchar".split()
)
FUNCTIONS = frozenset(
    "abs ceil coalesce contains ends_with exp floor greatest if ifnull initcap least left length ln log10 lower ltrim"
    " mod nullif pow regexp_like replace reverse right round rtrim sign sqrt starts_with strpos substr upper".split()
)
TOKEN = re.compile(
    # no comments: what is one here and none there would let anything through
    r"""\s+ | '(?:[^']|'')*' | "(?P<quoted>[^"]+)" | (?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<word>[A-Za-z_]\w*) (?P<call>\s*\()? | (?!--|/\*)[-+*/%<>=!,().|]""",
    re.VERBOSE,
)


def condition(text: str, schema: pl.Schema) -> pl.Expr:
    """``pass_rate BETWEEN 0.1 AND 0.9`` as an expression; a `UserError` says what is not understood and what there is.

    ``schema``: the columns that there are.
    """
    if len(text) > LONGEST:
        raise UserError(f"is longer than {LONGEST:,} characters", where="the filter")
    _check(text, schema.names())
    try:
        parsed = pl.sql_expr(text)
        kind = pl.DataFrame(schema=schema).select(parsed.alias("kept")).schema["kept"]
    except (pl.exceptions.PolarsError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise UserError(f"is not understood: {said}", where="the filter", todo="for example: pass_rate < 0.5") from None
    if kind != pl.Boolean:
        raise UserError(f"gives {kind}, and true or false is needed", where="the filter", todo="compare it: … > 0")
    return parsed.fill_null(False)


def _check(text: str, columns: Iterable[str]) -> None:
    known, place = set(columns), 0
    while place < len(text):
        token = TOKEN.match(text, place)
        if token is None:
            said = f"has {text[place]!r} at character {place + 1}, which does not belong there"
            raise UserError(said, where="the filter")
        place = token.end()
        word, quoted = token["word"], token["quoted"]
        if quoted is not None and quoted not in known:
            raise _unknown(quoted, known)
        if word is None:
            continue
        if word not in known and word.lower() not in (FUNCTIONS | WORDS if token["call"] else WORDS):
            raise _unknown(word, known)


def _unknown(word: str, known: set[str]) -> UserError:
    todo = f"columns: {', '.join(sorted(known))}; texts stand in 'single quotes'"
    return UserError(f"names {word!r}, which is no column and no function", where="the filter", todo=todo)
