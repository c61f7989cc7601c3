"""Conversations as tokens, by a model's chat template and tokenizer.

Does not know where conversations come from or what is done with their tokens.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

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


def encoder(tokenizer: Any, where: object) -> Callable[..., list[np.ndarray]]:
    """A function that gives the tokens (int32) of conversations; roles that the template does not take are named.

    With ``open_end`` the conversations end where the model is to answer.
    """

    def encode(conversations: list[Messages], *, open_end: bool = False) -> list[np.ndarray]:
        found: list[np.ndarray] = []
        for first in range(0, len(conversations), AT_ONCE):
            part = conversations[first : first + AT_ONCE]
            texts = [_rendered(tokenizer, messages, open_end, where) for messages in part]
            ids = tokenizer(texts, add_special_tokens=False, return_attention_mask=False)["input_ids"]
            found += [np.array(each, np.int32) for each in ids]
        return found

    return encode


def for_template(arguments: dict[str, Any]) -> dict[str, Any]:
    """``template_arguments`` as transformers takes them: a ``current_date`` in place of its clock."""
    if "current_date" not in arguments:
        return arguments
    return {**arguments, "strftime_now": datetime.date.fromisoformat(arguments["current_date"]).strftime}


def _rendered(tokenizer: Any, messages: Messages, open_end: bool, where: object) -> str:
    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=open_end))
    except Exception as error:  # templates are programs of their own and raise what they like
        roles = ", ".join(dict.fromkeys(message["role"] for message in messages))
        raise UserError(
            f"the start model's chat template does not take the roles {roles}: {error}",
            where=where,
            todo="start from another model, or mend its chat_template.jinja",
        ) from None
