"""Answers as expressions: the nodes that the grammar makes and the comparison walks."""

from __future__ import annotations

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
