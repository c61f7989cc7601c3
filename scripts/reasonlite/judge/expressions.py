"""Answers as expressions: the nodes that the grammar makes and the comparison walks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Number:
    """An exact value. ``places``: digits after the point, if written as a decimal."""

    value: Fraction
    places: int | None = None


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


def renamed(node: Node, old: str, new: str) -> Node:
    """The expression with another name for one of its symbols."""
    match node:
        case Symbol(name):
            return Symbol(new) if name == old else node
        case Apply(head, arguments):
            return Apply(head, tuple(renamed(part, old, new) for part in arguments))
        case Group(opening, closing, items):
            return Group(opening, closing, tuple(renamed(part, old, new) for part in items))
        case Matrix(rows):
            return Matrix(tuple(tuple(renamed(cell, old, new) for cell in row) for row in rows))
        case Relation(operators, sides):
            return Relation(operators, tuple(renamed(side, old, new) for side in sides))
        case Quantity(value, unit):
            return Quantity(renamed(value, old, new), unit)
    return node
