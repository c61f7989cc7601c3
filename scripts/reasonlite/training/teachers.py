"""A teacher behind a server: where it is, and whether it speaks the student's tokens."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from reasonlite.core.errors import UserError

NONE = "none"
ASKED = "What is 17 + 25? It is 42."
START = "VLLM_SERVER_DEV_MODE=1 vllm serve MODEL --logprobs-mode processed_logprobs --max-logprobs -1"
SECONDS = 120


def address(given: str, where: str) -> str:
    """The server's address as TRL takes it, without the /v1 of the interface; a `UserError` where none is given."""
    if given in ("", NONE):
        raise UserError(
            "its teacher is served, and no address is given",
            where=where,
            todo="--set-resources train:teacher_server=http://HOST:8000, or in a profile; start it with: " + START,
        )
    if not given.startswith(("http://", "https://")):
        raise UserError(f"is no address: {given!r}", where="teacher_server", todo="give http://HOST:PORT")
    return given.rstrip("/").removesuffix("/v1")


def check_server(url: str, tokenizer: Any, where: str) -> None:
    """Have a text's tokens read by the server, and compare what it takes them for.

    Raises `UserError` where no server answers, where it gives no probabilities, or where its tokens are others.
    """
    model = _ask(f"{url}/v1/models", None)["data"][0]["id"]
    ids = tokenizer(ASKED, add_special_tokens=False)["input_ids"]
    asked = {"model": model, "prompt": [ids], "max_tokens": 1, "temperature": 1.0, "prompt_logprobs": 1}
    found = _ask(f"{url}/v1/completions", asked)["choices"][0].get("prompt_logprobs")
    if not found or len(found) != len(ids):
        raise UserError("gives no probabilities of a prompt's tokens", where=url, todo=f"start it with: {START}")
    for number, told in zip(ids[1:], found[1:], strict=True):
        said, own = (told.get(str(number)) or {}).get("decoded_token"), tokenizer.decode([number])
        if said != own:
            raise UserError(
                f"the server takes token {number} for {said!r}, the student for {own!r}",
                where=where,
                todo=f"serve the stage's teacher at {url}",
            )


def _ask(url: str, body: dict[str, Any] | None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")[:300]
        raise UserError(f"answers {error.code}: {said}", where=url, todo=f"start it with: {START}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"no server answers there: {error}", where=url, todo=f"start it with: {START}") from None
