"""Whether an answer to a problem can be checked at all. Does not know how it is."""

from __future__ import annotations

import re

_PROOF = re.compile(r"\b(?:prove|show|demonstrate|verify|establish)\s+(?:that|the\b|this\b|if\b|,|:)", re.IGNORECASE)
_ASKS = re.compile(r"\?|\b(?:find|determine|compute|calculate|evaluate|what|how many|solve)\b", re.IGNORECASE)
_NO_ANSWER = re.compile(
    r"\W*(?:proof|proved|proven|q\.?\s?e\.?\s?d|n/?a|none given|not applicable|see (?:the )?(?:solution|proof|above)"
    r"|no (?:final )?answer)\W*",
    re.IGNORECASE,
)
LONGEST_ANSWER = 300  # characters; what is longer is a solution


def unusable(problem: str, answer: str | None) -> str | None:
    """Why a problem cannot be learnt from: it asks for a proof, or its answer is none that can be checked."""
    if _PROOF.search(problem) and not _ASKS.search(problem):
        return "proof"
    if answer is not None and (len(answer) > LONGEST_ANSWER or _NO_ANSWER.fullmatch(answer)):
        return "no checkable answer"
    return None
