"""Training examples: judged answers that pass a stratum's filter, with their text joined back.

Does not know tokenizers or trainers.
"""

from __future__ import annotations

import polars as pl

from reasonlite.errors import UserError
from reasonlite.seeding import shuffle_key
from reasonlite.tables import CURRICULUM, FUNNEL, JUDGED, frame_of
from reasonlite.transcripts import split_reply, training_text


def parse_filter(expression: str, where: object) -> pl.Expr:
    """A stratum's SQL filter as an expression over the judged columns."""
    try:
        parsed = pl.sql_expr(expression)
        used = parsed.meta.root_names()
    except pl.exceptions.PolarsError as error:
        raise UserError(f"is not an SQL expression: {error}", where=where, todo="for example: correct_vote") from None
    for column in used:
        if column not in JUDGED:
            raise UserError(
                f"names the column {column!r}, which does not exist; there are {', '.join(JUDGED.names())}",
                where=where,
                todo="correct the filter",
            )
    kind = frame_of([], JUDGED).select(parsed.alias("kept")).schema["kept"]
    if kind != pl.Boolean:
        raise UserError(f"gives {kind}, expected true or false: {expression!r}", where=where)
    return parsed


def curate(
    judged: pl.DataFrame,
    texts: pl.DataFrame,
    problems: pl.DataFrame,
    *,
    stratum: str,
    shard: int,
    expression: pl.Expr,
    seed: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The examples of one stratum and shard (CURRICULUM), shuffled by ``seed``, and its FUNNEL.

    ``judged``: JUDGED rows of the stratum's efforts. ``texts``: answer_id, effort, text,
    finish_reason. ``problems``: id, problem. Dropped, in this order and counted: rows the
    filter refuses, replies without both reasoning and final part, copies of one text.
    """
    funnel = [_step(stratum, shard, "drawn", judged)]
    passed = judged.filter(expression.fill_null(False))
    funnel.append(_step(stratum, shard, "passed the filter", passed))
    joined = passed.join(texts.drop("finish_reason"), on=["answer_id", "effort"], how="left").join(
        problems.select(pl.col("id").alias("problem_id"), "problem"), on="problem_id", how="left"
    )
    examples = [_example(row) for row in joined.sort("effort", "answer_id").iter_rows(named=True)]
    whole = frame_of([example for example in examples if example], CURRICULUM)
    funnel.append(_step(stratum, shard, "reasoning and final part", whole))
    distinct = whole.unique(["problem_id", "messages"], keep="first", maintain_order=True)
    funnel.append(_step(stratum, shard, "distinct", distinct))
    order = [shuffle_key(seed, f"{row[0]}/{row[1]}") for row in distinct.select("effort", "answer_id").iter_rows()]
    shuffled = distinct.with_columns(pl.Series("order", order, dtype=pl.UInt64)).sort("order").drop("order")
    return shuffled, frame_of(funnel, FUNNEL)


def _example(row: dict) -> dict | None:
    text = training_text(split_reply(row["text"], row["finish_reason"])) if row["text"] is not None else None
    if text is None:
        return None
    messages = [{"role": "user", "content": row["problem"]}, {"role": "assistant", "content": text}]
    return {**{name: row[name] for name in CURRICULUM if name != "messages"}, "messages": messages}


def _step(stratum: str, shard: int, step: str, frame: pl.DataFrame) -> dict:
    return {
        "stratum": stratum,
        "shard": shard,
        "step": step,
        "answers": frame.height,
        "tokens": int(frame["tokens"].sum() or 0),
    }
