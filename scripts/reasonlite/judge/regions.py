"""Sets of real numbers: intervals, unions, and the solutions of inequalities in one unknown.

``-2 <= x <= 7``, ``x in [-2, 7]`` and ``{x | -2 <= x <= 7}`` are one region.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import mpmath

from reasonlite.judge.expressions import Apply, Group, Node, Number, Relation, Symbol
from reasonlite.judge.numerics import NoValue, exact, symbols, value_at

INFINITY = Symbol("infty")
MINUS_INFINITY = Apply("neg", (INFINITY,))
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Piece:
    """One interval; a single number is a closed interval from it to itself."""

    low: Node
    high: Node
    low_closed: bool
    high_closed: bool


def is_plain(node: Node) -> bool:
    """Whether a node can only be a set of numbers, not also a tuple or a list of values."""
    if isinstance(node, Group):
        half_open = (node.opening, node.closing) in (("(", "]"), ("[", ")"))
        return half_open or (len(node.items) == 2 and any(item in (INFINITY, MINUS_INFINITY) for item in node.items))
    if isinstance(node, Relation):
        return any(operator != "=" and operator != "approx" for operator in node.operators)
    if isinstance(node, Apply) and node.head in ("or", "and"):
        return any(is_plain(argument) for argument in node.arguments)
    return isinstance(node, Apply) and node.head in ("union", "intersection", "without") or node == Symbol("reals")


def region(node: Node) -> list[Piece] | None:
    """The disjoint pieces of a set of real numbers, in rising order; None if it is not known to be one."""
    try:
        pieces = _pieces(node)
        return None if pieces is None else _merged(pieces)
    except NoValue:
        return None


def _pieces(node: Node) -> list[Piece] | None:
    if node == Symbol("reals"):
        return [Piece(MINUS_INFINITY, INFINITY, False, False)]
    if node == Symbol("emptyset"):
        return []
    if isinstance(node, Group):
        return _of_group(node)
    if isinstance(node, Relation):
        return _pieces(node.sides[1]) if node.operators == ("in",) else _of_relation(node)
    if not isinstance(node, Apply) or node.head not in ("union", "or", "and", "intersection", "without"):
        return None
    parts = [_pieces(argument) for argument in node.arguments]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        return None
    result = found[0]
    for part in found[1:]:
        if node.head in ("union", "or"):
            result = result + part
        else:
            result = _intersection(result, part if node.head in ("and", "intersection") else _complement(part))
    return result


def _of_group(node: Group) -> list[Piece] | None:
    if node.opening == "{":
        if any(isinstance(item, Relation) for item in node.items):
            return None
        return [Piece(item, item, True, True) for item in node.items]
    if node.opening == "" and all(isinstance(item, Relation) and is_plain(item) for item in node.items):
        both = _pieces(Apply("and", node.items))  # x < 1, x > 5: no number is both, so either is meant
        return _pieces(Apply("or", node.items)) if both is not None and not _merged(both) else both
    if node.opening in ("(", "[") and node.closing in (")", "]") and len(node.items) == 2:
        return [Piece(node.items[0], node.items[1], node.opening == "[", node.closing == "]")]
    return None


def _of_relation(node: Relation) -> list[Piece] | None:
    """The solutions of ``a < M < b`` or ``M < b``, M an unknown, its absolute value or linear in it."""
    sides, operators = node.sides, node.operators
    if len(sides) == 2 and not symbols(sides[0]) and symbols(sides[1]):
        sides, operators = sides[::-1], tuple(FLIPPED.get(operator, operator) for operator in operators)
    if len(sides) == 3 and not symbols(sides[0]) and not symbols(sides[2]):
        first = _solved(sides[1], FLIPPED.get(operators[0], ""), sides[0])
        second = _solved(sides[1], operators[1], sides[2])
        return None if first is None or second is None else _intersection(first, second)
    if len(sides) != 2 or symbols(sides[1]):
        return None
    return _solved(sides[0], operators[0], sides[1])


def _solved(unknown: Node, operator: str, bound: Node) -> list[Piece] | None:
    if operator not in ("<", "<=", ">", ">=", "!=", "=") or "call " in repr(bound):
        return None  # the values of an unknown function have no order
    if isinstance(unknown, Apply) and unknown.head == "abs" and isinstance(unknown.arguments[0], Symbol):
        if operator.startswith("<"):
            return _between(bound, operator == "<=")
        return _complement(_between(bound, operator == ">")) if operator.startswith(">") else None
    if not isinstance(unknown, Symbol) and not (isinstance(unknown, Apply) and unknown.head.startswith("call ")):
        line = _line(unknown)
        limit = exact(bound)
        if line is None or limit is None:
            return None
        slope, offset = line
        bound = Number((limit - offset) / slope)
        operator = FLIPPED.get(operator, operator) if slope < 0 else operator
    if operator == "=":
        return [Piece(bound, bound, True, True)]
    if operator == "!=":
        return [Piece(MINUS_INFINITY, bound, False, False), Piece(bound, INFINITY, False, False)]
    closed = operator.endswith("=")
    if operator.startswith("<"):
        return [Piece(MINUS_INFINITY, bound, False, closed)]
    return [Piece(bound, INFINITY, closed, False)]


def _between(bound: Node, closed: bool) -> list[Piece]:
    return [Piece(Apply("neg", (bound,)), bound, closed, closed)]


def _line(node: Node) -> tuple[Fraction, Fraction] | None:
    """Slope and offset of an expression that is linear in its only symbol, with rational coefficients."""
    names = symbols(node)
    if len(names) != 1:
        return None
    values = [exact(_with(node, next(iter(names)), Fraction(number))) for number in (0, 1, 2, 5)]
    zero, one, two, five = values
    if zero is None or one is None or two is None or five is None or one == zero:
        return None
    return (one - zero, zero) if two - one == one - zero and five - zero == 5 * (one - zero) else None


def _with(node: Node, name: str, value: Fraction) -> Node:
    if node == Symbol(name):
        return Number(value)
    return (
        Apply(node.head, tuple(_with(part, name, value) for part in node.arguments))
        if isinstance(node, Apply)
        else node
    )


# -- pieces


def _number(node: Node) -> mpmath.mpf:
    if node == INFINITY:
        return mpmath.mpf("inf")
    if node == MINUS_INFINITY:
        return mpmath.mpf("-inf")
    value = value_at(node, {})
    if mpmath.im(value) != 0:
        raise NoValue("complex numbers have no order")
    return mpmath.re(value)


def _low(piece: Piece) -> tuple[mpmath.mpf, bool]:
    return _number(piece.low), not piece.low_closed


def _high(piece: Piece) -> tuple[mpmath.mpf, bool]:
    return _number(piece.high), piece.high_closed


def _is_empty(piece: Piece) -> bool:
    low, high = _number(piece.low), _number(piece.high)
    return low > high or (low == high and not (piece.low_closed and piece.high_closed))


def _intersection(left: list[Piece], right: list[Piece]) -> list[Piece]:
    found = []
    for one in left:
        for other in right:
            low, high = max(one, other, key=_low), min(one, other, key=_high)
            piece = Piece(low.low, high.high, low.low_closed, high.high_closed)
            if not _is_empty(piece):
                found.append(piece)
    return found


def _complement(pieces: list[Piece]) -> list[Piece]:
    found: list[Piece] = []
    low: Node = MINUS_INFINITY
    closed = False
    for piece in _merged(pieces):
        found.append(Piece(low, piece.low, closed, not piece.low_closed))
        low, closed = piece.high, not piece.high_closed
    found.append(Piece(low, INFINITY, closed, False))
    return [piece for piece in found if not _is_empty(piece)]


def _merged(pieces: list[Piece]) -> list[Piece]:
    found: list[Piece] = []
    for piece in sorted((piece for piece in pieces if not _is_empty(piece)), key=_low):
        if found:
            end, start = _number(found[-1].high), _number(piece.low)
            if start < end or (start == end and (found[-1].high_closed or piece.low_closed)):
                last = max(found[-1], piece, key=_high)
                found[-1] = Piece(found[-1].low, last.high, found[-1].low_closed, last.high_closed)
                continue
        found.append(piece)
    return found
