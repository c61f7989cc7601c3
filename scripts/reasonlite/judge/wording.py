"""Answers in words: choices, number words, yes and no, dates and times.

Reads words into values; does not compare them.
"""

from __future__ import annotations

import re
from fractions import Fraction

from reasonlite.judge.vocabulary import WORDS_OF_MATH

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBER_WORDS = (
    {word: number for number, word in enumerate(_ONES)}
    | {word: 10 * number for number, word in enumerate(_TENS, 2)}
    | {f"{ten}-{one}": 10 * a + b for a, ten in enumerate(_TENS, 2) for b, one in enumerate(_ONES[1:10], 1)}
    | {"one hundred": 100, "a hundred": 100, "one thousand": 1_000, "one million": 1_000_000}
)
_FRACTION_WORDS = {
    "one half": (1, 2),
    "one-half": (1, 2),
    "one third": (1, 3),
    "two thirds": (2, 3),
    "one fourth": (1, 4),
}
_FRACTION_WORDS |= {"one quarter": (1, 4), "three quarters": (3, 4), "three fourths": (3, 4), "one-third": (1, 3)}
_SAME = {
    **dict.fromkeys(
        ["no solution", "no solutions", "no real solution", "no real solutions", "none", "empty set", "the empty set"],
        "none",
    ),
    **dict.fromkeys(["all real numbers", "all reals", "any real number", "every real number"], "reals"),
    **dict.fromkeys(["dne", "does not exist", "undefined", "not defined"], "undefined"),
    **dict.fromkeys(["infinitely many", "infinite", "infinitely many solutions"], "infinitely many"),
    **dict.fromkeys(["doesnt exist", "doesn't exist"], "undefined"),
}
_TRUTHS = {"yes": True, "true": True, "y": True, "t": True, "no": False, "false": False, "n": False, "f": False}
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in _MONTHS)
_DATE = re.compile(
    rf"(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th)? )?(?P<m>{_MONTH})\.?"
    r"(?: (?P<d2>\d{1,2})(?:st|nd|rd|th)?)?(?:,? (?P<y>\d{4}))?"
)
_TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::(\d{2}))? ?(a\.?m\.?|p\.?m\.?|noon|midnight)?")
_CHOICE = re.compile(r"\(?([A-Ja-j])\)?(?:(?<=\))|[.:)]|(?= )|$)\s*(.*)", re.DOTALL)
_SEVERAL = re.compile(r"[,;&/+]|(?:and|or)\b", re.IGNORECASE)  # what begins a second choice
_TEXT_MARKS = re.compile(r"\\(?:text\w*|mbox|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}")


def plain(cleaned: str) -> str:
    """Words in lower case without marks, articles and double spaces; the comparison form of phrases."""
    text = _TEXT_MARKS.sub(r"\1", cleaned).lower().replace("\\ ", " ").strip(" .,!\"'`*")
    text = re.sub(r"[{}]", "", text)
    return re.sub(r"^(?:the|a|an) (?=\w)", "", re.sub(r"\s+", " ", text))


def phrase(text: str) -> str | None:
    """A plain text as words if it is nothing but words, with synonyms merged; None if it holds any sign."""
    if not re.fullmatch(r"[^\W\d_](?:[^\W\d_]|[ ',.-])*", text) or (len(text) == 1):
        return None
    return _SAME.get(text, text)


def is_prose(phrase: str) -> bool:
    """Whether several words are language and not symbols side by side, such as ``sin x`` or ``a b c``."""
    words = phrase.split()
    return len(words) > 1 and any(len(word) > 2 and word not in WORDS_OF_MATH | {"and"} for word in words)


def number(words: str) -> Fraction | None:
    """The number that words name (up to ninety-nine, and some fractions), or None."""
    if words in _FRACTION_WORDS:
        return Fraction(*_FRACTION_WORDS[words])
    found = _NUMBER_WORDS.get(words)
    return None if found is None else Fraction(found)


def choice(cleaned: str) -> tuple[str, str, bool] | None:
    """The letter of a multiple choice, the words behind it, and whether it is marked: (C), C. or C)."""
    text = _TEXT_MARKS.sub(r"\1", cleaned).strip()
    text = re.sub(r"^\{(.*)\}$", r"\1", text).strip()
    match = _CHOICE.match(text)
    if match is None:
        return None
    rest = match[2].strip()
    if _SEVERAL.match(rest):
        return None
    marked = not text[:1].isalpha() or text[1:2] in (".", ":", ")")
    if not marked and (text[:1].islower() or (rest and not re.match(r"[A-Za-z]{3,}", rest))):
        return None
    return match[1].upper(), rest, marked


def choices(cleaned: str) -> frozenset[str]:
    """The letters of several choices (ACD, or A, C and D), or a lone letter A to D in either case; else none."""
    text = _TEXT_MARKS.sub(r"\1", cleaned).strip()
    if re.fullmatch(r"[A-Da-d]", text):
        return frozenset(text.upper())
    letters = re.findall(r"[A-J]", text)
    several = re.fullmatch(r"[A-J](?:(?:[ ,;&]|and)*[A-J])+", text) is not None
    return frozenset(letters) if several and len(set(letters)) == len(letters) else frozenset()


def truth(text: str) -> tuple[bool, bool] | None:
    """Whether a plain text says yes, and whether by a word; by a letter it may mean something else."""
    if text in _TRUTHS:
        return _TRUTHS[text], len(text) > 1
    return None


def date(text: str) -> tuple[int, int | None, int | None] | None:
    """(month, day, year) of a date with the month in words, day and year where given."""
    match = _DATE.fullmatch(text)
    if match is None or not (match["d1"] or match["d2"] or match["y"]):
        return None
    month = next(number for number, name in enumerate(_MONTHS, 1) if name.startswith(match["m"][:3]))
    day = match["d1"] or match["d2"]
    return month, int(day) if day else None, int(match["y"]) if match["y"] else None


def clock(text: str) -> tuple[int, str] | None:
    """Seconds since the hour 0 and "am", "pm" or "" of a time of day; None if it is not clearly one."""
    match = _TIME.fullmatch(text)
    if match is None or not (match[2] or match[4]) or int(match[1]) > 24 or int(match[2] or 0) > 59:
        return None
    half = (match[4] or "").replace(".", "")
    hour = int(match[1])
    if half in ("am", "pm", "noon", "midnight"):
        hour = hour % 12 + (12 if half in ("pm", "noon") else 0)
    return hour * 3600 + int(match[2] or 0) * 60 + int(match[3] or 0), half
