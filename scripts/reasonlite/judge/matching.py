"""The comparison of two expressions: relations, regions, lists and sets, matrices, quantities."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

from reasonlite.judge import units
from reasonlite.judge.expansion import expanded, shape
from reasonlite.judge.expressions import (
    Apply,
    Group,
    Matrix,
    Node,
    Number,
    Quantity,
    Relation,
    Symbol,
    matrix_of,
    renamed,
)
from reasonlite.judge.numerics import NoValue, apart, degree, exact, mentions, proportional, symbols, value_at
from reasonlite.judge.regions import FLIPPED, Piece, is_plain, region
from reasonlite.judge.values import compare_values, has_decimal
from reasonlite.judge.verdicts import Verdict, all_equal, best, different, equal, loosely, undecided

NEAR = 0.05  # relatively, of a value and its approximation
MOST_ITEMS = 200  # of a list or set whose elements are paired in any order


def compare_nodes(left: Node, right: Node) -> Verdict:
    """The verdict on two expressions; the order of the two does not matter."""
    if left == right:
        return equal("text")
    left, right = expanded(left), expanded(right)
    if not (_holds_together(left) and _holds_together(right)):
        return undecided("an approximation far from its value")
    if isinstance(left, Matrix) != isinstance(right, Matrix):
        left, right = _as_matrix(left), _as_matrix(right)
    if is_plain(left) or is_plain(right):
        pieces = region(left), region(right)
        if pieces[0] is not None and pieces[1] is not None:
            verdict = _regions(pieces[0], pieces[1])
            unknowns = symbols(left), symbols(right)
            return verdict if unknowns[0] == unknowns[1] else loosely(verdict, "name")
    if isinstance(left, Relation) and isinstance(right, Relation):
        return _relations(left, right)
    lists = _solutions(left), _solutions(right)
    if lists[0] is not None or lists[1] is not None:
        return _lists(*(found or _single(node) for found, node in zip(lists, (left, right), strict=True)))
    for relation, other in ((left, right), (right, left)):
        if isinstance(relation, Relation):
            return _value_of(relation, other)
    if isinstance(left, Group) or isinstance(right, Group):
        return _groups(left, right)
    return _matrices(left, right) or _quantities(left, right)


def _as_matrix(node: Node) -> Node:
    """Rows between brackets, all of one length, as a matrix; anything else as it is."""
    if not isinstance(node, Group) or not all(isinstance(row, Group) and row.opening in "([" for row in node.items):
        return node
    return matrix_of(row.items for row in node.items if isinstance(row, Group)) or node


def _value_of(relation: Relation, other: Node) -> Verdict:
    """An equation beside a value: the one that it gives its name, if it gives one."""
    if "approx" in relation.operators and not symbols(relation):  # π ≈ 3.14 says it twice
        found = [compare_nodes(side, other) for side in relation.sides]
        return loosely(next((verdict for verdict in found if verdict.is_equal), found[0]), "name")
    value = _assigned(relation)
    if value is not None:
        return loosely(compare_nodes(value, other), "name")
    first = relation.sides[0]
    is_power = isinstance(first, Apply) and first.head in ("pow", "root") and _is_name(first.arguments[0])
    if is_power and relation.operators == ("=",) and compare_nodes(relation.sides[1], other).is_equal:
        return undecided("a power of a name")  # x^2 = 4 beside 4 may name x^2 or be solved for x
    return different("relation")


def _holds_together(node: Node) -> bool:
    """Whether the sides of an approximation that says a number twice are near each other; true of anything else."""
    if not isinstance(node, Relation) or "approx" not in node.operators or symbols(node):
        return True
    try:
        values = [value_at(_without_unit(side), {}) for side in node.sides]
        return all(abs(value - values[0]) <= NEAR * abs(values[0]) for value in values[1:])
    except NoValue:
        return False


def _without_unit(node: Node) -> Node:
    """The value of a quantity, a percentage as its share."""
    if not isinstance(node, Quantity):
        return node
    return Apply("div", (node.value, Number(Fraction(100)))) if node.unit == "%" else node.value


def _matrices(left: Node, right: Node) -> Verdict | None:
    if not isinstance(left, Matrix) or not isinstance(right, Matrix):
        return different("structure") if isinstance(left, Matrix) or isinstance(right, Matrix) else None
    if shape(left) != shape(right):
        return different("structure")
    cells = zip(itertools.chain(*left.rows), itertools.chain(*right.rows), strict=True)
    return all_equal((compare_nodes(*pair) for pair in cells), "structure")


# -- relations


def _is_name(node: Node) -> bool:
    """Whether a side of an equation only names a quantity: x, f(x), |AB|, V_1:V_2, (x, y), NO/BO."""
    if isinstance(node, Symbol):
        return node.name not in ("pi", "e", "i", "infty", "emptyset", "reals")
    if isinstance(node, Group):
        return all(map(_is_name, node.items))
    if not isinstance(node, Apply):
        return False
    return node.head.startswith("call ") or (
        node.head in ("mul", "div", "ratio", "abs", "sin", "cos", "tan") and all(map(_is_part, node.arguments))
    )


def _is_part(node: Node) -> bool:
    """Whether a factor belongs to a name; the square of BC is one, that of x is an equation's."""
    if isinstance(node, Apply) and node.head == "pow" and isinstance(node.arguments[1], Number):
        base = node.arguments[0]
        return isinstance(base, Symbol) and base.name[:1].isupper()
    return _is_name(node)


