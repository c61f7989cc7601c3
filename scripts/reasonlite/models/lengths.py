"""Tokens of conversations, as a model's chat template and tokenizer make them.

Does not know where conversations come from or what is done with their lengths.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reasonlite.core.errors import UserError

Messages = list[dict[str, str]]
AT_ONCE = 64  # conversations that are encoded together: long ones take some 100 bytes a token meanwhile


def open_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model folder, refused when it has no chat template."""
    from transformers import AutoTokenizer

    from reasonlite.models.folders import check_model_folder

    check_model_folder(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.chat_template is None:
        raise UserError(
            "its tokenizer has no chat template", where=folder, todo="start from an instruction-tuned model"
        )
    return tokenizer


def counter(tokenizer: Any, where: object) -> Callable[[list[Messages]], list[int]]:
    """A function that gives the tokens of conversations; roles that the template does not take are named."""

    def count(conversations: list[Messages]) -> list[int]:
        found: list[int] = []
        for first in range(0, len(conversations), AT_ONCE):
            texts = [_rendered(tokenizer, messages, where) for messages in conversations[first : first + AT_ONCE]]
            encoded = tokenizer.backend_tokenizer.encode_batch_fast(texts, add_special_tokens=False)
            found += [len(each) for each in encoded]
        return found

    return count


def _rendered(tokenizer: Any, messages: Messages, where: object) -> str:
    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False))
    except Exception as error:  # templates are programs of their own and raise what they like
        roles = ", ".join(dict.fromkeys(message["role"] for message in messages))
        raise UserError(
            f"the start model's chat template does not take the roles {roles}: {error}",
            where=where,
            todo="start from another model, or mend its chat_template.jinja",
        ) from None
