"""Expressions worked out before they are compared: a ± b as two values, sums and products of matrices."""

from __future__ import annotations

from fractions import Fraction

from reasonlite.judge.expressions import Apply, Group, Matrix, Node, Number, Numeral, Quantity, Relation, Symbol
from reasonlite.judge.numerics import mentions


def expanded(node: Node) -> Node:
    """The node with sums and products of matrices worked out, and a ± b as the list a + b, a - b."""
    if isinstance(node, (Number, Symbol, Numeral)) or (isinstance(node, Quantity) and isinstance(node.value, Number)):
        return node
    if (
        isinstance(node, Apply)
        and node.head in ("add", "mul", "neg")
        and any(_has_matrix(part) for part in node.arguments)
    ):
        return _matrix_value(node) or node
    if isinstance(node, Group) and node.opening in ("", "{"):
        items: list[Node] = []
        for item in node.items:
            spread_out = expanded(item)
            several = mentions(item, "pm") and isinstance(spread_out, Group) and spread_out.opening == ""
            items.extend(spread_out.items if several and isinstance(spread_out, Group) else [spread_out])
        return Group(node.opening, node.closing, tuple(items))
    if isinstance(node, Group) and _signs(node) == 1:
        return Group("", "", (_signed(node, 1), _signed(node, -1)))
    if not isinstance(node, (Apply, Relation, Quantity)) or not (mentions(node, "pm") or mentions(node, "mp")):
        return node
    return Group("", "", (_signed(node, 1), _signed(node, -1)))


def _signs(group: Group) -> int:
    return sum(mentions(item, "pm") or mentions(item, "mp") for item in group.items)


def has_loose_signs(node: Node) -> bool:
    """Whether an element has two parts with ±, of which nobody knows whether they go together: (±1, ±2)."""
    if not isinstance(node, Group):
        return False
    return (node.opening not in ("", "{") and _signs(node) > 1) or any(map(has_loose_signs, node.items))


def _signed(node: Node, sign: int) -> Node:
    if isinstance(node, Apply):
        arguments = tuple(_signed(part, sign) for part in node.arguments)
        if node.head in ("pm", "mp"):
            return arguments[0] if (node.head == "pm") == (sign > 0) else Apply("neg", arguments)
        return Apply(node.head, arguments)
    if isinstance(node, Relation):
        return Relation(node.operators, tuple(_signed(part, sign) for part in node.sides))
    if isinstance(node, Group):
        return Group(node.opening, node.closing, tuple(_signed(part, sign) for part in node.items))
    return Quantity(_signed(node.value, sign), node.unit) if isinstance(node, Quantity) else node


def _has_matrix(node: Node) -> bool:
    return isinstance(node, Matrix) or (isinstance(node, Apply) and any(map(_has_matrix, node.arguments)))


def _matrix_value(node: Node) -> Node | None:
    """A matrix for a sum, product or multiple of matrices; None if the shapes do not fit."""
    if not isinstance(node, Apply) or not _has_matrix(node):
        return node
    if node.head not in ("add", "mul", "neg"):
        return None
    parts = [_matrix_value(part) for part in node.arguments]
    if any(part is None for part in parts):
        return None
    if node.head == "neg":
        return _matrix_product(Number(Fraction(-1)), parts[0])
    result = parts[0]
    for part in parts[1:]:
        result = _matrix_sum(result, part) if node.head == "add" else _matrix_product(result, part)
        if result is None:
            return None
    return result


def _matrix_sum(left: Node | None, right: Node | None) -> Node | None:
    if not isinstance(left, Matrix) or not isinstance(right, Matrix) or shape(left) != shape(right):
        return None
    rows = zip(left.rows, right.rows, strict=True)
    return Matrix(tuple(tuple(Apply("add", pair) for pair in zip(*row, strict=True)) for row in rows))


def _matrix_product(left: Node | None, right: Node | None) -> Node | None:
    if isinstance(left, Matrix) and isinstance(right, Matrix):
        if shape(left)[1] != shape(right)[0]:
            return None
        columns = list(zip(*right.rows, strict=True))
        cells = (
            (Apply("add", tuple(Apply("mul", p) for p in zip(row, c, strict=True))) for c in columns)
            for row in left.rows
        )
        return Matrix(tuple(map(tuple, cells)))
    if isinstance(right, Matrix) and left is not None:
        return Matrix(tuple(tuple(Apply("mul", (left, cell)) for cell in row) for row in right.rows))
    return _matrix_product(right, left) if isinstance(left, Matrix) and right is not None else None


def shape(matrix: Matrix) -> tuple[int, int]:
    return len(matrix.rows), len(matrix.rows[0])
