"""Every table's schema, and reading and writing Parquet by it.

A table is written whole, in a fixed row order, with fixed writer settings, so that the same
rows give the same bytes. Does not know what the rows mean.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import polars as pl

from reasonlite.errors import UserError
from reasonlite.files import atomic_path

PROBLEMS = pl.Schema(
    {
        "id": pl.String,  # <source>:<n>, stable across runs
        "source": pl.String,
        "problem": pl.String,
        "answer": pl.String,  # the data set's label; null where the source has none
    }
)
SOURCED = pl.Schema([*PROBLEMS.items(), ("unusable", pl.String)])  # why it cannot be learnt from; null if it can
DROPPED = pl.Schema(
    [
        *PROBLEMS.items(),
        ("reason", pl.String),
        ("twin", pl.String),  # the problem that it is too much like; null where that is not the reason
        ("score", pl.Float64),  # how much, 0 to 1: share of n-grams in common, or similarity
    ]
)
NOTICED = pl.Schema(
    {
        "id": pl.String,
        "source": pl.String,
        "what": pl.String,
        "label": pl.String,
        "twin": pl.String,
        "twin_label": pl.String,
        "score": pl.Float64,
    }
)
ANSWERS = pl.Schema(
    {
        "answer_id": pl.String,  # <problem id>_<number>
        "problem_id": pl.String,
        "effort": pl.String,
        "number": pl.Int32,  # 0 .. answers_per_problem - 1
        "seed": pl.Int64,
        "text": pl.String,  # the reply as the engine gave it; null when the request failed
        "status": pl.String,  # complete, cut, malformed, failed
        "answer": pl.String,  # final answer; null when there is none
        "prompt_tokens": pl.Int32,
        "tokens": pl.Int32,  # generated tokens
        "finish_reason": pl.String,
        "error": pl.String,
    }
)
JOURNAL = pl.Schema(
    {
        "key": pl.String,  # of the request
        "text": pl.String,  # null exactly when error says why
        "prompt_tokens": pl.Int32,
        "tokens": pl.Int32,
        "finish_reason": pl.String,
        "error": pl.String,
        "seed": pl.Int64,  # the one used: a request that failed is tried again with another
        "tries": pl.Int32,  # made so far, this one included
    }
)
RECORDED = pl.Schema(
    {
        "problem_id": pl.String,
        "number": pl.Int32,
        "text": pl.String,  # null when the request failed
        "judge": pl.Boolean,  # ReasonLite's own verdict against the data set's label; null where it has none
        "judge_vote": pl.Boolean,  # the same against its vote
    }
)
GROUPS = pl.Schema(
    {
        "problem_id": pl.String,
        "answer": pl.String,  # a distinct final answer, or the label
        "class": pl.Int32,  # answers of one class are equal; numbered from 0 in each problem
        "is_label": pl.Boolean,  # the data set's label is this string
        "equals_label": pl.Boolean,  # equal to the data set's label; null without one
        "count": pl.Int32,  # answers with this final answer
    }
)
PAIRS = pl.Schema(
    {
        "problem_id": pl.String,
        "left": pl.String,
        "right": pl.String,
        "verdict": pl.String,  # equal, different, undecided
        "method": pl.String,  # what decided, or why nothing did
    }
)
TIMINGS = pl.Schema(
    {"problem_id": pl.String, "left": pl.String, "right": pl.String, "method": pl.String, "seconds": pl.Float64}
)
ADJUDICATED = pl.Schema(
    {
        "problem_id": pl.String,
        "left": pl.String,
        "right": pl.String,
        "asked": pl.String,  # why: undecided, sample, label, top
        "rules": pl.String,  # the rules' verdict
        "verdict": pl.String,  # the model's: equal, different, undecided
        "attempts": pl.Int32,  # requests made, malformed replies included
        "reply": pl.String,  # text of the last reply; null when the request failed
        "error": pl.String,
    }
)
VOTES = pl.Schema(
    {
        "problem_id": pl.String,
        "drawn": pl.Int32,  # answers drawn
        "voting": pl.Int32,  # answers with a final answer: the votes
        "top_answer": pl.String,  # null when nothing voted or the top is tied
        "top_class": pl.Int32,
        "top_votes": pl.Int32,
        "share": pl.Float64,  # of the votes that the top answer has, by weight
        "dataset_answer": pl.String,
        "dataset_class": pl.Int32,
        "label": pl.String,
        "label_class": pl.Int32,
        "label_source": pl.String,  # vote, dataset, none
    }
)
AGREEMENT = pl.Schema({"measure": pl.String, "value": pl.Float64})
SWEEP = pl.Schema(
    {
        "min_share": pl.Float64,
        "min_votes": pl.Int32,
        "problems": pl.Int32,
        "by_vote": pl.Int32,
        "replaced": pl.Int32,
        "added": pl.Int32,
        "agreement": pl.Float64,
    }
)
JUDGED = pl.Schema(
    {
        "answer_id": pl.String,
        "problem_id": pl.String,
        "source": pl.String,
        "effort": pl.String,
        "number": pl.Int32,
        "status": pl.String,
        "finish_reason": pl.String,
        "tokens": pl.Int32,
        "answer": pl.String,
        "class": pl.Int32,
        "correct": pl.Boolean,  # against the data set's label; null without one
        "correct_vote": pl.Boolean,  # against the label after voting; null without one
        "pass_rate": pl.Float64,  # share right of the problem's answers at this effort, by the vote if there is one
        "share": pl.Float64,  # the vote's share
        "label_source": pl.String,
    }
)
EXECUTIONS = pl.Schema(
    {
        "answer_id": pl.String,
        "program": pl.String,  # null when the reply holds none
        "status": pl.String,  # passed, failed, timeout
        "detail": pl.String,
    }
)
RESULTS = pl.Schema(
    {
        "model": pl.String,
        "benchmark": pl.String,
        "metric": pl.String,
        "value": pl.Float64,
        "low": pl.Float64,  # of the 95% interval; of draws the lowest, of percentiles the next
        "high": pl.Float64,
        "problems": pl.Int64,
        "answers": pl.Int64,  # for each problem
    }
)
COMPARISONS = pl.Schema(
    {
        "benchmark": pl.String,
        "left": pl.String,
        "right": pl.String,
        "difference": pl.Float64,  # avg@n of right less left, in points
        "low": pl.Float64,
        "high": pl.Float64,
        "gained": pl.Int64,  # problems that only right solves with most of its answers
        "lost": pl.Int64,
        "p": pl.Float64,  # McNemar's exact test on those
        "p_holm": pl.Float64,
    }
)
PER_PROBLEM = pl.Schema(
    {
        "benchmark": pl.String,
        "problem_id": pl.String,
        "model": pl.String,
        "right": pl.Int64,
        "answers": pl.Int64,
        "tokens": pl.Float64,
    }
)
CURVES = pl.Schema(
    {
        "curve": pl.String,  # pass@k, budget
        "benchmark": pl.String,
        "model": pl.String,
        "x": pl.Int64,  # k, or generated tokens allowed for an answer
        "value": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
    }
)
COMPUTE = pl.Schema(
    {
        "model": pl.String,
        "benchmark": pl.String,
        "parameters": pl.Float64,  # billions
        "tokens": pl.Float64,  # mean of an answer
        "pflops": pl.Float64,  # of all answers to the benchmark
        "accuracy": pl.Float64,  # avg@n, per cent
    }
)
LENGTHS = pl.Schema(
    {
        "part": pl.String,  # teacher's effort, or model and benchmark
        "verdict": pl.String,  # right, wrong
        "low": pl.Float64,  # tokens, the bin's edges
        "high": pl.Float64,
        "answers": pl.Int64,
    }
)
VOTE_SHARES = pl.Schema({"low": pl.Float64, "high": pl.Float64, "agrees": pl.String, "problems": pl.Int64})
MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
CURRICULUM = pl.Schema(
    [
        ("answer_id", pl.String),
        ("problem_id", pl.String),
        ("source", pl.String),
        ("effort", pl.String),
        ("tokens", pl.Int32),  # as the teacher generated them
        ("student_tokens", pl.Int32),  # of the whole conversation, by the student's chat template and tokenizer
        ("messages", MESSAGES),
    ]
)
FUNNEL = pl.Schema(
    {"stratum": pl.String, "shard": pl.Int32, "step": pl.String, "answers": pl.Int64, "tokens": pl.Int64}
)
TRAINING_LOG = pl.Schema(
    {
        "stage": pl.String,
        "step": pl.Int64,
        "epoch": pl.Float64,
        "loss": pl.Float64,
        "learning_rate": pl.Float64,
        "grad_norm": pl.Float64,
        "tokens": pl.Int64,
        "mean_token_accuracy": pl.Float64,
        "reward": pl.Float64,  # mean of a step's answers, weighted as the stage says; GRPO only
        "reward_std": pl.Float64,
        "completion_length": pl.Float64,  # mean tokens of the answers drawn; distillation and GRPO
    }
)
TRAINING_SPEED = pl.Schema(
    {
        "stage": pl.String,
        "step": pl.Int64,  # of the log entry that ends the interval
        "seconds": pl.Float64,
        "tokens_per_second": pl.Float64,
        "peak_memory_mb": pl.Float64,  # so far; of the GPU where there is one, else of the process
    }
)


def write_table(path: Path, frame: pl.DataFrame, schema: pl.Schema) -> None:
    """Write ``frame`` with exactly the columns and types of ``schema``; all or nothing."""
    missing = [name for name in schema if name not in frame.columns]
    if missing:
        raise ValueError(f"{path}: the table lacks {missing}")
    whole = frame.select(schema.names()).cast(dict(schema.items()))
    with atomic_path(path) as temporary, system_errors(path):
        whole.write_parquet(temporary, compression="zstd", compression_level=3, statistics=True)


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

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._whole, self._path, self._schema = ExitStack(), path, schema

    def __enter__(self) -> TableWriter:
        import pyarrow.parquet

        temporary = self._whole.enter_context(atomic_path(self._path))
        layout = _arrow(frame_of([], self._schema)).schema
        writer = pyarrow.parquet.ParquetWriter(temporary, layout, compression="zstd", compression_level=3)
        self._writer = self._whole.enter_context(writer)
        return self

    def write(self, frame: pl.DataFrame) -> None:
        """Add rows, as one row group."""
        if not frame.height:
            return
        with system_errors(self._path):
            self._writer.write_table(_arrow(frame.select(self._schema.names()).cast(dict(self._schema.items()))))

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
