"""Training examples: judged answers that a stratum takes, with their text joined back.

Texts are read a piece at a time and wait on disk; memory holds ids. Does not know trainers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from reasonlite.answers.transcripts import split_reply, training_text
from reasonlite.core.schemas import ANSWERS, CURRICULUM, FUNNEL, JUDGED
from reasonlite.core.seeding import shuffle_key
from reasonlite.core.spool import Spool
from reasonlite.core.tables import TableWriter, frame_of, read_tables, stream_table, text_bytes

KEYS = ["answer_id", "problem_id", "source", "effort", "tokens"]
PIECE = 512  # answers read together: some 10 MB of text


@dataclass(frozen=True)
class Choice:
    """What a stratum takes of one shard. ``expression`` is over the judged columns."""

    stratum: str
    shard: int
    expression: pl.Expr
    seed: int
    at_most: int | None = None
    balanced: bool = False
    instruction: str = ""


def curate(
    judged: Sequence[Path],
    answers: Sequence[Path],
    problems: pl.DataFrame,
    choice: Choice,
    output: Path,
) -> pl.DataFrame:
    """Write the examples of one stratum and shard (CURRICULUM), shuffled by the seed; its FUNNEL.

    ``judged`` and ``answers``: tables of the stratum's efforts. ``problems``: id, problem. Left out, in this
    order and counted: rows the filter refuses, replies without both reasoning and final part, copies of one
    text, what is more than ``at_most`` of a problem, what a source has more than the scarcest one. Who stays
    is chosen by the seed.
    """
    columns = list(dict.fromkeys([*KEYS, *choice.expression.meta.root_names()]))
    rows = read_tables(list(judged), JUDGED, columns)
    passed = rows.filter(choice.expression.fill_null(False)).select(KEYS)
    steps = [("drawn", rows), ("passed the filter", passed)]
    del rows
    asked = f"\n{choice.instruction}" if choice.instruction else ""
    texts = {name: problem + asked for name, problem in problems.select("id", "problem").iter_rows()}
    expected = sum(text_bytes(path, "text") for path in answers)
    with Spool(output.with_name(f".{output.stem}.spool"), expected) as spool:
        whole, distinct = _gather(answers, passed, choice.seed, spool)
        steps += [("reasoning and final part", whole), ("distinct", distinct)]
        chosen = distinct.sort("rank")
        if choice.at_most is not None:
            chosen = chosen.filter(pl.int_range(pl.len()).over("problem_id") < choice.at_most)
            steps.append((f"at most {choice.at_most} a problem", chosen))
        if choice.balanced and chosen.height:
            scarcest = chosen["source"].value_counts()["count"].min()
            chosen = chosen.filter(pl.int_range(pl.len()).over("source") < scarcest)
            steps.append(("balanced sources", chosen))
        with TableWriter(output, CURRICULUM) as table:
            for part in spool.parts():
                kept = part.join(
                    chosen.select("answer_id", "effort"), on=["answer_id", "effort"], how="semi", maintain_order="left"
                )
                for piece in kept.iter_slices(PIECE):
                    table.write(_examples(piece, texts))
    return frame_of([_step(choice, name, frame) for name, frame in steps], FUNNEL)


def _gather(
    answers: Sequence[Path], passed: pl.DataFrame, seed: int, spool: Spool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Put the training texts into the spool; the keys of all that have one, and of the first of each text."""
    import xxhash

    seen: set[tuple[str, bytes]] = set()
    whole, distinct = [passed.clear()], [passed.clear().with_columns(pl.lit(0, pl.UInt64).alias("rank"))]
    for piece in _pieces(answers, passed):
        texts = [_training_text(*reply) for reply in piece.select("text", "finish_reason").iter_rows()]
        found = piece.drop("text", "finish_reason").with_columns(pl.Series("text", texts, dtype=pl.String))
        found = found.filter(pl.col("text").is_not_null())
        whole.append(found.select(KEYS))
        fresh = []
        for problem_id, text in found.select("problem_id", "text").iter_rows():
            before = len(seen)
            seen.add((problem_id, xxhash.xxh3_128_digest(text.encode())))
            fresh.append(len(seen) > before)
        first = found.filter(pl.Series(fresh, dtype=pl.Boolean))
        ranks = [shuffle_key(seed, f"{effort}/{name}") for effort, name in first.select("effort", "answer_id").rows()]
        first = first.with_columns(pl.Series("rank", ranks, dtype=pl.UInt64))
        distinct.append(first.select(*KEYS, "rank"))
        spool.add(first)
    return pl.concat(whole), pl.concat(distinct)


def _pieces(answers: Sequence[Path], passed: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Rows that passed, with their text and why it ended, in the order of effort and answer."""
    columns = ["answer_id", "effort", "text", "finish_reason"]
    pieces = itertools.chain.from_iterable(stream_table(path, ANSWERS, columns, PIECE) for path in sorted(answers))
    for piece in pieces:
        found = piece.filter(pl.col("text").is_not_null()).join(
            passed, on=["answer_id", "effort"], maintain_order="left"
        )
        if found.height:
            yield found


def _training_text(text: str, finish_reason: str | None) -> str | None:
    return training_text(split_reply(text, finish_reason))


def _examples(rows: pl.DataFrame, problems: dict[str, str]) -> pl.DataFrame:
    """CURRICULUM rows of texts."""
    asked = rows["problem_id"].replace_strict(problems, return_dtype=pl.String).alias("problem")
    turns = [
        pl.struct(pl.lit(role).alias("role"), pl.col(column).alias("content"))
        for role, column in (("user", "problem"), ("assistant", "text"))
    ]
    return rows.with_columns(asked).with_columns(pl.concat_list(turns).alias("messages"))


def _step(choice: Choice, step: str, frame: pl.DataFrame) -> dict:
    return {
        "stratum": choice.stratum,
        "shard": choice.shard,
        "step": step,
        "answers": frame.height,
        "tokens": int(frame["tokens"].sum() or 0),
    }