def _assigned(relation: Relation) -> Node | None:
    """The value that a chain of equations gives its name: 7 in x = 3 + 4 = 7, 1/3 in x = 1/3 ≈ 0.3."""
    if any(operator not in ("=", "approx") for operator in relation.operators):
        return None
    first, last = relation.sides[0], relation.sides[-1]
    equations = list(itertools.takewhile(lambda operator: operator == "=", relation.operators))
    value = relation.sides[len(equations)] if equations else last
    if not equations and not _is_name(first) and not symbols(relation):  # sqrt(3) ≈ 1.73: said twice
        return next((side for side in relation.sides if not has_decimal(side)), first)
    if first == last and not symbols(relation):  # 1 = 1 says nothing
        return None
    if _is_name(value) and not symbols(first):  # 5 = x
        return first
    return value if _is_name(first) or not (symbols(first) or symbols(value)) else None


def _name(node: Node) -> str | None:
    return repr(node.sides[0]) if isinstance(node, Relation) and _is_name(node.sides[0]) else None


def _relations(left: Relation, right: Relation) -> Verdict:
    right = _with_variable_of(left, right)
    first, second = _directed(left), _directed(right)
    if first == second:
        return equal("relation")
    chains = first.operators == second.operators and len(first.sides) > 2
    if chains and "=" not in first.operators:
        return all_equal((compare_nodes(*pair) for pair in zip(first.sides, second.sides, strict=True)), "relation")
    balances = [Apply("add", (part.sides[0], Apply("neg", (part.sides[1],)))) for part in (first, second)]
    if len(first.sides) == len(second.sides) == 2 and symbols(first) and symbols(second):
        sign = proportional(*balances)
        if sign and first.operators == second.operators in (("=",), ("!=",)):
            return equal("relation")
        if sign and (first if sign > 0 else _flipped(first)).operators == second.operators:
            return equal("relation")
        if sign:
            return different("relation")
        if first.operators == second.operators == ("=",) and _is_line(first) and _is_line(second):
            return different("relation")
    values = _assigned(left), _assigned(right)
    if values[0] is None or values[1] is None:
        are_equations = first.operators == second.operators == ("=",) and symbols(first) == symbols(second)
        if bool(symbols(left)) != bool(symbols(right)):  # 1 = 1 holds whatever x is
            return different("relation")
        if are_equations and (apart(*balances) or apart(*balances[::-1])):
            return different("relation")
        return undecided("relations") if left.operators[0] == right.operators[0] else different("relation")
    names = _name(left), _name(right)
    axes = {repr(Symbol(name)) for name in "xyz"}
    if names[0] != names[1] and names[0] in axes and names[1] in axes:
        return different("relation")
    verdict = compare_nodes(values[0], values[1])
    if names[0] != names[1] and verdict.is_equal and _functions(left.sides[0]) != _functions(right.sides[0]):
        return different("relation")  # sin x and cos x are no two names of one thing
    return verdict if names[0] == names[1] else loosely(verdict, "name")


def _with_variable_of(left: Relation, right: Relation) -> Relation:
    """f(z) = z with the variable of f(x) = x, where both define the same function."""
    heads = left.sides[0], right.sides[0]
    if not all(isinstance(head, Apply) and head.head.startswith("call ") for head in heads):
        return right
    (one, other) = ((head.head, head.arguments[0]) for head in heads if isinstance(head, Apply))
    if one[0] != other[0] or not (isinstance(one[1], Symbol) and isinstance(other[1], Symbol)):
        return right
    if one[1] == other[1] or one[1].name in symbols(right):
        return right
    found = renamed(right, other[1].name, one[1].name)
    return found if isinstance(found, Relation) else right


def _functions(node: Node) -> set[str]:
    if not isinstance(node, Apply):
        return set()
    own = {node.head} & {"sin", "cos", "tan"}
    return own.union(*map(_functions, node.arguments))


