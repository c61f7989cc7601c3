"""One answer read: cleaned, parsed, and looked at as a choice, a date, a time or words.

Each distinct answer is read once and kept; does not compare anything.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from fractions import Fraction

from reasonlite.judge import wording
from reasonlite.judge.expressions import Apply, Node, Number, Symbol
from reasonlite.judge.grammar import parse
from reasonlite.judge.latex import NotUnderstood, Unknown, clean

_NAMED_SETS = {"none": Symbol("emptyset"), "reals": Symbol("reals")}
_ASIDE = re.compile(r"(?:\\text\w* *\{ *)?(?:yes|no) *[,.:;] *(?:\} *[,.:;]? *)?(?=[^\s}])", re.IGNORECASE)
_PLAIN = re.compile(r"(-?)(?:\\?\$)?(0|[1-9]\d{0,29}|[1-9]\d{0,2}(?:,\d{3})+)(\.\d{1,20})?", re.ASCII)

_RATE = re.compile(
    r"([+-]?(?:\\?\$)? ?\d[\d.,]*) ?(?:per (?=[a-z]{2})|/ ?(?=(?:second|minute|hour|day|week|month|year|person)s?\b))"
    r"([a-z]+(?: [a-z]+)?)"
)
_ORDINAL = re.compile(r"(\d+) ?(?:st|nd|rd|th)")


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer read: its cleaned text and the expressions it may be, the likeliest first."""

    cleaned: str
    nodes: tuple[Node, ...] = ()
    phrase: str | None = None  # the answer as words, if it is nothing else
    choice: tuple[str, str, bool] | None = None  # as in wording.choice
    choices: frozenset[str] = frozenset()  # several, or a lone letter that may be one
    truth: tuple[bool, bool] | None = None  # yes or no, and whether a word says it
    aside: bool = False  # whether a yes or no stands before the expression
    date: tuple[int, int | None, int | None] | None = None
    clock: tuple[int, str] | None = None
    problem: str = ""  # why there are no expressions
    malformed: bool = False  # no program can know what is meant


@functools.lru_cache(maxsize=2**16)
def read(answer: str) -> Reading:
    """Clean and parse an answer of at most LONGEST characters."""
    if (plain := plain_number(answer)) is not None:
        value = Number(abs(Fraction(plain)), len(plain.partition(".")[2]) or None)
        return Reading(plain, (Apply("neg", (value,)) if plain.startswith("-") else value,))
    cleaned = clean(answer)
    plain_text = wording.plain(cleaned)
    found = Reading(
        cleaned,
        phrase=wording.phrase(plain_text),
        choice=wording.choice(cleaned),
        choices=wording.choices(cleaned),
        truth=wording.truth(plain_text),
        date=wording.date(plain_text),
        clock=wording.clock(plain_text),
    )
    if found.phrase is not None:
        number = wording.number(found.phrase)
        known = Number(number) if number is not None else _NAMED_SETS.get(found.phrase)
        if known is not None:
            return replace(found, nodes=(known,), phrase=None)
        if wording.is_prose(found.phrase):
            return replace(found, problem="words", malformed=True)
    return _parsed(found)


def _parsed(found: Reading) -> Reading:
    if match := _ASIDE.match(found.cleaned):
        behind = _parsed(replace(found, cleaned=found.cleaned[match.end() :]))
        return replace(behind, cleaned=found.cleaned, aside=True)
    try:
        nodes = [parse(_counted(found.cleaned))]
    except NotUnderstood as error:
        return replace(found, problem=str(error), malformed=not isinstance(error, Unknown))
    # 2,74 may be a decimal, or two numbers
    if match := re.fullmatch(r"([+-]?)(\d+),(\d+)(?: ?\\?%)?", found.cleaned):
        nodes.append(Number(Fraction(f"{match[1]}{match[2]}.{match[3]}"), len(match[3])))
    return replace(found, nodes=tuple(nodes))


def _counted(cleaned: str) -> str:
    """A number with the unit that is behind its words: 2 per hour is 2 units per hour, 6th is 6 in a row."""
    if match := _RATE.fullmatch(cleaned):
        return f"{match[1]} units per {match[2]}"
    match = _ORDINAL.fullmatch(cleaned)
    return f"{match[1]} ordinals" if match else cleaned


def plain_number(answer: str) -> str | None:
    """The digits of an answer that is nothing but a number, so that it needs no parsing; None for any other."""
    match = _PLAIN.fullmatch(answer)
    return match[1] + match[2].replace(",", "") + (match[3] or "") if match else None
