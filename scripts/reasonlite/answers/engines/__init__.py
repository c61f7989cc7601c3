"""Engines answer requests. One seam, two engines: vLLM in this process, or a running server.

Does not know problems, journals or tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from reasonlite.answers.prompts import Message
from reasonlite.config.settings import Sampling, ServerEngine, VllmEngine


@dataclass(frozen=True)
class Request:
    """One answer wanted. ``key`` names it in the journal; ``seed`` is its own, unlike that of any other.

    ``sampling`` takes the place of the engine's; the reply then has tokens and log-probabilities, if the engine can.
    """

    key: str
    messages: list[Message]
    seed: int
    sampling: Sampling | None = None


@dataclass(frozen=True)
class Reply:
    """What came back. ``text`` is None exactly when ``error`` says why.

    ``seed`` is the one that the sampler began with, where that is not the request's own.
    ``lost``: no model has seen the request (the server is away, busy or broken); it costs no try.
    """

    text: str | None
    prompt_tokens: int | None = None
    tokens: int | None = None
    finish_reason: str | None = None
    error: str | None = None
    seed: int | None = None
    lost: bool = False
    ids: list[int] | None = None
    logprobs: list[float] | None = None  # of each token, in nats


class Engine(Protocol):
    def replies(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply]]:
        """Each request with its reply, as they come. Requests are taken when there is room for them."""

    def scores(self, given: Sequence[tuple[Request, list[int]]]) -> list[list[float]] | None:
        """Log-probabilities of tokens after a request's prompt, read at once; None if the engine cannot tell."""

    def close(self) -> None:
        """Give back what the engine holds."""


class Shared:
    """An engine that is started when it is first asked for, and closed once at the end."""

    def __init__(self, start: Callable[[], Engine]) -> None:
        self._start = start
        self._engine: Engine | None = None

    def engine(self) -> Engine:
        if self._engine is None:
            self._engine = self._start()
        return self._engine

    def __enter__(self) -> Shared:
        return self

    def __exit__(self, *_: object) -> None:
        if self._engine is not None:
            self._engine.close()


def open_engine(
    settings: VllmEngine | ServerEngine,
    model: Path | None,
    sampling: Sampling,
    template_arguments: dict[str, Any],
) -> Engine:
    """Start the engine the settings name; ``model`` is the folder for an engine in this process."""
    if isinstance(settings, ServerEngine):
        from reasonlite.answers.engines.server import Server

        return Server(settings, sampling, template_arguments)
    if model is None:
        raise ValueError("the vllm engine needs a model folder")
    from reasonlite.answers.engines.offline import Offline

    return Offline(settings, model, sampling, template_arguments)
