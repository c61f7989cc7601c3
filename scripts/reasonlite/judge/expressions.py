"""Answers as expressions: the nodes that the grammar makes and the comparison walks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Number:
    """An exact value. ``places``: digits after the point, if written as a decimal.

    ``in_label``: a label's, of which it is known that it may be rounded; two numbers are equal whatever it says.
    """

    value: Fraction
    places: int | None = None
    in_label: bool = field(default=False, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A letter with its index (``x_1``), or a constant: pi, e, i, infty, reals, emptyset."""

    name: str


@dataclass(frozen=True, slots=True)
class Apply:
    """An operation: add, mul, div, pow, neg, pm, mp, root, abs, ratio, union, or a function's name."""

    head: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Elements between brackets: a tuple or interval; braces: a set; no brackets: a list."""

    opening: str
    closing: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """``sides[0] operators[0] sides[1] …``; operators are = != < <= > >= approx in."""

    operators: tuple[str, ...]
    sides: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value and its unit: "%", "degree", "cm", or any words that follow the value."""

    value: Node
    unit: str


@dataclass(frozen=True, slots=True)
class Numeral:
    """Digits in a base other than ten, as in 204_5."""

    digits: str
    base: int


Node = Number | Symbol | Apply | Group | Matrix | Relation | Quantity | Numeral


def matrix_of(rows: Iterable[Sequence[Node]]) -> Matrix | None:
    """Rows as a matrix; None if there is none or if they are of different length."""
    cells = tuple(map(tuple, rows))
    return Matrix(cells) if len({len(row) for row in cells}) == 1 else None


def mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """The expression with each of its numbers and symbols put through ``change``."""
    match node:
        case Apply(head, arguments):
            return Apply(head, tuple(mapped(part, change) for part in arguments))
        case Group(opening, closing, items):
            return Group(opening, closing, tuple(mapped(part, change) for part in items))
        case Matrix(rows):
            return Matrix(tuple(tuple(mapped(cell, change) for cell in row) for row in rows))
        case Relation(operators, sides):
            return Relation(operators, tuple(mapped(side, change) for side in sides))
        case Quantity(value, unit):
            return Quantity(mapped(value, change), unit)
    return change(node)


def renamed(node: Node, old: str, new: str) -> Node:
    """The expression with another name for one of its symbols."""
    return mapped(node, lambda leaf: Symbol(new) if leaf == Symbol(old) else leaf)


def of_label(node: Node) -> Node:
    """The expression as a label's: its decimals may be rounded."""
    return mapped(node, lambda leaf: replace(leaf, in_label=True) if isinstance(leaf, Number) else leaf)
