"""Names that an answer itself introduces: the n of "n π, n an integer", a constant of integration, SymPy's E.

Looks at whole answers alone: within a part, (C, c) and (c, C) would be renamed into each other.
"""

from __future__ import annotations

from reasonlite.judge.expressions import Apply, Group, Node, Relation, Symbol, renamed
from reasonlite.judge.matching import compare_nodes
from reasonlite.judge.numerics import symbols
from reasonlite.judge.verdicts import Verdict, equal, undecided

INTEGERS = frozenset("ZN")
CONSTANTS = frozenset({"C", "c"})  # of integration
SPELLED = {"E": "e", "I": "i"}  # in SymPy and Mathematica


def families(left: Node, right: Node) -> Verdict | None:
    """The verdict where a side says of one of its names which numbers it stands for; None elsewhere.

    The same family may be written with another parameter in other ways than by another letter, so that families that
    do not agree are undecided.
    """
    (first, names), (second, others) = _declared(left), _declared(right)
    if not names and not others:
        return None
    if (verdict := compare_nodes(first, second)).is_equal:
        return verdict
    own, theirs = symbols(first) - symbols(second), symbols(second) - symbols(first)
    if len(own) == len(theirs) == 1 and (own <= names or theirs <= others):
        again = compare_nodes(first, renamed(second, next(iter(theirs)), next(iter(own))))
        if again.is_equal:
            return equal("parameter")
    return undecided("a family of values")


def _declared(node: Node) -> tuple[Node, frozenset[str]]:
    """What comes before "n in Z", and the names that are declared so."""
    if not isinstance(node, Group) or node.opening != "" or _membership(node.items[0]) is not None:
        return node, frozenset()
    items = list(node.items)
    names = set()
    while len(items) > 1 and (name := _membership(items[-1])) is not None:
        names.add(name)
        items.pop()
    return (items[0] if len(items) == 1 else Group("", "", tuple(items))), frozenset(names)


def _membership(node: Node) -> str | None:
    """The name of "n in Z", also of "n in Z^+"."""
    if not isinstance(node, Relation) or node.operators != ("in",) or not isinstance(node.sides[0], Symbol):
        return None
    kind = node.sides[1].arguments[0] if isinstance(node.sides[1], Apply) else node.sides[1]
    is_integers = isinstance(kind, Symbol) and kind.name.partition("_")[0] in INTEGERS
    return node.sides[0].name if is_integers else None


def otherwise_named(left: Node, right: Node) -> Verdict | None:
    """Equality up to the spelling of a constant, if that is all that lies between two answers; else None."""
    own, theirs = symbols(left) - symbols(right), symbols(right) - symbols(left)
    if own | theirs == CONSTANTS and len(own) == 1:
        return _as_equal(compare_nodes(left, renamed(right, next(iter(theirs)), next(iter(own)))), "constant")
    for node, other, names in ((left, right, own), (right, left, theirs)):
        spelled = {name: SPELLED[name] for name in names if name in SPELLED}
        if spelled:
            for old, new in spelled.items():
                node = renamed(node, old, new)
            return _as_equal(compare_nodes(node, other), "spelling")
    return None


def _as_equal(verdict: Verdict, method: str) -> Verdict | None:
    return equal(method) if verdict.is_equal else None
