"""Are two final answers the same? By cost: text, exact numbers, structure, values, computer algebra.

Three verdicts: equal, different, undecided. Does not know problems, labels or votes.

Tolerances. Exact values are compared exactly; irrational ones to 40 digits. A decimal stands
for another value when it is that value correctly rounded and has at least
PLACES_FOR_ROUNDING places, or SIGNIFICANT_FOR_ROUNDING significant digits with two places;
two decimals are equal only when they are the same number. A percentage stands for the number
before the sign and for a hundredth of it; a value with a unit for the value without.
"""

from __future__ import annotations

import re
from dataclasses import replace

from reasonlite.judge import algebra
from reasonlite.judge.expansion import has_loose_signs
from reasonlite.judge.expressions import of_label
from reasonlite.judge.matching import compare_nodes
from reasonlite.judge.numerics import mentions
from reasonlite.judge.reading import Reading, read
from reasonlite.judge.renaming import families, otherwise_named
from reasonlite.judge.verdicts import Verdict, different, equal, loosely, undecided

LONGEST = 2_000  # characters; a longer answer is compared as text only
LONGEST_FOR_ALGEBRA = 300
_WHOLE = re.compile(r"\d+", re.ASCII)
FOR_ALGEBRA = ("infinity", "no values", "not a number")  # reasons why computer algebra is asked


def compare(left: str, right: str) -> Verdict:
    """The verdict on two final answers; the order of the two does not matter."""
    return _guarded(left, right, as_label=False)


def compare_with_label(label: str, answer: str) -> Verdict:
    """The verdict on an answer beside a label whose decimals may be rounded.

    As ``compare``; besides, an exact or finer answer that a decimal of the label rounds, with three significant digits
    at least, is equal by the method ``rounded label``. A coarser answer is no more equal to a label than otherwise.
    """
    return _guarded(label, answer, as_label=True)


def _guarded(left: str, right: str, *, as_label: bool) -> Verdict:
    """The verdict on two texts, ``left`` being a label if ``as_label``, whatever happens on the way."""
    if left == right:
        return equal("text")
    if max(len(left), len(right)) > LONGEST:
        return _long(left, right)
    try:
        one = read(left)
        if as_label:
            one = replace(one, nodes=tuple(map(of_label, one.nodes)))
        first, second = sorted((one, read(right)), key=lambda reading: reading.cleaned)
        return _compare(first, second)
    except RecursionError:
        return undecided("nested too deeply")
    except Exception as error:  # one strange answer in millions must not end the job; the tests refuse this verdict
        return undecided(f"failed: {type(error).__name__}")


def _long(left: str, right: str) -> Verdict:
    """Whole numbers of any length are compared figure by figure; of anything else that is too long nothing is said."""
    if not (_WHOLE.fullmatch(left) and _WHOLE.fullmatch(right)):
        return undecided("too long")
    return equal("number") if left.lstrip("0") == right.lstrip("0") else different("number")


def _compare(first: Reading, second: Reading) -> Verdict:
    if first.cleaned == second.cleaned:
        return equal("text")
    if (
        verdict := _truths(first, second) or _choices(first, second) or _dates(first, second) or _times(first, second)
    ) is not None:
        return verdict
    if first.phrase and second.phrase:
        return _phrases(first.phrase, second.phrase)
    if (first.aside and second.phrase) or (second.aside and first.phrase):
        return undecided("words")
    if first.nodes and second.nodes:
        return _expressions(first, second)
    phrases = [reading.phrase for reading in (first, second) if reading.phrase]
    if phrases:
        return undecided("words") if " " in phrases[0] else different("words")
    malformed = next((reading for reading in (first, second) if reading.malformed), None)
    return undecided(f"not understood: {malformed.problem}") if malformed else _algebra(first, second)


def _expressions(first: Reading, second: Reading) -> Verdict:
    likeliest = first.nodes[0], second.nodes[0]
    verdict = families(*likeliest) or compare_nodes(*likeliest)
    if verdict.verdict == "different" and (found := otherwise_named(*likeliest)) is not None:
        return found
    if verdict.verdict != "equal" and len(first.nodes) + len(second.nodes) > 2:
        for left in first.nodes:
            for right in second.nodes:
                if (found := compare_nodes(left, right)).is_equal:
                    return loosely(found, "decimal comma")
    if verdict.verdict == "different" and any(mentions(node, "dots") for node in (*first.nodes, *second.nodes)):
        return undecided("a list that is not written out")
    if verdict.verdict == "different" and any(map(has_loose_signs, (*first.nodes, *second.nodes))):
        return undecided("signs that may go together")
    if verdict.verdict == "undecided" and verdict.method.startswith(FOR_ALGEBRA):
        found = _algebra(first, second)
        return verdict if found.verdict == "undecided" else found
    return verdict


def _truths(first: Reading, second: Reading) -> Verdict | None:
    """Yes is true; a lone letter is short for a truth value where the other side has a word for one."""
    left, right = first.truth, second.truth
    if left is None or right is None or not (left[1] or right[1]):
        return None
    return equal("words") if left[0] == right[0] else different("words")


def _choices(first: Reading, second: Reading) -> Verdict | None:
    """C, (C), C. and "(C) Cecile" are one choice; a lone letter that is not marked may also be a symbol."""
    if first.choices and second.choices:
        return equal("choice") if first.choices == second.choices else None
    left, right = first.choice, second.choice
    if left is None or right is None or not (left[2] or right[2] or left[1] or right[1]):
        return None
    if left[1] and right[1] and not (left[2] and right[2]):
        return None
    return equal("choice") if left[0] == right[0] else different("choice")


def _dates(first: Reading, second: Reading) -> Verdict | None:
    """A day or year that is missing on one side is not held against it."""
    if first.date is None or second.date is None:
        return None
    known = [(a, b) for a, b in zip(first.date, second.date, strict=True) if a is not None and b is not None]
    return equal("date") if all(a == b for a, b in known) else different("date")


def _times(first: Reading, second: Reading) -> Verdict | None:
    """Times of day of which at least one says am or pm; a missing one is not held against the other.

    A number beside a time is its hour, or nothing is known: 2 may be two o'clock, and 14 as well.
    """
    clocks = [reading.clock for reading in (first, second)]
    if (clocks[0] is None) != (clocks[1] is None):
        (seconds, half), number = (clocks[0], second.cleaned) if clocks[0] else (clocks[1], first.cleaned)  # type: ignore
        if not half or not re.fullmatch(r"\d{1,2}", number):
            return None
        hours = {seconds // 3600, seconds // 3600 % 12 or 12}
        return equal("time") if seconds % 3600 == 0 and int(number) in hours else undecided("a time beside a number")
    if first.clock is None or second.clock is None or not (first.clock[1] or second.clock[1]):
        return None
    apart = abs(first.clock[0] - second.clock[0])
    both_say = first.clock[1] and second.clock[1]
    return equal("time") if apart == 0 or (not both_say and apart == 12 * 3600) else different("time")


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
    return equal(method) if same else undecided("algebra shows no equality")  # which is no proof that there is none
