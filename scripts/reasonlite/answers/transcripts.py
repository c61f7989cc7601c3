"""Parts of a reply: the reasoning and the final part, whichever way the model marks them.

Three ways are known, told apart by their marks: Harmony channels (gpt-oss), think tags
(Qwen3, DeepSeek-R1), and plain text, where the final part is the sentence with the last
boxed answer. What the answer is, the judge says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from reasonlite.judge.extraction import extract

Status = Literal["complete", "cut", "malformed"]

# Harmony: <|start|>role<|channel|>name [<|constrain|>type]<|message|>text<|end|> or <|return|> or <|call|>
_HARMONY_MESSAGE = re.compile(
    r"(?:<\|start\|>(?P<role>[^<]*))?<\|channel\|>(?P<channel>[a-z]+)(?P<header>[^<]*(?:<\|constrain\|>[^<]*)?)"
    r"<\|message\|>"
)
_HARMONY_ENDS = ("<|end|>", "<|return|>", "<|call|>")
_SPACES = re.compile(r"\s*")


@dataclass(frozen=True)
class Transcript:
    """A reply in parts. ``reasoning`` or ``final`` is None where the reply has no such part."""

    reasoning: str | None
    final: str | None
    status: Status


def split_reply(text: str, finish_reason: str | None) -> Transcript:
    """Split a reply; ``finish_reason`` "length" marks one that ran out of tokens."""
    if "<|channel|>" in text:
        return _split_harmony(text, finish_reason)
    if "think>" in text and ("</think>" in text or text.lstrip().startswith("<think>")):
        return _split_think(text, finish_reason)
    if finish_reason == "length":
        return Transcript(text, None, "cut")
    return _split_plain(text)


def _split_harmony(text: str, finish_reason: str | None) -> Transcript:
    """Exactly one analysis part followed by one final part is complete; anything else is not."""
    parts: list[tuple[str, str, bool]] = []  # channel, text, ended
    position = 0
    while match := _HARMONY_MESSAGE.match(text, _SPACES.match(text, position).end()):  # type: ignore[union-attr]
        ends = [(place, mark) for mark in _HARMONY_ENDS if (place := text.find(mark, match.end())) >= 0]
        end, mark = min(ends, default=(len(text), ""))
        if _holds_message(text, match.end(), end):
            return Transcript(None, None, "malformed")
        parts.append((match["channel"], text[match.end() : end], bool(mark)))
        position = end + len(mark)
    if text[position:].strip():
        return Transcript(None, None, "malformed")
    analysis = parts[0][1].strip() if parts and parts[0][0] == "analysis" else None
    cut = finish_reason == "length"  # engines drop the closing <|return|>, so its absence alone says nothing
    if [part[0] for part in parts] == ["analysis", "final"]:
        if cut:
            return Transcript(analysis, None, "cut")
        return Transcript(analysis, parts[1][1].strip(), "complete")
    return Transcript(analysis, None, "cut" if cut else "malformed")


def _holds_message(text: str, start: int, end: int) -> bool:
    """Whether another message begins in a part of the text. Looked for by its mark: a regex is slow on long texts."""
    place = text.find("<|channel|>", start, end)
    while place >= 0:
        if _HARMONY_MESSAGE.match(text, place):
            return True
        place = text.find("<|channel|>", place + 1, end)
    return False


def _split_think(text: str, finish_reason: str | None) -> Transcript:
    """Text up to the last ``</think>`` is reasoning; some templates put ``<think>`` into the prompt."""
    before, closed, after = text.rpartition("</think>")
    reasoning = (before if closed else after).strip().removeprefix("<think>").strip()
    if not closed:
        return Transcript(reasoning, None, "cut" if finish_reason == "length" else "malformed")
    if finish_reason == "length":
        return Transcript(reasoning, None, "cut")
    return Transcript(reasoning, after.strip(), "complete")


def _split_plain(text: str) -> Transcript:
    """The final part starts with the sentence or line that holds the last boxed answer."""
    boxed = max(text.rfind("\\boxed"), text.rfind("\\fbox"))
    if boxed < 0:
        return Transcript(None, text.strip(), "complete")
    sentence = max(text.rfind(mark, 0, boxed) for mark in (". ", "! ", "? "))
    start = max(text.rfind("\n", 0, boxed) + 1, sentence + 2 if sentence >= 0 else 0)
    reasoning = text[:start].strip()
    return Transcript(reasoning or None, text[start:].strip(), "complete")


def final_answer(transcript: Transcript) -> str | None:
    """The final answer of a complete reply, or None: a cut or malformed reply has none."""
    if transcript.status != "complete" or transcript.final is None:
        return None
    return extract(transcript.final)


def training_text(transcript: Transcript) -> str | None:
    """The assistant turn of a training example, in ReasonLite's form; None if a part is missing.

    Form: ``<think>\\n{reasoning}\\n</think>{final}`` (facts: ReasonLite, README, filter step).
    """
    if transcript.status != "complete" or not transcript.reasoning or not transcript.final:
        return None
    return f"<think>\n{transcript.reasoning}\n</think>{transcript.final}"
