"""Known problems put to an engine before the real ones, and now and then between them: is what it says sane?

Kernels can be wrong on one kind of GPU, or on one node, while the engine says that it is well. Does not know which
engine answers, nor what the real problems are.
"""

from __future__ import annotations

import json
import math
import os
import socket
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reasonlite.answers.engines import Engine, Reply, Request
from reasonlite.answers.journal import Journal, put_aside
from reasonlite.answers.prompts import messages_for
from reasonlite.answers.transcripts import final_answer, split_reply
from reasonlite.config.settings import Canary, Prompt, Sampling, ServerEngine, VllmEngine
from reasonlite.core.errors import UserError
from reasonlite.core.logs import get_logger
from reasonlite.judge.equivalence import compare

log = get_logger(__name__)

KEY = "canary"
RECORD = "canary.jsonl"  # in the journal's folder
PROBLEMS = [
    ("What is 7 + 5?", "12"),
    ("What is 9 times 6?", "54"),
    ("What is 100 minus 37?", "63"),
    ("What is one half of 84?", "42"),
    ("If x + 3 = 10, what is x?", "7"),
]
LONG_SHARE = 0.25  # of the engine's length, about, that the long problem fills
REPEATED = 24  # times one token in a row, at the end of a reply
FOREIGN = 0.3  # share of letters of other alphabets than the problems'
GUESSING = -3.0  # mean log-probability of greedy tokens: a model that knows a language is above -1.5
HOME = ("LATIN", "GREEK", "MATHEMATICAL", "MICRO", "SCRIPT", "DOUBLE-STRUCK", "BLACK-LETTER")
SWITCHES = (
    "try one of: VLLM_ROCM_USE_AITER=0 (AMD), another attention backend or enforce_eager in engine.arguments,"
    " dtype: bfloat16, another node (sbatch --exclude); a model that is meant to write like this: canary: null"
)


@dataclass
class Found:
    """What a round of the canary showed. ``drift``: mean distance of log-probabilities, in nats."""

    flaws: list[str] = field(default_factory=list)
    unasked: str | None = None  # why there is no verdict
    accuracy: float = 0.0
    log_probability: float | None = None
    drift: float | None = None
    reference_drift: float | None = None
    replies: list[dict[str, Any]] = field(default_factory=list)


