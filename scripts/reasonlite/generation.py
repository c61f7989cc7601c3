"""Answers to problems: requests, the journal, and the table that is its projection.

Does not know which engine answers, nor whether an answer is right.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite import interruption
from reasonlite.answers import final_answer
from reasonlite.engines import Engine, Reply, Request
from reasonlite.files import canonical_json, sha256_text
from reasonlite.journal import Journal
from reasonlite.logs import get_logger
from reasonlite.prompts import Message, messages_for
from reasonlite.seeding import answer_seed
from reasonlite.settings import Effort, Sampling, ServerEngine, VllmEngine
from reasonlite.tables import ANSWERS, frame_of
from reasonlite.transcripts import split_reply

log = get_logger(__name__)


@dataclass(frozen=True)
class Job:
    """What one generation job asks for. ``model`` is a fingerprint, not a path."""

    effort: str
    settings: Effort
    engine: VllmEngine | ServerEngine
    model: str
    seed: int
    chunk: int

    def request(self, problem_id: str, problem: str, number: int) -> Request:
        """The request of one answer; its key changes when anything does that could change the reply."""
        messages = messages_for(problem, self.settings.prompt)
        first = self.settings.first_seed
        seed = answer_seed(self.seed, problem_id, self.effort, number) if first is None else first + number
        template_arguments = self.settings.prompt.template_arguments
        return request_of(messages, seed, self.model, self.engine, self.settings.sampling, template_arguments)


def request_of(
    messages: list[Message],
    seed: int,
    model: str,
    engine: VllmEngine | ServerEngine,
    sampling: Sampling,
    template_arguments: dict[str, Any],
) -> Request:
    """A request whose key changes when anything does that could change the reply."""
    asked = {
        "messages": messages,
        "seed": seed,
        "model": model,
        "engine": engine.model_dump(mode="json", exclude={"url", "concurrency", "attempts", "timeout_seconds"}),
        "sampling": sampling.model_dump(),
        "template_arguments": template_arguments,
    }
    return Request(sha256_text(canonical_json(asked)), messages, seed)


def generate(problems: pl.DataFrame, job: Job, journal_path: Path, engine: Callable[[], Engine]) -> pl.DataFrame:
    """All answers to ``problems`` (id, problem) as ANSWERS, in the order of ids and numbers.

    Only what the journal lacks is asked of the engine, which is not even started when it
    lacks nothing. A failed request stays a row with its error, and is tried again by a
    rerun of the job.
    """
    places = [
        (row["id"], number, job.request(row["id"], row["problem"], number))
        for row in problems.sort("id").iter_rows(named=True)
        for number in range(job.settings.answers_per_problem)
    ]
    journal = Journal(journal_path)
    missing = [request for _, _, request in places if not journal.holds(request.key)]
    log.info("%d answers wanted, %d of them in the journal", len(places), len(places) - len(missing))
    if missing:
        fill(journal, missing, job.chunk, engine())
    rows = [_row(job.effort, problem_id, number, request, journal) for problem_id, number, request in places]
    return frame_of(rows, ANSWERS)


def fill(journal: Journal, missing: list[Request], chunk: int, engine: Engine) -> None:
    """Ask the engine for what is missing, with a commit of the journal after every ``chunk`` replies.

    Warned that the job's time is nearly over, it stops after the running chunk and hands the job back.
    """
    unique = list({request.key: request for request in missing}.values())
    started, tokens = time.monotonic(), 0
    for first in range(0, len(unique), chunk):
        part = unique[first : first + chunk]
        replies = engine.generate(part)
        journal.append((request.key, asdict(reply)) for request, reply in zip(part, replies, strict=True))
        tokens += sum(reply.tokens or 0 for reply in replies)
        done, seconds = first + len(part), max(time.monotonic() - started, 1e-9)
        left = (len(unique) - done) * seconds / done
        log.info("%d of %d answers, %.0f tokens/s, about %.0f s left", done, len(unique), tokens / seconds, left)
        if interruption.warned() and done < len(unique):
            interruption.hand_back(f"{done} of {len(unique)} replies are in the journal")


def _row(effort: str, problem_id: str, number: int, request: Request, journal: Journal) -> dict[str, Any]:
    reply = Reply(**journal.entries[request.key])
    row: dict[str, Any] = {
        "answer_id": f"{problem_id}_{number}",
        "problem_id": problem_id,
        "effort": effort,
        "number": number,
        "seed": request.seed,
        "text": reply.text,
        "status": "failed",
        "answer": None,
        "prompt_tokens": reply.prompt_tokens,
        "tokens": reply.tokens,
        "finish_reason": reply.finish_reason,
        "error": reply.error,
    }
    if reply.text is not None:
        transcript = split_reply(reply.text, reply.finish_reason)
        row |= {"status": transcript.status, "answer": final_answer(transcript)}
    return row
