"""Chat messages put to a model. Does not know which engine sends them."""

from __future__ import annotations

from reasonlite.config.settings import Prompt

Message = dict[str, str]


def messages_for(problem: str, prompt: Prompt) -> list[Message]:
    """System message, worked examples, then the problem with the instruction on the next line."""
    messages: list[Message] = []
    if prompt.system is not None:
        messages.append({"role": "system", "content": prompt.system})
    for example in prompt.examples:
        messages.append({"role": "user", "content": _question(example.problem, prompt)})
        messages.append({"role": "assistant", "content": example.answer})
    messages.append({"role": "user", "content": _question(problem, prompt)})
    return messages


def _question(problem: str, prompt: Prompt) -> str:
    return f"{problem}\n{prompt.instruction}" if prompt.instruction else problem
