"""The final answer of a reply.

Knows where answers stand in a text; does not know whether two answers are equal.
"""

from __future__ import annotations

import re

from reasonlite.transcripts import Transcript

_BRACES = re.compile(r"\\(?:boxed|fbox)\s*(?:\{|(?P<bare>[^\s$\\{}]+))|\\.|[{}]", re.DOTALL)
_PHRASE = re.compile(
    r"(?:final\s+answer|correct\s+answer|answer|result)\s*(?:is|=|:)\s*:?\s*(?:equal\s+to\s+)?", re.IGNORECASE
)
_HASHES = re.compile(r"^####\s*(.+?)\s*$", re.MULTILINE)
_SENTENCE_END = re.compile(r"\n|[.!?](?=\s|$)|,?\s+(?:which|because|since|so|as|obtained|when|where)\s")
_SUM = re.compile(r"^[\d\s.+*/×x()-]+(?:=[\d\s.+*/×x()-]+)+$")
LONGEST = 2_000  # characters; a longer "answer" is prose


def final_answer(transcript: Transcript) -> str | None:
    """The final answer of a complete reply, or None: a cut or malformed reply has none.

    The last boxed expression of the final part counts; failing that, ``#### x`` (GSM8K's
    form), or the words after "the answer is".
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
    """The content of the last balanced ``\\boxed{…}`` or ``\\fbox{…}``; None if there is none.

    One pass with a stack of open braces; escaped braces do not count, and neither do boxes
    that are empty, never closed, or longer than LONGEST.
    """
    open_braces: list[int | None] = []  # start of the content of a box, or None for another brace
    best_start, best = -1, None
    for match in _BRACES.finditer(text):
        token = match.group()
        if token == "}":
            start = open_braces.pop() if open_braces else None
            content = text[start : match.start()] if start is not None else ""
        elif token.endswith("{") and len(token) != 2:
            open_braces.append(match.end() if len(token) > 1 else None)
            continue
        elif match["bare"]:
            start, content = match.start(), match["bare"].rstrip(".,;")
        else:
            continue  # an escaped character
        if start is not None and start > best_start and content.strip() and len(content) <= LONGEST:
            best_start, best = start, content
    return best


def _after_phrase(text: str) -> str | None:
    matches = list(_PHRASE.finditer(text))
    if not matches:
        return None
    start = matches[-1].end()
    window = text[start : start + LONGEST]
    end = _SENTENCE_END.search(window)
    found = window[: end.start() if end else len(window)].strip(" *$:`\"'")
    return found.rpartition("=")[2].strip() if _SUM.match(found) else found  # "the answer is 27 + 9 = 36"
