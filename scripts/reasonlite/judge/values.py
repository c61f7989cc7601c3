"""The comparison of scalars: exact numbers, decimals that round, ratios, infinities, numbers in other bases."""

from __future__ import annotations

from fractions import Fraction

from reasonlite.judge.expressions import Apply, Group, Matrix, Node, Number, Numeral, Symbol
from reasonlite.judge.numerics import NoValue, children, exact, identical, mentions, value_at
from reasonlite.judge.verdicts import ROUNDED_LABEL, Verdict, all_equal, different, equal, undecided

PLACES_FOR_ROUNDING = 4
SIGNIFICANT_FOR_ROUNDING = 5
SIGNIFICANT_IN_LABEL = 3


def compare_values(left: Node, right: Node) -> Verdict:
    """The verdict on two scalars: exactly, by rounding, or by their values at points."""
    numerals = _numeral(left), _numeral(right)
    if numerals[0] is not None or numerals[1] is not None:
        return _numerals(left, right, numerals)
    numbers = exact(left), exact(right)
    if numbers[0] is not None and numbers[1] is not None:
        if numbers[0] == numbers[1]:
            return equal("number")
        rounding = _rounding(left, right)
        return equal(rounding) if rounding else different("number")
    constants = [node for node in (left, right) if node in (Symbol("emptyset"), Symbol("reals"), Symbol("infty"))]
    if constants:
        return different("value")
    ratios = [node for node in (left, right) if isinstance(node, Apply) and node.head == "ratio"]
    if len(ratios) == 2 and max(len(ratio.arguments) for ratio in ratios) > 2:
        return _ratios(*ratios)
    if mentions(left, "infty") or mentions(right, "infty"):
        return _infinities(left, right)
    if _holds_several(left) != _holds_several(right):  # 1 beside -[0, 1), a function beside a vector of them
        return different("structure")
    same, method = identical(left, right)
    if same is None:
        return undecided(method)
    if not same and (rounding := _rounding(left, right)):
        return equal(rounding)
    return equal(method) if same else different(method)


def _infinities(left: Node, right: Node) -> Verdict:
    signs = [node.head if isinstance(node, Apply) else "" for node in (left, right)]
    plain = [node.arguments[0] if isinstance(node, Apply) and node.head == "neg" else node for node in (left, right)]
    if all(node == Symbol("infty") for node in plain):
        return equal("value") if signs[0] == signs[1] else different("value")
    return different("value") if sum(mentions(node, "infty") for node in (left, right)) == 1 else undecided("infinity")


def _ratios(left: Apply, right: Apply) -> Verdict:
    if len(left.arguments) != len(right.arguments):
        return different("structure")
    first, second = (
        [Apply("div", (part, ratio.arguments[0])) for part in ratio.arguments[1:]] for ratio in (left, right)
    )
    return all_equal((compare_values(*pair) for pair in zip(first, second, strict=True)), "structure")


def _numeral(node: Node) -> int | None:
    """The digits of a number in another base, with its sign, read as if its base were ten; None for anything else."""
    if isinstance(node, Apply) and node.head == "neg":
        inner = _numeral(node.arguments[0])
        return None if inner is None else -inner
    return int(node.digits) if isinstance(node, Numeral) else None


def _numerals(left: Node, right: Node, digits: tuple[int | None, int | None]) -> Verdict:
    """Numbers in bases; the base may be left out: 204 for 204_5."""
    values = exact(left), exact(right)
    if None not in digits:
        same = values[0] is not None and values[0] == values[1]
        return equal("number") if same else different("number")
    numeral, other = (0, 1) if digits[0] is not None else (1, 0)
    if values[other] == digits[numeral]:
        return equal("base")
    return undecided("base") if values[other] == values[numeral] else different("base")


def _decimal(node: Node) -> tuple[Number, int] | None:
    """A decimal and its sign."""
    if isinstance(node, Apply) and node.head == "neg" and isinstance(node.arguments[0], Number):
        return (node.arguments[0], -1) if node.arguments[0].places is not None else None
    return (node, 1) if isinstance(node, Number) and node.places is not None else None


def _holds_several(node: Node) -> bool:
    """Whether a set, a tuple or a matrix stands in an expression, but for a determinant, which is a number."""
    if isinstance(node, Apply) and node.head in ("det", "abs"):
        return False
    return isinstance(node, (Group, Matrix)) or any(map(_holds_several, children(node)))


def has_decimal(node: Node) -> bool:
    """Whether a number that is written with places stands in an expression."""
    return (isinstance(node, Number) and node.places is not None) or any(map(has_decimal, children(node)))


def _rounding(left: Node, right: Node) -> str | None:
    """The method if one is a decimal that rounds the other, and has digits enough; else None."""
    for candidate, other in ((left, right), (right, left)):
        scale, decimal = _scaled(candidate)
        if decimal is None:
            continue
        number, sign = decimal
        assert number.places is not None
        significant = len(str(int(number.value * 10**number.places)))
        enough = number.places >= PLACES_FOR_ROUNDING or (
            number.places >= 2 and significant >= SIGNIFICANT_FOR_ROUNDING
        )
        method = "rounded" if enough and scale == 1 and not has_decimal(other) else None
        # 27.0 is how programs write 27
        may_round = number.in_label and significant >= SIGNIFICANT_IN_LABEL and (number.places > 1 or number.value % 1)
        if method is None and may_round and _is_finer(other, candidate):
            method = ROUNDED_LABEL
        if method and _is_within(other, sign * number.value * scale, Fraction(10) ** -number.places * scale):
            return method
    return None


def _scaled(node: Node) -> tuple[Fraction, tuple[Number, int] | None]:
    """The power of ten before which a decimal stands, and the decimal: 6.02 times 10^23."""
    if isinstance(node, Apply) and node.head == "mul" and len(node.arguments) == 2:
        power = exact(node.arguments[1])
        if power is not None and power > 0 and _is_power_of_ten(power):
            return power, _decimal(node.arguments[0])
    return Fraction(1), _decimal(node)


def _is_power_of_ten(value: Fraction) -> bool:
    digits = str(max(value.numerator, value.denominator))
    return min(value.numerator, value.denominator) == 1 and digits.rstrip("0") == "1"


def _is_finer(answer: Node, label: Node) -> bool:
    """Whether an answer is exact, or a decimal whose last digit is worth less than the label's."""
    steps = []
    for node in (answer, label):
        scale, decimal = _scaled(node)
        steps.append(None if decimal is None else scale / 10 ** (decimal[0].places or 0))
    return steps[0] is None or (steps[1] is not None and steps[0] < steps[1])


def _is_within(node: Node, value: Fraction, step: Fraction) -> bool:
    """Whether the value of an expression is no further away than half a step."""
    try:
        off = abs(value_at(node, {}) - value_at(Number(value), {}))
    except NoValue:
        return False
    return bool(2 * off <= value_at(Number(step), {}) * (1 + 1e-9))
