"""Are two final answers the same? By cost: text, exact numbers, structure, values, computer algebra.

Three verdicts: equal, different, undecided. Does not know problems, labels or votes.

Tolerances. Exact values are compared exactly; irrational ones to 40 digits. A decimal stands
for another value when it is that value correctly rounded and has at least
PLACES_FOR_ROUNDING places, or SIGNIFICANT_FOR_ROUNDING significant digits with two places;
two decimals are equal only when they are the same number. A percentage stands for the number
before the sign and for a hundredth of it; a value with a unit for the value without.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from fractions import Fraction

from reasonlite import algebra, wording
from reasonlite.expressions import Node, Number, Symbol
from reasonlite.grammar import parse
from reasonlite.latex import NotUnderstood, Unknown, clean
from reasonlite.matching import compare_nodes
from reasonlite.verdicts import Verdict, different, equal, undecided

LONGEST = 2_000  # characters; a longer answer is compared as text only
LONGEST_FOR_ALGEBRA = 300
FOR_ALGEBRA = ("relations", "infinity", "no values", "not a number")  # reasons why computer algebra is asked


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer read: its cleaned text and the expressions it may be, the likeliest first."""

    cleaned: str
    nodes: tuple[Node, ...]
    phrase: str | None
    problem: str = ""  # why there are no expressions
    malformed: bool = False  # no program can know what is meant


@functools.lru_cache(maxsize=2**16)
def read(answer: str) -> Reading:
    """Clean and parse an answer of at most LONGEST characters."""
    cleaned = clean(answer)
    phrase = wording.phrase(cleaned)
    if phrase is not None:
        number = wording.number(phrase)
        known = {"none": Symbol("emptyset"), "reals": Symbol("reals")}.get(phrase)
        if number is not None or known is not None:
            return Reading(cleaned, (Number(number) if number is not None else known,), None)  # type: ignore[arg-type]
        if wording.is_prose(phrase):
            return Reading(cleaned, (), phrase, "words", malformed=True)
    try:
        nodes = [parse(cleaned)]
    except NotUnderstood as error:
        return Reading(cleaned, (), phrase, str(error), not isinstance(error, Unknown))
    if match := re.fullmatch(r"([+-]?)(\d+),(\d+)(?: ?\\?%)?", cleaned):  # 2,74 may be a decimal, or two numbers
        nodes.append(Number(Fraction(f"{match[1]}{match[2]}.{match[3]}"), len(match[3])))
    return Reading(cleaned, tuple(nodes), phrase)


def compare(left: str, right: str) -> Verdict:
    """The verdict on two final answers; the order of the two does not matter."""
    if left == right:
        return equal("text")
    if max(len(left), len(right)) > LONGEST:
        return undecided("too long")
    try:
        first, second = sorted((read(left), read(right)), key=lambda reading: reading.cleaned)
        return _compare(first, second)
    except RecursionError:
        return undecided("nested too deeply")


def _compare(first: Reading, second: Reading) -> Verdict:
    if first.cleaned == second.cleaned:
        return equal("text")
    for decide in (_choices, _calendar):
        if (verdict := decide(first.cleaned, second.cleaned)) is not None:
            return verdict
    if first.phrase and second.phrase:
        return _phrases(first.phrase, second.phrase)
    if first.nodes and second.nodes:
        return _expressions(first, second)
    phrases = [reading.phrase for reading in (first, second) if reading.phrase]
    if phrases:
        return undecided("words") if " " in phrases[0] else different("words")
    malformed = next((reading for reading in (first, second) if reading.malformed), None)
    return undecided(f"not understood: {malformed.problem}") if malformed else _algebra(first, second)


def _expressions(first: Reading, second: Reading) -> Verdict:
    verdict = compare_nodes(first.nodes[0], second.nodes[0])
    if verdict.verdict != "equal":
        for left in first.nodes:
            for right in second.nodes:
                if compare_nodes(left, right).verdict == "equal":
                    return equal("decimal comma")
    if verdict.verdict == "undecided" and verdict.method.startswith(FOR_ALGEBRA):
        found = _algebra(first, second)
        return verdict if found.verdict == "undecided" else found
    return verdict


def _choices(first: str, second: str) -> Verdict | None:
    """C, (C), C. and "(C) Cecile" are one choice; a lone letter that is not marked may also be a symbol."""
    left, right = wording.choice(first), wording.choice(second)
    if left is None or right is None or not (left[2] or right[2] or left[1] or right[1]):
        return None
    if left[1] and right[1] and not (left[2] and right[2]):
        return None
    return equal("choice") if left[0] == right[0] else different("choice")


def _calendar(first: str, second: str) -> Verdict | None:
    """Dates and times; a part that is missing on one side is not held against it."""
    if (one := wording.date(first)) and (other := wording.date(second)):
        known = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
        return equal("date") if all(a == b for a, b in known) else different("date")
    times = wording.clock(first), wording.clock(second)
    if times[0] and times[1] and (times[0][1] or times[1][1]):
        apart = abs(times[0][0] - times[1][0])
        said = times[0][1] and times[1][1]
        return equal("time") if apart == 0 or (not said and apart == 12 * 3600) else different("time")
    return None


def _phrases(left: str, right: str) -> Verdict:
    """Single words are equal or different; longer phrases that are not the same are undecided."""
    if left == right:
        return equal("words")
    return undecided("words") if " " in left or " " in right else different("words")


def _algebra(first: Reading, second: Reading) -> Verdict:
    if max(len(first.cleaned), len(second.cleaned)) > LONGEST_FOR_ALGEBRA:
        return undecided("too long for algebra")
    same, method = algebra.equal(first.cleaned, second.cleaned)
    if same is None:
        return undecided(method)
    return equal(method) if same else different(method)