class Round:
    """The canary's questions of one round, until all are answered."""

    def __init__(self, settings: Canary, prompt: Prompt, sampling: Sampling, length: int, seed: int) -> None:
        """``length``: tokens of the engine; ``seed``: of the first real request, with which the engine starts."""
        self._settings = settings
        self._problems = [*PROBLEMS, long_problem(length)]
        most = min(settings.max_tokens, sampling.max_tokens, max(length // 4, 16))
        greedy = Sampling(temperature=0.0, max_tokens=most)
        self.requests = [
            Request(f"{KEY}/{place}", messages_for(problem, prompt), seed, greedy)
            for place, (problem, _) in enumerate(self._problems)
        ]
        self.replies: dict[str, Reply] = {}

    def take(self, request: Request, reply: Reply) -> bool:
        """Note a reply; whether it was the last one."""
        self.replies[request.key] = reply
        return len(self.replies) == len(self.requests)

    def found(self, engine: Engine | None = None) -> Found:
        """The verdict; with the engine its log-probabilities are compared with themselves and with a reference."""
        found = Found()
        failed = [reply.error for reply in self.replies.values() if _is_failure(reply)]
        if 2 * len(failed) >= len(self.requests):  # the server's fault, not the model's; the real requests will tell
            found.unasked = failed[0]
            return found
        flaws: list[str] = []
        right = 0
        for request, (problem, answer) in zip(self.requests, self._problems, strict=True):
            reply = self.replies[request.key]
            said = final_answer(split_reply(reply.text, reply.finish_reason)) if reply.text is not None else None
            correct = said is not None and compare(said, answer).is_equal
            flaw = flaw_of(reply)
            flaws += [f"{problem[:40]!r}: {flaw}"] if flaw else []
            right += correct
            kept = {"problem": problem[:200], "text": reply.text, "flaw": flaw, "correct": correct}
            found.replies.append({**kept, "tokens": reply.ids, "log_probabilities": reply.logprobs})
        found.accuracy = right / len(self.requests)
        if 2 * len(flaws) >= len(self.requests):  # a single odd one happens to any model
            found.flaws += flaws
        if found.accuracy < self._settings.accuracy:
            found.flaws.append(f"{right} of {len(self.requests)} right, and {self._settings.accuracy:.0%} are expected")
        self._weigh(found, engine)
        return found

    def _weigh(self, found: Found, engine: Engine | None) -> None:
        known = [value for reply in self.replies.values() for value in reply.logprobs or []]
        if known:
            found.log_probability = sum(known) / len(known)
            if not found.log_probability >= GUESSING:  # what is not a number is no better
                found.flaws.append(f"it guesses: its own words have a log-probability of {found.log_probability:.1f}")
        if engine is None or not known:
            return
        # the first and the long one: the cache does not help to read them, and each has all of a job's worked examples
        read = [(request, self.replies[request.key]) for request in (self.requests[0], self.requests[-1])]
        found.drift = _drift(engine, read)
        if found.drift is not None and found.drift > self._settings.tolerance:
            found.flaws.append(
                f"what it wrote has other log-probabilities when it is read again, by {found.drift:.2f} on the mean"
            )
        if self._settings.reference is not None:
            trusted = self._reference(self._settings.reference)
            found.reference_drift = _drift(engine, list(zip(self.requests, trusted, strict=True)))
            if found.reference_drift is not None and found.reference_drift > self._settings.tolerance:
                found.flaws.append(
                    f"log-probabilities are {found.reference_drift:.2f} on the mean from {self._settings.reference}"
                )

    def _reference(self, path: Path) -> list[Reply]:
        try:
            replies = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])["replies"]
            found = [Reply(None, ids=each["tokens"], logprobs=each["log_probabilities"]) for each in replies]
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            todo = "name a canary.jsonl of a run that you trust, of the same prompt"
            raise UserError(f"is no canary's record: {error}", where=path, todo=todo) from None
        if len(found) != len(self.requests):
            raise UserError("is the record of other problems", where=path, todo="take one of this version")
        return found


def _drift(engine: Engine, read: Sequence[tuple[Request, Reply]]) -> float | None:
    """Mean distance between the replies' log-probabilities and those of the same tokens, read at once."""
    scores = engine.scores([(request, reply.ids or []) for request, reply in read])
    if scores is None:
        return None
    pairs = [
        pair
        for (_, reply), again in zip(read, scores, strict=True)
        for pair in zip(reply.logprobs or [], again, strict=False)
    ]
    # what is not a number is as far away as can be
    apart = [abs(left - right) if math.isfinite(left - right) else 100.0 for left, right in pairs]
    return sum(apart) / len(apart) if apart else None


