"""Objects as SymPy and other programs write them: ``Interval.open(0, 1)``, ``Union(…)``, ``Eq(x, 3)``, ``Pow(2, 10)``.

Knows names and their arguments; the grammar reads what stands between the brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from reasonlite.judge.expressions import Apply, Group, Node, Number, Relation, Symbol

MANY = 1000  # arguments at most, as good as no limit
_INFINITE = (Symbol("infty"), Apply("neg", (Symbol("infty"),)))


def _interval(opening: str, closing: str) -> Callable[[tuple[Node, ...]], Node]:
    def build(bounds: tuple[Node, ...]) -> Node:
        """An infinite end is never closed, whatever the name says."""
        low, high = bounds
        return Group("(" if low in _INFINITE else opening, ")" if high in _INFINITE else closing, bounds)

    return build


def _relation(operator: str) -> Callable[[tuple[Node, ...]], Node]:
    return lambda sides: Relation((operator,), sides)


def _apply(head: str) -> Callable[[tuple[Node, ...]], Node]:
    return lambda arguments: Apply(head, arguments)


# fewest and most arguments, and what they make
_Built = tuple[int, int, Callable[[tuple[Node, ...]], Node]]
OBJECTS: dict[str, _Built] = {
    "Interval": (2, 2, _interval("[", "]")),
    "Intervalopen": (2, 2, _interval("(", ")")),
    "IntervalLopen": (2, 2, _interval("(", "]")),
    "IntervalRopen": (2, 2, _interval("[", ")")),
    "FiniteSet": (1, MANY, lambda items: Group("{", "}", items)),
    "Tuple": (2, MANY, lambda items: Group("(", ")", items)),
    "Union": (2, MANY, _apply("union")),
    "Intersection": (2, MANY, _apply("intersection")),
    "Complement": (2, 2, _apply("without")),
    "Or": (2, MANY, _apply("or")),
    "And": (2, MANY, _apply("and")),
    "Add": (2, MANY, _apply("add")),
    "Mul": (2, MANY, _apply("mul")),
    "Pow": (2, 2, _apply("pow")),
    "Integer": (1, 1, lambda values: values[0]),
    **{name: (2, 2, _relation("=")) for name in ("Eq", "Equality")},
    **{name: (2, 2, _relation("!=")) for name in ("Ne", "Unequality")},
    **{name: (2, 2, _relation("<")) for name in ("Lt", "StrictLessThan")},
    **{name: (2, 2, _relation("<=")) for name in ("Le", "LessThan")},
    **{name: (2, 2, _relation(">")) for name in ("Gt", "StrictGreaterThan")},
    **{name: (2, 2, _relation(">=")) for name in ("Ge", "GreaterThan")},
    "abs": (1, 1, _apply("abs")),
    **{name: (1, 1, _apply("factorial")) for name in ("factorial", "Factorial")},
    **{name: (2, 2, _apply("binom")) for name in ("binomial", "Binomial", "nCr", "comb")},
    "Rational": (2, 2, _apply("div")),
    "cbrt": (1, 1, lambda values: Apply("root", (*values, Number(Fraction(3))))),
}
# of other objects nothing is known, and Sum(k, (k, 1, 5)) is no product of S, u and m
_OBJECT = re.compile(r"[A-Z][a-z]{2,}")


def is_object(name: str) -> bool:
    """Whether letters before a bracket name an object of a program, known or not."""
    return name in OBJECTS or _OBJECT.fullmatch(name) is not None


def built(name: str, arguments: Sequence[Node]) -> Node | None:
    """The object; None if its name is not known or does not take so many arguments."""
    if name not in OBJECTS:
        return None
    fewest, most, make = OBJECTS[name]
    return make(tuple(arguments)) if fewest <= len(arguments) <= most else None
