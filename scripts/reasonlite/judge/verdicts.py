"""The verdict on a pair of answers and what decided it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

VerdictName = Literal["equal", "different", "undecided"]
EXACT = frozenset({"text", "number", "value", "words", "structure", "relation", "interval"})
ROUNDED_LABEL = "rounded label"  # equal only because the label is a rounded decimal


@dataclass(frozen=True, slots=True)
class Verdict:
    """``method``: what decided, as in EXACT or rounded, percent, unit, choice, algebra …; or why nothing did.

    Equality by a method in EXACT is transitive; by any other it need not be.
    """

    verdict: VerdictName
    method: str

    @property
    def is_equal(self) -> bool:
        return self.verdict == "equal"


def equal(method: str) -> Verdict:
    return Verdict("equal", method)


def different(method: str) -> Verdict:
    return Verdict("different", method)


def undecided(reason: str) -> Verdict:
    return Verdict("undecided", reason)


def all_equal(verdicts: Iterable[Verdict], method: str) -> Verdict:
    """The verdict on a whole from those on its parts; equal only as exactly as its weakest part."""
    found = list(verdicts)
    for name in ("different", "undecided"):
        if (first := next((verdict for verdict in found if verdict.verdict == name), None)) is not None:
            return different(method) if name == "different" else first
    loose = [verdict.method for verdict in found if verdict.method not in EXACT]
    return equal(ROUNDED_LABEL if ROUNDED_LABEL in loose else loose[0] if loose else method)


def best(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that is nearest to equal, the first of several; at least one has to be given."""
    return min(verdicts, key=lambda verdict: ("equal", "undecided", "different").index(verdict.verdict))


def loosely(verdict: Verdict, method: str) -> Verdict:
    """An equality that holds by ``method`` alone; one by a label's rounding stays named so, as it is counted apart."""
    return equal(method) if verdict.is_equal and verdict.method != ROUNDED_LABEL else verdict
