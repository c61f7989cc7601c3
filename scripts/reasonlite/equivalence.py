"""Are two final answers the same? By cost: text, exact numbers, structure, computer algebra.

Three verdicts: equal, different, undecided. Does not know problems, labels or votes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from reasonlite import algebra

VerdictName = Literal["equal", "different", "undecided"]
LONGEST_FOR_ALGEBRA = 300  # characters; longer answers are left undecided unless the text decides


@dataclass(frozen=True)
class Verdict:
    """``method`` says what decided: text, number, structure, words, algebra, or why nothing did."""

    verdict: VerdictName
    method: str


_WRAPPERS = re.compile(r"\\(?:text|textbf|textrm|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}")
_THIN_SPACE = re.compile(r"(?<!\\)\\[!,;:]\s*|(?<=,)\\ ")
_WIDE_SPACE = re.compile(r"\\q?quad|(?<!\\)\\ |~")
_NEEDLESS_SPACE = re.compile(r"(?<![A-Za-z0-9]) | (?![A-Za-z0-9])")
_THOUSANDS = re.compile(r"(?<![\d.])(\d{1,3}(?:,\d{3})+)(?![\d,])")
_ASSIGNMENT = re.compile(r"^[a-zA-Z]\s*(?:=|\\in(?![a-z]))\s*")
_NUMBER = re.compile(r"^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$")
_RATIO = re.compile(r"^([+-]?(?:\d+(?:\.\d*)?|\.\d+))/([+-]?\d+(?:\.\d*)?)$")
_SCIENTIFIC = re.compile(
    r"^([+-]?\d+(?:\.\d*)?)(?:e|\\times10\^|\*10\^|\\cdot10\^)\{?([+-]?\d{1,3})\}?$", re.IGNORECASE
)
_LATEX_FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")
_UNIT = re.compile(
    r"(?<=[\d}])\s*(?:degrees?|dollars?|cents?|units?|square units?|cm|mm|km|m|kg|g|hours?|minutes?|seconds?|days?|"
    r"inches|feet|miles|meters|apples?|legs?)(?:\^\{?[23]\}?)?$",
    re.IGNORECASE,
)
_CHOICE = re.compile(r"^\(([A-J])\)(?:\s*[A-Za-z].*)?$")
_WORD = re.compile(r"^[a-z][a-z' -]*$")
_MATRIX = re.compile(r"^\(?\\begin\{[pb]?matrix\}(.*)\\end\{[pb]?matrix\}\)?$", re.DOTALL)
_RELATIONS = [(r"\\(?:geq|geqslant|ge)(?![a-z])", ">="), (r"\\(?:leq|leqslant|le)(?![a-z])", "<=")]
_RELATIONS += [(r"\\(?:neq|ne)(?![a-z])", "!="), (r"\\gt(?![a-z])", ">"), (r"\\lt(?![a-z])", "<")]
_OPENING, _CLOSING = "([{", ")]}"
DECIMALS_FOR_ROUNDING = 4  # a decimal with at least so many places may stand for the value it rounds


def canonical(answer: str) -> str:
    """A cheap normal form: LaTeX wrappers, spacing, thousands commas, units and a lone ``x =`` removed."""
    text = answer.strip().strip("$").strip()
    text = re.sub(r"\\(?:left|right)(?![a-z])", "", text)
    text = re.sub(r"\\[dt]frac(?![a-z])", r"\\frac", text)
    text = text.replace("\\%", "%").replace("\\$", "").replace("\u2212", "-").replace("{,}", ",")
    text = re.sub(r"\^\{?\\circ\}?|°", "", text)
    for pattern, sign in _RELATIONS:
        text = re.sub(pattern, sign, text)
    text = _WIDE_SPACE.sub(" ", _THIN_SPACE.sub("", text))
    text = _WRAPPERS.sub(r"\1", text)
    text = text.replace("\\{", "{").replace("\\}", "}") if text.startswith("\\{") else text
    text = _THOUSANDS.sub(lambda match: match.group().replace(",", ""), text)
    text = _ASSIGNMENT.sub("", text.strip())
    text = _UNIT.sub("", text.strip().rstrip(".").strip())
    text = _NEEDLESS_SPACE.sub("", re.sub(r"\s+", " ", text))
    return _CHOICE.sub(r"\1", text.strip())


def exact_number(text: str) -> Fraction | None:
    """The rational number a canonical text denotes (12, -3.5, 7/2, \\frac{7}{2}, 1.2e3, 50%), or None."""
    text = text.replace(" ", "")
    if len(text) > 200:
        return None
    percent = text.endswith("%")
    text = text.removesuffix("%")
    text = re.sub(r"^-\\frac\{", r"\\frac{-", text) if text.startswith("-\\frac{") and "{-" not in text else text
    if fraction := _LATEX_FRACTION.fullmatch(text):
        text = f"{fraction[1]}/{fraction[2]}"
    value: Fraction | None = None
    if _NUMBER.match(text):
        value = Fraction(text)
    elif ratio := _RATIO.match(text):
        value = Fraction(ratio[1]) / Fraction(ratio[2]) if Fraction(ratio[2]) else None
    elif scientific := _SCIENTIFIC.match(text):
        value = Fraction(scientific[1]) * Fraction(10) ** int(scientific[2])
    return value / 100 if percent and value is not None else value


def compare(left: str, right: str) -> Verdict:
    """The verdict on two final answers; the order of the two does not matter."""
    if left == right:
        return Verdict("equal", "text")
    first, second = sorted((canonical(left), canonical(right)))
    if first == second:
        return Verdict("equal", "text")
    try:
        return _compare_canonical(first, second)
    except RecursionError:
        return Verdict("undecided", "nested too deeply")


def _compare_canonical(first: str, second: str) -> Verdict:
    left, right = exact_number(first), exact_number(second)
    if left is not None and right is not None:
        same = left == right or _percent_of(first, second, left, right) or _rounds(first, second, left, right)
        return Verdict("equal" if same else "different", "number")
    for parts_of in (_union, _matrix, _elements):
        parts = parts_of(first), parts_of(second)
        if parts[0] and parts[1]:
            return _compare_elements(parts[0], parts[1])
    words = first.lower(), second.lower()
    if _WORD.match(words[0]) and _WORD.match(words[1]) and min(map(len, words)) > 1:
        return Verdict("equal" if words[0] == words[1] else "different", "words")
    return _algebra(first, second)


def _rounds(first: str, second: str, left: Fraction, right: Fraction) -> bool:
    """Whether one is a decimal of at least DECIMALS_FOR_ROUNDING places that rounds the other, a fraction."""
    for text, decimal, other, exact in [(first, left, second, right), (second, right, first, left)]:
        places = len(text.partition(".")[2])
        if _NUMBER.match(text) and places >= DECIMALS_FOR_ROUNDING and "." not in other:
            return abs(exact - decimal) * 10**places <= Fraction(1, 2)
    return False


Parts = tuple[str, str, list[str]]  # opening mark, closing mark, elements


def _union(text: str) -> Parts | None:
    pieces = text.split("\\cup")
    return ("{", "}", pieces) if len(pieces) > 1 else None


def _matrix(text: str) -> Parts | None:
    """A matrix as its rows, each row as a tuple; brackets of any form are the same."""
    match = _MATRIX.match(text)
    if not match or "\\begin" in match[1]:
        return None
    rows = [row.strip() for row in match[1].split("\\\\") if row.strip()]
    cells = [row.replace("&", ",").strip() for row in rows]
    return "[", "]", [f"({row})" if "," in row else row for row in cells]


def _percent_of(first: str, second: str, left: Fraction, right: Fraction) -> bool:
    """50% and 50 are one answer to "how many percent"; so are 50% and 1/2."""
    if first.endswith("%") != second.endswith("%"):
        return left * 100 == right or right * 100 == left
    return False


def _elements(text: str) -> Parts | None:
    """Opening bracket, closing bracket and elements of a tuple, interval or set; None otherwise."""
    if len(text) < 3 or text[0] not in _OPENING or text[-1] not in _CLOSING:
        return None
    depth, start, items = 0, 1, []
    for position, character in enumerate(text):
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
            if depth == 0 and position < len(text) - 1:
                return None  # (1)(2) is a product
        elif character == "," and depth == 1:
            items.append(text[start:position].strip())
            start = position + 1
    items.append(text[start:-1].strip())
    return (text[0], text[-1], items) if len(items) > 1 and depth == 0 else None


def _compare_elements(left: Parts, right: Parts) -> Verdict:
    if left[:2] != right[:2] or len(left[2]) != len(right[2]):
        return Verdict("different", "structure")
    if left[0] == "{":  # the order of a set does not matter
        left, right = (left[0], left[1], sorted(left[2])), (right[0], right[1], sorted(right[2]))
    verdicts = [compare(a, b).verdict for a, b in zip(left[2], right[2], strict=True)]
    if all(verdict == "equal" for verdict in verdicts):
        return Verdict("equal", "structure")
    return Verdict("different" if "different" in verdicts else "undecided", "structure")


def _algebra(first: str, second: str) -> Verdict:
    if max(len(first), len(second)) > LONGEST_FOR_ALGEBRA:
        return Verdict("undecided", "too long for algebra")
    same, method = algebra.equal(first, second)
    if same is None:
        return Verdict("undecided", method)
    return Verdict("equal" if same else "different", method)