def _is_line(relation: Relation) -> bool:
    """Whether an equation is that of a line, a plane or the like, and no value of one unknown."""
    return len(symbols(relation)) > 1 and degree(relation) == 1


def _flipped(relation: Relation) -> Relation:
    return Relation(tuple(FLIPPED.get(operator, operator) for operator in relation.operators), relation.sides)


def _directed(relation: Relation) -> Relation:
    """With the smaller side first, where it is an inequality."""
    if relation.operators[0] in (">", ">="):
        return Relation(
            tuple(FLIPPED.get(operator, operator) for operator in relation.operators[::-1]), relation.sides[::-1]
        )
    return relation


# -- regions


def _regions(left: list[Piece], right: list[Piece]) -> Verdict:
    if [(piece.low_closed, piece.high_closed) for piece in left] != [
        (piece.low_closed, piece.high_closed) for piece in right
    ]:
        return different("interval")
    pairs = [
        (a, b)
        for one, other in zip(left, right, strict=True)
        for a, b in ((one.low, other.low), (one.high, other.high))
    ]
    return all_equal((compare_nodes(a, b) for a, b in pairs), "interval")


# -- lists of solutions


class _List:
    """Values in some order, each with its name if it has one."""

    def __init__(self, items: Sequence[Node], *, are_alternatives: bool = False) -> None:
        self.are_alternatives = are_alternatives  # joined by "or": never the parts of one tuple
        self.names = [_name(item) for item in items]
        self.values = [item if not isinstance(item, Relation) else _assigned(item) or item for item in items]
        period = len(set(self.names))
        if (
            None not in self.names
            and 1 < period < len(items)
            and self.names == self.names[:period] * (len(items) // period)
        ):
            self.values = [Group("(", ")", tuple(self.values[n : n + period])) for n in range(0, len(items), period)]
            self.names = [None] * len(self.values)  # p = 5, q = 2, p = 7, q = 2: two pairs

    @property
    def is_mapping(self) -> bool:
        """Whether every value has its own name, and the names are not one letter with indices."""
        if None in self.names or len(set(self.names)) < len(self.names):
            return False
        families = {str(name).partition("_")[0] for name in self.names}
        return len(families) == len(self.names) or len(self.names) == 1


def _solutions(node: Node) -> _List | None:
    if isinstance(node, Apply) and node.head in ("or", "and"):
        return _List(node.arguments, are_alternatives=node.head == "or")
    if not isinstance(node, Group) or node.opening != "":
        return None
    inner = [
        Group("(", ")", tuple(_List(item.items).values)) if isinstance(item, Group) and item.opening == "" else item
        for item in node.items
    ]
    return _List(inner)


def _single(node: Node) -> _List | Group:
    return node if isinstance(node, Group) and len(node.items) > 1 else _List([node])


def _lists(left: _List | Group, right: _List | Group) -> Verdict:
    if isinstance(left, Group) or isinstance(right, Group):
        group, other = (left, right) if isinstance(left, Group) else (right, left)
        assert isinstance(group, Group) and isinstance(other, _List)
        if group.opening == "{":
            return _unordered(group.items, other.values)
        if len(other.values) == 1:  # (x, y) = (1, 2) or a lone tuple in a list
            return compare_nodes(group, other.values[0])
        if other.are_alternatives:
            return different("structure")
        return loosely(_ordered(group.items, other.values), "brackets")
    if left.is_mapping and right.is_mapping and set(left.names) == set(right.names):
        values = dict(zip(right.names, right.values, strict=True))
        return all_equal(
            (compare_nodes(value, values[n]) for n, value in zip(left.names, left.values, strict=True)), "structure"
        )
    ordered = _ordered(left.values, right.values)
    unordered = ordered if ordered.is_equal else _unordered(left.values, right.values)
    if unordered.is_equal and not ordered.is_equal and left.is_mapping != right.is_mapping:
        return undecided("the order of named values")
    kinds = [{unit for item in each.values if (unit := _unit_of(item))} for each in (left, right)]
    several = len(left.values) != len(right.values) and max(map(len, kinds)) > 1
    if unordered.is_equal and several and kinds[0] != kinds[1]:
        return undecided("units")  # 12 positive and 12 negative numbers are not 12
    return unordered if left.names == right.names else loosely(unordered, "name")


def _unit_of(node: Node) -> str:
    return units.unit(node.unit) if isinstance(node, Quantity) else ""


def _ordered(left: Sequence[Node], right: Sequence[Node]) -> Verdict:
    if len(left) != len(right):
        return different("structure")
    return all_equal((compare_nodes(*pair) for pair in zip(left, right, strict=True)), "structure")


def _unordered(left: Sequence[Node], right: Sequence[Node]) -> Verdict:
    """Each element of one side has an equal on the other; repetition does not count."""
    if not left or not right:  # what holds of all elements of nothing says nothing
        return equal("structure") if len(left) == len(right) else different("structure")
    if max(len(left), len(right)) > MOST_ITEMS:
        return undecided("too many elements")
    table = [[compare_nodes(a, b) for b in right] for a in left]
    return all_equal(map(best, (*table, *zip(*table, strict=True))), "structure")


def _groups(left: Node, right: Node) -> Verdict:
    if isinstance(left, Group) and isinstance(right, Group):
        if "{" in (left.opening, right.opening):
            both = left.opening == right.opening
            return _unordered(left.items, right.items) if both else different("structure")
        brackets = {left.opening + left.closing, right.opening + right.closing}
        if len(brackets) > 1 and len(left.items) == len(right.items) == 2 and "<>" not in brackets:
            return different("structure")  # (1, 2) and [1, 2] may be intervals
        return _ordered(left.items, right.items)
    group, other = (left, right) if isinstance(left, Group) else (right, left)
    assert isinstance(group, Group)
    if isinstance(other, Matrix) and 1 in shape(other):  # a vector
        return loosely(_ordered(group.items, list(itertools.chain(*other.rows))), "vector")
    if group.opening == "{" and not isinstance(other, Matrix):
        return _unordered(group.items, [other])
    return different("structure")


# -- quantities


def _quantities(left: Node, right: Node) -> Verdict:
    measured = {node.unit for node in (left, right) if isinstance(node, Quantity)}
    if not measured:
        return _beside_letters(left, right)
    if not {"%", "degree"} & measured:
        left, right = (_in_letters(node) or node for node in (left, right))
    given = [node.unit if isinstance(node, Quantity) else None for node in (left, right)]
    values = [node.value if isinstance(node, Quantity) else node for node in (left, right)]
    if "%" in given:
        return _percentages(values, given)
    if "degree" in given and mentions(left, "pi") != mentions(right, "pi"):
        return compare_values(left, right)  # by radians
    names = [units.unit(unit) if unit else "" for unit in given]
    verdict = compare_nodes(values[0], values[1])
    if names[0] == names[1] or "" in names:
        return verdict if names[0] == names[1] else loosely(verdict, "unit")
    factor = units.scale(names[0], names[1])
    if factor is not None:
        return compare_nodes(Apply("mul", (Number(factor), values[0])), values[1])
    return undecided("units") if verdict.is_equal else verdict


def _beside_letters(left: Node, right: Node) -> Verdict:
    """Two scalars; a number beside one with letters that may be its unit, 5 and 5m, is not said to be another."""
    verdict = compare_values(left, right)
    if verdict.verdict == "different":
        for node, other in ((left, right), (right, left)):
            measured = _in_letters(node)
            if measured is not None and exact(other) is not None and compare_values(measured.value, other).is_equal:
                return undecided("units")
    return verdict


def _in_letters(node: Node) -> Quantity | None:
    """A product of a number and letters that spell a unit: 100 m^2, 5 m/s."""
    if isinstance(node, Apply) and node.head == "div":
        above, below = _in_letters(node.arguments[0]), _spelled(node.arguments[1:])
        words = None if above is None or below is None else f"{above.unit} / {below}"
        value = None if above is None else above.value
    elif isinstance(node, Apply) and node.head == "mul" and exact(node.arguments[0]) is not None:
        words, value = _spelled(node.arguments[1:]), node.arguments[0]
    else:
        return None
    return Quantity(value, words) if words and value is not None and units.scale(words, words) is not None else None


def _spelled(factors: Sequence[Node]) -> str | None:
    """Letters side by side as one word, with the power of the last: m, km^2; None for anything else."""
    names = ""
    for place, factor in enumerate(factors, 1):
        base, power = factor, Fraction(1)
        if isinstance(factor, Apply) and factor.head == "pow" and isinstance(factor.arguments[1], Number):
            base, power = factor.arguments[0], factor.arguments[1].value
        if not isinstance(base, Symbol) or (power != 1 and place < len(factors)) or power.denominator != 1:
            return None
        names += base.name if power == 1 else f"{base.name}^{power}"
    return names


def _percentages(values: list[Node], given: list[str | None]) -> Verdict:
    verdict = compare_nodes(values[0], values[1])
    if given[0] == given[1]:
        return verdict
    if verdict.is_equal:
        return loosely(verdict, "percent")
    plain, percentage = values if given[1] == "%" else values[::-1]
    return loosely(compare_nodes(Apply("mul", (Number(Fraction(100)), plain)), percentage), "percent")
