"""Answers to a benchmark that another program drew: which log holds them, and how it is read. Part of the config."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from reasonlite.config.settings import Closed


class _Log(Closed):
    paths: list[Path] = Field(
        min_length=1, description="the log; further ones hold further draws of the same model with the same settings"
    )
    match: Literal["text", "id"] = Field(
        "text", description="how a row's problem is found in the benchmark; by id, texts that differ are listed"
    )
    missing: Literal["refuse", "drop", "wrong"] = Field(
        "refuse", description="a problem with fewer answers than others ends the run, is left out, or counts as wrong"
    )
    others: Literal["refuse", "drop"] = Field(
        "refuse", description="a row whose problem the benchmark does not have ends the run, or is left out and counted"
    )
    contradiction: Literal["refuse", "note"] = Field(
        "refuse", description="a score stated beside the log that is not the mean of its verdicts ends the run, or not"
    )
    verdict: str | None = Field(
        None, description="the log's score that is its own verdict; needed where it has several"
    )


class LmEvalLog(_Log):
    """lm-evaluation-harness, samples_<task>_<time>.jsonl of --log_samples; results_<time>.json beside it too."""

    kind: Literal["lm_eval"]
    filter: str | None = Field(None, description="the answer filter whose verdict counts; needed where it has several")


class LightevalLog(_Log):
    """lighteval, details_<task>_<time>.parquet."""

    kind: Literal["lighteval"]


class InspectLog(_Log):
    """Inspect, a log file .eval or .json; its epochs are draws."""

    kind: Literal["inspect"]


class ReasonLiteLog(_Log):
    """An experiment's folder of ReasonLite's, with answer_judge or answer_origin in it."""

    kind: Literal["reasonlite"]


class LogColumns(Closed):
    """Which column holds what; only the reply has to be there, and the problem's text or its id."""

    reply: str = Field(description="the model's whole reply; null where there was none")
    problem: str | None = Field(None, description="problem text")
    id: str | None = Field(None, description="the problem's id, with or without the benchmark's name")
    number: str | None = Field(None, description="which draw it is, from 0; default: the order of the rows")
    target: str | None = Field(None, description="the label that the other program had")
    verdict: str | None = Field(None, description="the other program's verdict: true and false, or 0 to 1")
    extracted: str | None = Field(None, description="the final answer that the other program found")
    prompt: str | None = Field(None, description="what the model was sent")
    tokens: str | None = Field(None, description="generated tokens")
    finish_reason: str | None = Field(None, description="stop, or length where the reply was cut")


class RowsLog(_Log):
    """Any JSON, JSON Lines or Parquet."""

    kind: Literal["rows"]
    verdict: None = Field(None, description="not used here: columns.verdict names the column")
    columns: LogColumns
    where: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="only rows with these values, for files that hold several models"
    )


Log = Annotated[LmEvalLog | LightevalLog | InspectLog | ReasonLiteLog | RowsLog, Field(discriminator="kind")]
