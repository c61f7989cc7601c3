"""Answers to problems: requests, the journal, and the table that is its projection.

Does not know which engine answers, nor whether an answer is right.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite.answers import canary
from reasonlite.answers.engines import Engine, Reply, Request
from reasonlite.answers.journal import CHUNK_ROWS, Journal
from reasonlite.answers.prompts import Message, messages_for
from reasonlite.answers.sampling import parameters
from reasonlite.answers.transcripts import final_answer, split_reply
from reasonlite.cluster import interruption
from reasonlite.config.settings import Effort, RecordedEngine, Sampling, ServerEngine, VllmEngine
from reasonlite.core.errors import UserError
from reasonlite.core.files import canonical_json, sha256_text
from reasonlite.core.logs import get_logger
from reasonlite.core.machine import version_of
from reasonlite.core.pace import Pace
from reasonlite.core.schemas import ANSWERS, JOURNAL, RECORDED
from reasonlite.core.seeding import answer_seed, place_of, retry_seed
from reasonlite.core.tables import (
    TableWriter,
    about_table,
    frame_of,
    read_table,
    read_tables,
    stream_table,
    write_table,
)

log = get_logger(__name__)

COMMIT_SECONDS = 120  # a killed job loses at most the replies of so long, and those under way
LOST_ENOUGH = 16  # requests lost in a row: the server is away
NOTHING_OF = 16  # answers wanted from which on it is the engine's fault that none of them came
# what says how fast an engine is or where it runs, and not what it answers
SPEED = {"url", "concurrency", "attempts", "timeout_seconds", "max_num_seqs", "tensor_parallel_size", "canary"}
UNTOLD = {"url", "concurrency", "attempts", "timeout_seconds", "api_key_variable", "canary", "keyed"}  # in `drawn`


@dataclass(frozen=True)
class Job:
    """What one generation job asks for. ``model`` is a fingerprint, not a path."""

    effort: str
    settings: Effort
    engine: VllmEngine | ServerEngine | RecordedEngine
    model: str
    seed: int
    commit: int
    part: tuple[int, int] = (0, 1)  # this job's place among those that share the answers, and how many they are

    def request(self, problem_id: str, problem: str, number: int) -> Request:
        """The request of one answer; its key changes when anything does that could change the reply."""
        messages = messages_for(problem, self.settings.prompt)
        first = self.settings.first_seed
        seed = answer_seed(self.seed, problem_id, self.effort, number) if first is None else first + number
        template_arguments = self.settings.prompt.template_arguments
        return request_of(messages, seed, self.model, self.engine, self.settings.sampling, template_arguments)


def asked(problems: pl.DataFrame, settings: Effort) -> pl.DataFrame:
    """The problems (with their id) that an effort is asked to answer: all, or those in its part of all places."""
    low, high = settings.problems
    if (low, high) == (0.0, 1.0):
        return problems
    places = [place_of(name) for name in problems["id"]]
    return problems.filter(pl.Series(places, dtype=pl.Float64).is_between(low, high, closed="left"))


def request_of(
    messages: list[Message],
    seed: int,
    model: str,
    engine: VllmEngine | ServerEngine | RecordedEngine,
    sampling: Sampling,
    template_arguments: dict[str, Any],
) -> Request:
    """A request whose key changes when anything does that could change the reply."""
    asked = {
        "messages": messages,
        "seed": seed,
        "model": model,
        "engine": engine.model_dump(mode="json", exclude=SPEED - set(getattr(engine, "keyed", []))),
        "sampling": sampling.model_dump(),
        "template_arguments": template_arguments,
    }
    return Request(sha256_text(canonical_json(asked)), messages, seed)


def drawn(job: Job) -> dict[str, Any]:
    """How a job's answers are drawn, in full, as their table's metadata says it."""
    return {
        "model": job.model,
        "engine": job.engine.model_dump(mode="json", exclude=UNTOLD, exclude_none=True),
        "sampling": parameters(job.settings.sampling),
        "prompt": job.settings.prompt.model_dump(mode="json", exclude_none=True),
        "seed": job.seed,
        "first_seed": job.settings.first_seed,
        "vllm": version_of("vllm") if isinstance(job.engine, VllmEngine) else None,
    }


def generate(
    problems: pl.DataFrame,
    job: Job,
    journal_folder: Path,
    engine: Callable[[], Engine],
    output: Path,
    watch: canary.Watch | None = None,
) -> dict[str, int]:
    """Write all answers to ``problems`` (id, problem) as ANSWERS, in the order of ids and numbers; counts by status.

    Only what the journal lacks is asked of the engine, which is not even started when it lacks nothing.
    A request that failed as often as ``job.settings.attempts`` says is a row with its error. The table is the
    journal's projection: the same whatever the order in which replies came. Where every single one failed
    there is no table but an error.
    """
    with Journal(journal_folder) as journal:
        places = list(_places(problems, job))
        missing = [request for _, _, request in places if wanted(journal, request.key, job.settings.attempts)]
        log.info("%d answers wanted, %d of them in the journal", len(places), len(places) - len(missing))
        if missing:
            fill(journal, missing, engine(), attempts=job.settings.attempts, commit=job.commit, watch=watch)
        counts = Counter[str]()
        keys = [request.key for _, _, request in places]
        numbered = iter(places)
        with TableWriter(output, ANSWERS, drawn(job)) as table:
            for block in journal.read(keys):
                rows = [answer_row(job.effort, *next(numbered)[:2], entry) for entry in block.iter_rows(named=True)]
                counts.update(row["status"] for row in rows)
                table.write(frame_of(rows, ANSWERS))
            if counts["failed"] == counts.total() >= NOTHING_OF:
                raise UserError(
                    f"all {counts.total()} requests failed; the last one: {rows[-1]['error']}",
                    where=journal_folder,
                    todo="mend the engine or its settings; raise attempts to ask for the same requests again",
                )
        journal.compact()
    return dict(counts)


def gather(parts: Sequence[Path], output: Path) -> int:
    """Put the answers (ANSWERS) that several jobs drew into one table, as one job would have written it; its rows."""
    table = read_tables(list(parts), ANSWERS).sort("problem_id", "number")
    twice = table.filter(table.select("problem_id", "number").is_duplicated())
    if twice.height:
        todo = "delete the parts' folder and run again"
        raise UserError(f"{twice['answer_id'][0]} stands in two parts", where=parts[0].parent, todo=todo)
    write_table(output, table, ANSWERS, about_table(parts[0]))
    return table.height


def replay(problems: pl.DataFrame, job: Job, recorded: Path, output: Path) -> dict[str, int]:
    """Write answers that were drawn elsewhere (RECORDED) as ANSWERS; an answer that is not there is a failed one.

    ReasonLite's seeds are the answers' numbers.
    """
    listed = list(read_table(recorded, RECORDED, ["problem_id", "number"]).iter_rows())
    if listed != sorted(listed):  # texts are read once, piece by piece, so they cannot be looked for
        todo = "sort the table by problem_id and number, as scripts/exchange.py does"
        raise UserError("is not in the order of problems and numbers", where=recorded, todo=todo)
    found = set(listed)
    numbers = range(job.settings.answers_per_problem)
    wanted_keys = [(problem_id, number) for problem_id in problems["id"].sort() for number in numbers]
    if wanted_keys and not found & set(wanted_keys):
        raise UserError(
            "holds no answer to these problems",
            where=recorded,
            todo="take the answers in with --shards as in problems.shards, and their info.jsonl as the source",
        )
    counts = Counter[str]()
    entries = _entries(recorded, found, wanted_keys)
    with TableWriter(output, ANSWERS) as table:
        while rows := [answer_row(job.effort, *key, entry) for key, entry in itertools.islice(entries, CHUNK_ROWS)]:
            counts.update(row["status"] for row in rows)
            table.write(frame_of(rows, ANSWERS))
    return dict(counts)


def _entries(
    recorded: Path, found: set[tuple[str, int]], wanted_keys: list[tuple[str, int]]
) -> Iterator[tuple[tuple[str, int], dict[str, Any]]]:
    """Recorded answers as a journal has them; both sides are in the order of problems and numbers."""
    rows = itertools.chain.from_iterable(
        piece.iter_rows() for piece in stream_table(recorded, RECORDED, ["problem_id", "number", "text"], 512)
    )
    empty = dict.fromkeys(JOURNAL.names())
    for key in wanted_keys:
        text = next(text for *place, text in rows if tuple(place) == key) if key in found else None
        lacking = "recorded as failed" if key in found else "not among the recorded answers"
        yield key, {**empty, "text": text, "error": None if text is not None else lacking, "seed": key[1]}


def _places(problems: pl.DataFrame, job: Job) -> Iterator[tuple[str, int, Request]]:
    for problem_id, problem in problems.sort("id").select("id", "problem").iter_rows():
        for number in range(job.part[0], job.settings.answers_per_problem, job.part[1]):
            yield problem_id, number, job.request(problem_id, problem, number)


def wanted(journal: Journal, key: str, attempts: int) -> bool:
    """Whether a request is still to be made: never tried, or failed fewer times than it may."""
    place = journal.places.get(key)
    return place is None or (place.failed and place.tries < attempts)


def fill(
    journal: Journal,
    missing: list[Request],
    engine: Engine,
    *,
    attempts: int,
    commit: int,
    watch: canary.Watch | None = None,
) -> None:
    """Ask the engine for what is missing; a reply is on disk after at most ``commit`` others or COMMIT_SECONDS.

    A failed request is made again, with another seed, up to ``attempts`` times over all runs. Warned that
    the job's time is nearly over, it takes no new requests, waits for those under way and hands the job
    back. A server that is away ends it, with what came in kept. Garbage of the canary (``watch``) ends it, and what
    came in since the last sane round is put aside.
    """
    if watch is not None:
        watch.begin(engine, missing[0].seed, journal)
    run = _Run(journal, commit, attempts, missing, watch)
    while run.waiting:
        before = run.done
        for request, reply in engine.replies(run.feed()):
            run.take(request, reply)
        run.commit()
        if run.lost >= LOST_ENOUGH or (run.lost and run.done == before):
            raise UserError(
                f"{run.done} requests were answered, then {run.lost} in a row were lost: {run.error}",
                where="engine",
                todo="read the server's log; what was answered is kept, so just run again",
            )
        if watch is not None and (interruption.warned() or not run.waiting):
            watch.end(engine, missing[0].seed, journal)
        if interruption.warned() and run.waiting:
            interruption.hand_back(f"{run.done} of {run.total} replies are in the journal")


class _Run:
    """Requests on their way: waiting, taken by the engine, answered and not yet on disk."""

    def __init__(
        self,
        journal: Journal,
        commit: int,
        attempts: int,
        missing: list[Request],
        watch: canary.Watch | None,
    ) -> None:
        self._watch = watch
        self._journal, self._size, self._attempts = journal, commit, attempts
        self._requests = {request.key: request for request in missing}
        self.waiting = deque(self._requests.values())
        self.total, self.done = len(self.waiting), 0
        self.lost, self.error = 0, ""  # in a row, and what became of the last one
        self._tokens, self._pending = 0, list[dict[str, Any]]()
        self._started = self._committed = time.monotonic()
        self._pace = Pace("answers")
        self._tell(now=True)

    def feed(self) -> Iterator[Request]:
        """What waits now, each with the seed of its next try; nothing more when the job's time is nearly over."""
        for _ in range(len(self.waiting)):
            if interruption.warned() or self.lost >= LOST_ENOUGH:
                return
            request = self.waiting.popleft()
            tries = self._tries(request)
            yield replace(request, seed=retry_seed(request.seed, tries)) if tries else request
            if self._watch is not None:
                yield from self._watch.between(request.seed)

    def take(self, request: Request, reply: Reply) -> None:
        """Note a reply; a failed request that may be made again waits for the next round."""
        if self._watch is not None and request.key.startswith(f"{canary.KEY}/"):
            self._watch.take(request, reply, self._journal)
            return
        if reply.lost:
            self.lost, self.error = self.lost + 1, reply.error or ""
            self.waiting.append(self._requests[request.key])
            return
        self.lost = 0
        tries = self._tries(request) + 1
        known = {name: getattr(reply, name) for name in JOURNAL if hasattr(reply, name)}
        seed = request.seed if reply.seed is None else reply.seed
        self._pending.append({**known, "key": request.key, "seed": seed, "tries": tries})
        self._tokens += reply.tokens or 0
        if reply.text is None and tries < self._attempts:
            self.waiting.append(self._requests[request.key])
        else:
            self.done += 1
        if len(self._pending) >= self._size or time.monotonic() > self._committed + COMMIT_SECONDS:
            self.commit()
        self._tell()

    def _tries(self, request: Request) -> int:
        place = self._journal.places.get(request.key)
        return place.tries if place else 0

    def commit(self) -> None:
        """Put what was answered on disk."""
        if not self._pending:
            return
        self._journal.append(self._pending)
        self._pending, self._committed = [], time.monotonic()
        self._tell(now=True)

    def _tell(self, *, now: bool = False) -> None:
        speed = self._tokens / max(time.monotonic() - self._started, 1e-9)
        self._pace.tell(self.done, self.total, f"{speed:.0f} tokens/s" if self._tokens else "", now=now)


def answer_row(effort: str, problem_id: str, number: int, entry: dict[str, Any]) -> dict[str, Any]:
    """A row of ANSWERS from a row of JOURNAL."""
    row: dict[str, Any] = {
        "answer_id": f"{problem_id}_{number}",
        "problem_id": problem_id,
        "effort": effort,
        "number": number,
        "status": "failed",
        "answer": None,
        **{name: entry[name] for name in ANSWERS if name in entry},
    }
    if row["text"] is not None:
        transcript = split_reply(row["text"], row["finish_reason"])
        row |= {"status": transcript.status, "answer": final_answer(transcript)}
    return row
