"""Any running server that speaks OpenAI's chat completions, given by URL."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reasonlite.answers.engines import Reply, Request
from reasonlite.answers.sampling import NEUTRAL, parameters
from reasonlite.config.settings import Sampling, ServerEngine
from reasonlite.core.errors import UserError

# what every OpenAI-compatible server takes
STANDARD = {"temperature", "top_p", "max_tokens", "presence_penalty", "frequency_penalty", "stop", "logit_bias"}


class Server:
    """Bounded requests at once, each sent again with growing pauses while the server is away or busy."""

    def __init__(self, settings: ServerEngine, sampling: Sampling, template_arguments: dict[str, Any]) -> None:
        self._settings = settings
        self._sampling = sampling
        self._template_arguments = template_arguments
        if "current_date" in template_arguments:
            raise UserError(
                "a server writes its own date into prompts",
                where="template_arguments.current_date",
                todo="leave it out, or take an engine of kind vllm",
            )
        self._key = "none"
        if settings.api_key_variable:
            self._key = os.environ.get(settings.api_key_variable, "")
            if not self._key:
                raise UserError(
                    f"the environment variable {settings.api_key_variable} is not set",
                    where="engine.api_key_variable",
                    todo="export it before the run",
                )
        self._check()

    def _check(self) -> None:
        """Ask the server for its models once, so that a wrong address stops before any request."""
        import httpx

        url = f"{self._settings.url.rstrip('/')}/models"
        try:
            response = httpx.get(url, headers={"Authorization": f"Bearer {self._key}"}, timeout=30)
            response.raise_for_status()
            models = response.json()["data"]
            names = [entry["id"] for entry in models]
        except httpx.HTTPError as error:
            raise UserError(
                f"the server does not answer: {error}", where=url, todo="start it, or correct engine.url"
            ) from None
        except (ValueError, KeyError, TypeError):
            raise UserError(
                "the reply is not an OpenAI-compatible list of models",
                where=url,
                todo="check that engine.url ends in /v1",
            ) from None
        if self._settings.model not in names:
            raise UserError(
                f"the server has no model {self._settings.model!r}; it has {', '.join(names)}",
                where=url,
                todo="correct engine.model",
            )
        # vLLM's server fills what a request does not say from the model's generation config
        self._fills = any(entry.get("owned_by") == "vllm" for entry in models)

    def replies(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply]]:
        from openai import AsyncOpenAI

        # the client's own retries cover refused connections, 408, 409, 429 and 5xx, with back-off
        client = AsyncOpenAI(
            base_url=self._settings.url,
            api_key=self._key,
            max_retries=self._settings.attempts - 1,
            timeout=self._settings.timeout_seconds,
        )
        waiting = iter(requests)
        running: dict[asyncio.Task[Reply], Request] = {}
        with asyncio.Runner() as runner:
            try:
                while True:
                    for request in itertools.islice(waiting, self._settings.concurrency - len(running)):
                        running[runner.get_loop().create_task(self._one(client, request))] = request
                    if not running:
                        return
                    ended, _ = runner.run(asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED))
                    for task in ended:
                        yield running.pop(task), task.result()
            finally:
                runner.run(client.close())

    async def _one(self, client: Any, request: Request) -> Reply:
        """One reply. What the server could not take is lost; what it answered, however badly, is a reply."""
        import openai

        told = parameters(request.sampling or self._sampling)
        extra = {name: told.pop(name) for name in [*told] if name not in STANDARD}
        if not self._fills:  # others refuse parameters that they do not know
            extra = {name: value for name, value in extra.items() if NEUTRAL.get(name) != value}
        if self._template_arguments:
            extra["chat_template_kwargs"] = self._template_arguments
        try:
            completion = await client.chat.completions.create(
                model=self._settings.model,
                messages=request.messages,
                seed=request.seed,
                extra_body=extra or None,
                **told,
            )
        except openai.APITimeoutError as failure:
            return Reply(None, error=f"{type(failure).__name__}: {failure}")
        except (
            openai.APIConnectionError,
            openai.InternalServerError,
            openai.RateLimitError,
            openai.AuthenticationError,
            openai.PermissionDeniedError,
            openai.NotFoundError,
        ) as failure:
            return Reply(None, error=f"{type(failure).__name__}: {failure}", lost=True)
        except openai.OpenAIError as failure:
            return Reply(None, error=f"{type(failure).__name__}: {failure}")
        except ValueError as failure:  # a body that is not JSON
            return Reply(None, error=f"malformed reply: {failure}")
        return _reply(completion)

    def scores(self, given: Sequence[tuple[Request, list[int]]]) -> list[list[float]] | None:
        """Chat completions say nothing of tokens that others wrote."""
        return None

    def close(self) -> None:
        """Nothing is held between calls; the server is not ours to stop."""


def _reply(completion: Any) -> Reply:
    """The reply's text; reasoning that the server has split off is put back between think tags."""
    choices = getattr(completion, "choices", None) or []
    message = getattr(choices[0], "message", None) if choices else None
    if message is None:
        return Reply(None, error="malformed reply: no message in it")
    finish = choices[0].finish_reason
    reasoning = getattr(message, "reasoning", None) or getattr(message, "reasoning_content", None)
    content = message.content or ""
    if not content.strip() and finish != "length":
        return Reply(None, error=f"empty reply with finish_reason {finish}")
    text = f"<think>\n{reasoning}\n</think>{content}" if reasoning else content
    usage = completion.usage
    return Reply(
        text=text,
        prompt_tokens=usage.prompt_tokens if usage else None,
        tokens=usage.completion_tokens if usage else None,
        finish_reason=finish,
    )
