"""Replies that are programs: the code in them, and verdicts by running its tests in the sandbox.

Does not know how the sandbox confines anything.
"""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from reasonlite.answers.transcripts import split_reply
from reasonlite.core.schemas import EXECUTIONS, JUDGED
from reasonlite.core.tables import frame_of
from reasonlite.evaluation.sandbox import Limits, Outcome, check_available, run_tests

_FENCE = re.compile(r"```[a-zA-Z0-9_+-]*[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)


def program_of(reply: str, prompt: str, entry_point: str) -> str | None:
    """The program in the final part of a reply, or None.

    The last fenced block that defines ``entry_point`` counts, else the last block, else the whole
    text. Where it does not define the function itself it is a continuation of ``prompt``.
    """
    blocks = [block for block in _FENCE.findall(reply) if block.strip()]
    definition = re.compile(rf"^\s*(?:async\s+)?def\s+{re.escape(entry_point)}\b", re.MULTILINE)
    defining = [block for block in blocks if definition.search(block)]
    code = (defining or blocks or [reply])[-1]
    if not code.strip():
        return None
    if definition.search(code):
        start = definition.search(prompt)
        return (prompt[: start.start()] if start else "") + "\n" + code  # imports and helpers of the prompt
    return prompt + code


def grade(
    answers: pl.DataFrame, problems: pl.DataFrame, limits: Limits | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """JUDGED and EXECUTIONS of answers whose problems carry tests; a UserError where there is no sandbox.

    ``answers``: ANSWERS with text. ``problems``: PROBLEMS whose answer is the JSON of prompt, test and
    entry_point. A reply that is cut off, malformed or without code fails.
    """
    check_available()
    tests = {row["id"]: json.loads(row["answer"]) for row in problems.iter_rows(named=True)}
    sources = dict(problems.select("id", "source").iter_rows())
    rows = answers.sort("problem_id", "effort", "number").rows(named=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each waits for its sandboxes
        graded = list(pool.map(lambda row: _graded(row, tests[row["problem_id"]], limits), rows))
    judged = [
        {
            **{name: row[name] for name in ("answer_id", "problem_id", "effort", "number", "status", "finish_reason")},
            **{"tokens": row["tokens"], "source": sources[row["problem_id"]], "answer": code, "class": None},
            **{"correct": outcome.status == "passed", "by_rounding": False},
            **{"correct_vote": None, "share": None, "label_source": None},
        }
        for row, (code, outcome) in zip(rows, graded, strict=True)
    ]
    executions = [
        (row["answer_id"], code, outcome.status, outcome.detail)
        for row, (code, outcome) in zip(rows, graded, strict=True)
    ]
    passed = pl.col("correct").mean().over("problem_id", "effort").alias("pass_rate")
    columns = [name for name in JUDGED.names() if name != "pass_rate"]
    frame = pl.DataFrame(judged, schema={name: JUDGED[name] for name in columns}).with_columns(passed)
    return frame.select(JUDGED.names()), frame_of(executions, EXECUTIONS)


def _graded(row: dict, test: dict[str, str], limits: Limits | None) -> tuple[str | None, Outcome]:
    if row["text"] is None:
        return None, Outcome("failed", "the request failed")
    transcript = split_reply(row["text"], row["finish_reason"])
    if transcript.final is None:
        return None, Outcome("failed", f"the reply is {transcript.status}")
    marked = "think>" in row["text"] or "<|channel|>" in row["text"]  # else the whole reply may hold the code
    whole = transcript.final if marked else row["text"]
    code = program_of(whole, test["prompt"], test["entry_point"])
    if code is None:
        return None, Outcome("failed", "the reply holds no code")
    return code, run_tests(code, test["entry_point"], test["prompt"], test["test"], limits)