def long_problem(length: int) -> tuple[str, str]:
    """A problem whose text fills about LONG_SHARE of ``length`` tokens, and its answer."""
    count = max(int(length * LONG_SHARE) // 4, 4)
    numbers = [(17 * place) % 90 + 10 for place in range(count)]
    listed = ", ".join(map(str, numbers))
    return f"Here is a list of numbers: {listed}. What is the last number of the list?", str(numbers[-1])


def _is_failure(reply: Reply) -> bool:
    """Whether no model has answered: the server is away, or refuses the request or lets it wait too long."""
    return reply.text is None and not (reply.error or "").startswith("empty reply")


def flaw_of(reply: Reply) -> str | None:
    """What is wrong with a reply whatever was asked, or None."""
    if _is_failure(reply):
        return None
    if not (reply.text or "").strip():
        # a server that keeps reasoning to itself has nothing to show when the tokens are used up
        return None if reply.finish_reason == "length" else reply.error or "empty"
    ids = reply.ids or []
    if len(ids) >= REPEATED and len(set(ids[-REPEATED:])) == 1:
        return f"one token over and over: {(reply.text or '')[-20:]!r}"
    text = reply.text or ""
    letters = [letter for letter in text if letter.isalpha()]
    foreign = [letter for letter in letters if not unicodedata.name(letter, "").startswith(HOME)]
    if len(letters) >= 10 and len(foreign) > FOREIGN * len(letters):
        return f"another alphabet: {''.join(foreign[:20])}"
    if text.count("\ufffd") > len(text) / 20:
        return "no text: bytes that are no characters"
    return None


class Watch:
    """The canary of one engine: before its first request, after every so many, and when it has answered all.

    What came in since the last sane round is not trusted until the next one: of every journal that the engine filled.
    """

    def __init__(self, engine: VllmEngine | ServerEngine, prompt: Prompt, sampling: Sampling) -> None:
        self._settings, self._prompt, self._sampling = engine.canary, prompt, sampling
        # a server does not say how long its texts may be
        self._length = engine.max_model_len if isinstance(engine, VllmEngine) else sampling.max_tokens
        self._began = False
        self._since = 0  # real requests after the last round
        self._round: Round | None = None
        self._doubtful: dict[Path, int] = {}  # journals, and their last chunk that is trusted

    def begin(self, engine: Engine, seed: int, journal: Journal) -> None:
        """Ask an engine that is fresh; what it says ends the job unless it is sane."""
        self._doubtful.setdefault(journal.folder, journal.last)
        if self._settings is None or self._began:
            return
        self._ask(engine, seed, journal, fresh=True)
        self._began = True

    def end(self, engine: Engine, seed: int, journal: Journal) -> None:
        """Ask once more after the last real reply."""
        if self._settings is not None and self._began and self._since:
            self._ask(engine, seed, journal, fresh=False)

    def _ask(self, engine: Engine, seed: int, journal: Journal, *, fresh: bool) -> None:
        self._round = self._new(seed)
        for request, reply in engine.replies(self._round.requests):
            self._round.take(request, reply)
        self._settle(self._round.found(engine if fresh else None), journal)

    def between(self, seed: int) -> list[Request]:
        """The questions to be put now, beside the real ones: none, but after every so many."""
        self._since += 1
        if self._settings is None or self._round is not None or self._since < self._settings.every:
            return []
        self._round = self._new(seed)
        return self._round.requests

    def take(self, request: Request, reply: Reply, journal: Journal) -> None:
        """Note a reply to a question of ``between``."""
        assert self._round is not None
        if self._round.take(request, reply):
            self._settle(self._round.found(), journal)

    def _new(self, seed: int) -> Round:
        assert self._settings is not None
        return Round(self._settings, self._prompt, self._sampling, self._length, seed)

    def _settle(self, found: Found, journal: Journal) -> None:
        self._round, self._since = None, 0
        record = journal.folder / RECORD
        _write(found, record)
        said = f"{found.accuracy:.0%} right"
        said += f", log-probability {found.log_probability:.2f}" if found.log_probability is not None else ""
        said += f", {found.drift:.3f} from itself read again" if found.drift is not None else ""
        if found.unasked is not None:
            log.warning("canary: no verdict, because it was not answered: %s", found.unasked)
        elif not found.flaws:
            log.info("canary: sane (%s)", said)
            self._doubtful = {journal.folder: journal.last}
        else:
            for folder, trusted in self._doubtful.items():
                put_aside(folder, trusted)
            raise UserError(
                "the canary's answers are garbage: " + "; ".join(found.flaws) + f" ({said}). The last one: "
                f"{str(found.replies[-1]['text'])[:200]!r}",
                where=record,
                todo=SWITCHES,
            )


def _write(found: Found, record: Path) -> None:
    """Add a line to the run's records."""
    sane = None if found.unasked is not None else not found.flaws
    note: dict[str, Any] = {"at": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "host": socket.gethostname(), "sane": sane}
    note |= {"switches": {name: os.environ[name] for name in sorted(os.environ) if name.startswith("VLLM_")}}
    with record.open("a", encoding="utf-8") as file:
        file.write(json.dumps(note | asdict(found), ensure_ascii=False) + "\n")
