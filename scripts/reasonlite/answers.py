"""The final answer of a reply.

Knows where answers stand in a text; does not know whether two answers are equal.
"""

from __future__ import annotations

import re

from reasonlite.transcripts import Transcript

_BOX = re.compile(r"\\(?:boxed|fbox)\s*")
_PHRASE = re.compile(
    r"(?:final\s+answer|correct\s+answer|answer|result)\s*(?:is|=|:)\s*:?\s*(?:equal\s+to\s+)?", re.IGNORECASE
)
_HASHES = re.compile(r"^####\s*(.+?)\s*$", re.MULTILINE)
_SENTENCE_END = re.compile(r"\n|[.!?](?=\s|$)|,?\s+(?:which|because|since|so|as|obtained|when|where)\s")
_SUM = re.compile(r"^[\d\s.+*/×x()-]+(?:=[\d\s.+*/×x()-]+)+$")
LONGEST = 2_000  # characters; a longer "answer" is prose


def final_answer(transcript: Transcript) -> str | None:
    """The final answer of a complete reply, or None: a cut or malformed reply has none.

    The last boxed expression of the final part counts; failing that one in a reply without
    parts marked, ``#### x`` (GSM8K's form), or the words after "the answer is".
    """
    if transcript.status != "complete" or transcript.final is None:
        return None
    return extract(transcript.final)


def extract(text: str) -> str | None:
    """The final answer in a piece of text, stripped; linear in the text's length."""
    found = last_boxed(text)
    if found is None:
        hashes = _HASHES.findall(text)
        found = hashes[-1] if hashes else _after_phrase(text)
    if found is None:
        return None
    found = found.strip()
    return found if 0 < len(found) <= LONGEST else None


def last_boxed(text: str) -> str | None:
    """The content of the last balanced ``\\boxed{…}`` or ``\\fbox{…}``; None if there is none."""
    for match in reversed(list(_BOX.finditer(text))):
        content = _braced(text, match.end())
        if content is not None and content.strip():
            return content
    return None


def _braced(text: str, start: int) -> str | None:
    """The text between the brace at ``start`` and its partner, at most LONGEST characters away."""
    if start >= len(text):
        return None
    if text[start] != "{":  # \boxed 5
        word = re.match(r"[^\s$\\{}]+", text[start : start + LONGEST])
        return word.group().rstrip(".,;") if word else None
    depth, position = 0, start
    limit = min(len(text), start + LONGEST + 2)
    while position < limit:
        character = text[position]
        if character == "\\":
            position += 1  # an escaped brace does not count
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return text[start + 1 : position]
        position += 1
    return None


def _after_phrase(text: str) -> str | None:
    matches = list(_PHRASE.finditer(text))
    if not matches:
        return None
    start = matches[-1].end()
    window = text[start : start + LONGEST]
    end = _SENTENCE_END.search(window)
    found = window[: end.start() if end else len(window)].strip(" *$:`\"'")
    return found.rpartition("=")[2].strip() if _SUM.match(found) else found  # "the answer is 27 + 9 = 36"
