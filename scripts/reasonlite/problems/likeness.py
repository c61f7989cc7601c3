"""How alike two problems' texts are: by their words, formulas and numbers, whatever the typesetting.

Does not know which problem is kept, nor what a benchmark is.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from dataclasses import dataclass

from rapidfuzz.distance import Indel

# typesetting that changes no meaning: delimiters of formulas, sizes, spaces, fonts
_TYPESETTING = re.compile(
    r"\\(?:left|right|big|bigg|displaystyle|textstyle|quad|qquad|[,;:! ]"
    r"|text(?:bf|it|rm)?|math(?:rm|bf|it|sf)|mbox|bm|emph)(?![a-z])|[${}~]|\\[()\[\]]|\\(?=[,;:! ])"
)
_SPELLINGS = {"\\dfrac": "\\frac", "\\tfrac": "\\frac", "\\cdot": "*", "\\times": "*", "\\leq": "\\le", "\\geq": "\\ge"}
_TOKEN = re.compile(r"\d+(?:\.\d+)?|\\[a-z]+|[^\W\d_]+|[-+=<>/^*%!|()\[\]]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


MOVED = 0.9  # share of common tokens in any order from which a text is another one with its sentences moved


def tokens_of(problem: str) -> tuple[str, ...]:
    """Words, numbers, operators and LaTeX commands of a problem, in lower case, each kept in memory once."""
    text = _TYPESETTING.sub(" ", unicodedata.normalize("NFKC", problem).lower())
    found = tuple(sys.intern(_SPELLINGS.get(token, token)) for token in _TOKEN.findall(_THOUSANDS.sub("", text)))
    return found or (text.strip(),)  # signs alone are a text too


@dataclass(frozen=True, slots=True)
class Text:
    """A problem's tokens, and what is asked of them."""

    tokens: tuple[str, ...]

    @property
    def numbers(self) -> list[str]:
        return [token for token in self.tokens if token[0].isdigit()]

    @property
    def masked(self) -> list[str]:
        return ["#" if token[0].isdigit() else token for token in self.tokens]

    @property
    def shingles(self) -> list[str]:
        """Single tokens and pairs of neighbours, for MinHash."""
        pairs = (f"{left} {right}" for left, right in zip(self.tokens, self.tokens[1:], strict=False))
        return list({*self.tokens, *pairs})

    def grams(self, size: int) -> set[tuple[str, ...]]:
        """Every ``size`` tokens in a row."""
        return {self.tokens[first : first + size] for first in range(len(self.tokens) - size + 1)}


def similarity(left: Text, right: Text) -> float:
    """2 m / (a + b): m tokens in a longest common subsequence of texts of a and b tokens; 0 to 1.

    Where nearly all tokens are the same and only their order is not, as when sentences have moved, m counts
    the common tokens in any order.
    """
    in_order = float(Indel.normalized_similarity(left.tokens, right.tokens))
    anyhow = 2 * (Counter(left.tokens) & Counter(right.tokens)).total() / max(1, len(left.tokens) + len(right.tokens))
    return anyhow if anyhow >= MOVED else in_order


def masked_similarity(left: Text, right: Text) -> float:
    """The same with every number taken for any other, in order."""
    return float(Indel.normalized_similarity(left.masked, right.masked))


def shared_numbers(left: Text, right: Text) -> float:
    """Jaccard index of the numbers, counted as often as they stand; 1 where neither text has any."""
    ours, theirs = Counter(left.numbers), Counter(right.numbers)
    together = (ours | theirs).total()
    return (ours & theirs).total() / together if together else 1.0
