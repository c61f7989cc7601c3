"""Values of expressions: exact where they are rational, and to sixty digits at chosen points.

Two expressions that agree at points drawn without regard to them are the same function,
save with a probability that does not matter (Schwartz 1980, Zippel 1979, for polynomials);
two that differ at one point are not. No simplification is tried, so none can hang: the
work grows with the length of the expression, and magnitudes are bounded before any power,
factorial or binomial is taken.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
from collections.abc import Callable, Iterable
from fractions import Fraction

import mpmath

from reasonlite.judge.expressions import Apply, Group, Matrix, Node, Number, Numeral, Quantity, Relation, Symbol

DIGITS = 60
AGREEMENT = 40  # digits that have to be the same
FINE = 4 * DIGITS  # digits when a verdict is confirmed
MARGIN = 90  # of them that cancellation may cost
STARTS, STEPS = 3, 40  # of the search for a root
MOST_BITS = 40_000  # of an exact number
LARGEST_EXPONENT = 1e9  # decimal exponent of a value to sixty digits
_CONSTANTS = frozenset({"pi", "e", "i", "infty", "reals", "emptyset"})
_mp = mpmath.MPContext()
_mp.dps = DIGITS


class NoValue(ArithmeticError):
    """The expression has no value here; the message says why."""


class TooLarge(NoValue):
    """A value is beyond the limits."""


# -- exact values


def exact(node: Node) -> Fraction | None:
    """The value of a rational expression without symbols; None if it has none or is too large."""
    try:
        return _exact(node)
    except (NoValue, ZeroDivisionError):
        return None


def _exact(node: Node) -> Fraction:
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Numeral):
        try:
            return Fraction(int(node.digits, node.base))
        except ValueError as error:
            raise NoValue("digits beyond the base") from error
    if isinstance(node, Quantity):
        return _exact(node.value) / (100 if node.unit == "%" else 1)
    if not isinstance(node, Apply) or node.head not in _EXACT or (node.head == "ratio" and len(node.arguments) != 2):
        raise NoValue("not rational")
    value = _EXACT[node.head](*map(_exact, node.arguments))
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
        raise TooLarge("too large")
    return value


def _exact_power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise NoValue("not rational")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if (bits - 1) * abs(exponent) > MOST_BITS:
        raise TooLarge("too large")
    return base ** int(exponent)


def _whole(value: Fraction, most: int) -> int:
    if value.denominator != 1 or not 0 <= value <= most:
        raise NoValue("not a whole number in range")
    return int(value)


def _exact_root(radicand: Fraction, degree: Fraction) -> Fraction:
    if degree != 2 or radicand < 0:
        raise NoValue("not rational")
    roots = math.isqrt(radicand.numerator), math.isqrt(radicand.denominator)
    if (roots[0] ** 2, roots[1] ** 2) != (radicand.numerator, radicand.denominator):
        raise NoValue("not rational")
    return Fraction(*roots)


_EXACT: dict[str, Callable[..., Fraction]] = {
    "add": lambda *terms: sum(terms, Fraction(0)),
    "mul": lambda *factors: math.prod(factors, start=Fraction(1)),
    "div": lambda left, right: left / right,
    "neg": lambda value: -value,
    "pow": _exact_power,
    "root": _exact_root,
    "abs": abs,
    "factorial": lambda value: Fraction(math.factorial(_whole(value, 2_000))),
    "binom": lambda n, k: Fraction(math.comb(_whole(n, 2_000), _whole(k, 2_000))),
    "floor": lambda value: Fraction(math.floor(value)),
    "ceil": lambda value: Fraction(math.ceil(value)),
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "ratio": lambda left, right: left / right,
    "gcd": lambda *values: Fraction(math.gcd(*(_whole(value, 10**100) for value in values))),
    "lcm": lambda *values: Fraction(math.lcm(*(_whole(value, 10**20) for value in values))),
}


# -- values at points


@functools.lru_cache(maxsize=4096)
def symbols(node: Node) -> frozenset[str]:
    """The names of an expression's symbols, constants left out."""
    if isinstance(node, Symbol):
        return frozenset({node.name}) - _CONSTANTS
    return frozenset().union(*map(symbols, children(node)))


def children(node: Node) -> Iterable[Node]:
    if isinstance(node, Apply):
        return node.arguments
    if isinstance(node, Group):
        return node.items
    if isinstance(node, Relation):
        return node.sides
    if isinstance(node, Matrix):
        return [cell for row in node.rows for cell in row]
    return (node.value,) if isinstance(node, Quantity) else ()


def mentions(node: Node, name: str) -> bool:
    """Whether a constant or symbol of that name, or a function of that head, stands in the expression."""
    if (isinstance(node, Symbol) and node.name == name) or (isinstance(node, Apply) and node.head == name):
        return True
    return any(mentions(child, name) for child in children(node))


def degree(node: Node) -> int | None:
    """The degree of a polynomial in its symbols, before anything cancels; None for anything else."""
    if not symbols(node):
        return 0
    if isinstance(node, (Symbol, Quantity)):
        return 1 if isinstance(node, Symbol) else degree(node.value)
    degrees = [degree(child) for child in children(node)]
    known = [value for value in degrees if value is not None]
    if len(known) < len(degrees) or not isinstance(node, (Apply, Relation)):
        return None
    if isinstance(node, Relation) or node.head in ("add", "neg"):
        return max(known)
    if node.head == "mul":
        return sum(known)
    return known[0] if node.head == "div" and known[1] == 0 else None


@functools.lru_cache(maxsize=1024)
def points(names: frozenset[str]) -> list[dict[str, mpmath.mpf]]:
    """Where to evaluate: positive, of mixed sign, small, and whole; one empty point without names.

    The values depend on the names alone, so that the order of two expressions does not matter. The
    lists are kept: they are not to be changed.
    """
    if not names:
        return [{}]
    ranges = [(0.5, 3.0), (0.5, 3.0), (1.0, 9.0), (-3.0, 3.0), (-3.0, 3.0), (-9.0, -1.0), (0.05, 0.3)]
    listed = [
        {name: _mp.mpf(low) + (high - low) * _fraction(f"{name}:{number}") for name in names}
        for number, (low, high) in enumerate(ranges)
    ]
    return [*listed, {name: _mp.mpf(2 + int(_fraction(f"{name}:whole") * 9)) for name in names}]


def _fraction(seed: str) -> mpmath.mpf:
    """A number in [0, 1) with as many random bits as the precision has."""
    digest = hashlib.blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=32).digest()
    return _mp.mpf(int.from_bytes(digest, "big")) / _mp.mpf(2) ** 256


def value_at(node: Node, point: dict[str, mpmath.mpf], *, natural_log: bool = True) -> mpmath.mpf | mpmath.mpc:
    """The value to sixty digits; NoValue where there is none.

    Real throughout unless the expression mentions i. A bare ``\\log`` is natural or decimal.
    """
    return _Evaluation(point, mentions(node, "i"), natural_log).value(node)


class _Evaluation:
    def __init__(self, point: dict[str, mpmath.mpf], complex_values: bool, natural_log: bool) -> None:
        self._point = point
        self._complex = complex_values
        self._natural_log = natural_log

    def value(self, node: Node) -> mpmath.mpf | mpmath.mpc:
        if isinstance(node, Number):
            return _mp.mpf(node.value.numerator) / node.value.denominator
        if isinstance(node, Numeral):
            return _mp.mpf(int(_exact(node)))
        if isinstance(node, Symbol):
            return self._symbol(node.name)
        if isinstance(node, Quantity):
            factor = {"%": _mp.mpf(1) / 100, "degree": _mp.pi / 180}.get(node.unit, 1)
            return self.value(node.value) * factor
        if not isinstance(node, Apply):
            raise NoValue("not a number")
        try:
            found = self._apply(node.head, [self.value(argument) for argument in node.arguments])
        except (ValueError, ZeroDivisionError, OverflowError, TypeError) as error:
            raise NoValue(str(error) or type(error).__name__) from error
        if not _mp.isfinite(found):
            raise NoValue("not finite")
        if not self._complex and _mp.im(found) != 0:
            raise NoValue("not real")
        if found != 0 and abs(_mp.mag(found)) > LARGEST_EXPONENT:
            raise TooLarge("too large")
        return found

    def _symbol(self, name: str) -> mpmath.mpf | mpmath.mpc:
        if name in self._point:
            return self._point[name]
        constants = {"pi": _mp.pi, "e": _mp.e, "i": _mp.j}
        if name not in constants:
            raise NoValue(f"{name} is no number")
        return +constants[name] if name != "i" else constants[name]

    def _apply(self, head: str, values: list) -> mpmath.mpf | mpmath.mpc:
        if head.startswith("call "):  # an unknown function: any value that depends on the arguments alone
            return 1 + _fraction(head + ",".join(_mp.nstr(value, 30) for value in values))
        if head in ("log", "lg", "ln") and len(values) == 1:
            natural = head == "ln" or (head == "log" and self._natural_log)
            return _mp.log(values[0]) if natural else _mp.log(values[0], 10)
        if head in ("pow", "root"):
            exponent = values[1] if head == "pow" else 1 / values[1]
            return self._power(values[0], exponent)
        function = _FUNCTIONS.get(head)
        if function is None:
            raise NoValue(f"no values for {head}")
        return function(*values)

    def _power(self, base: mpmath.mpf, exponent: mpmath.mpf) -> mpmath.mpf | mpmath.mpc:
        if base != 0 and _mp.mag(base) * max(1, abs(_mp.re(exponent))) > LARGEST_EXPONENT * 4:
            raise TooLarge("too large")
        if self._complex or base >= 0 or exponent == int(_mp.nint(exponent)):
            return _mp.power(base, exponent)
        # real roots of negative numbers: the exponent as a fraction with an odd denominator
        ratio = Fraction(int(_mp.nint(exponent * 10_395)), 10_395)  # 3·5·7·9·11
        if abs(exponent * 10_395 - _mp.nint(exponent * 10_395)) > _mp.mpf(10) ** -AGREEMENT:
            raise NoValue("not real")
        return _mp.power(-base, exponent) * (-1 if ratio.numerator % 2 else 1)


def _bounded_factorial(value: mpmath.mpf) -> mpmath.mpf:
    if abs(value) > 10**7:
        raise TooLarge("too large")
    return _mp.factorial(value)


def _bounded_binomial(n: mpmath.mpf, k: mpmath.mpf) -> mpmath.mpf:
    if max(abs(n), abs(k)) > 10**7:
        raise TooLarge("too large")
    return _mp.binomial(n, k)


def _exponential(value: mpmath.mpf) -> mpmath.mpf:
    if abs(value) > LARGEST_EXPONENT:
        raise TooLarge("too large")
    return _mp.exp(value)


def _circular(function: Callable) -> Callable:
    def bounded(value: mpmath.mpf) -> mpmath.mpf:
        if value != 0 and _mp.mag(value) > 100:
            raise TooLarge("an angle too large for the precision")
        return function(value)

    return bounded


_FUNCTIONS: dict[str, Callable] = {
    "add": lambda *terms: _mp.fsum(terms),
    "mul": lambda *factors: _mp.fprod(factors),
    "div": lambda left, right: left / right,
    "ratio": lambda left, right: left / right,
    "neg": lambda value: -value,
    "abs": abs,
    "factorial": _bounded_factorial,
    "binom": _bounded_binomial,
    "floor": _mp.floor,
    "ceil": _mp.ceil,
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "exp": _exponential,
    "log": lambda value, base: _mp.log(value) / _mp.log(base),
    "ln": _mp.log,
    **{name: _circular(getattr(_mp, name)) for name in ("sin", "cos", "tan", "cot", "sec", "csc")},
    **{name: _circular(getattr(_mp, name)) for name in ("sinh", "cosh", "tanh", "coth", "sech", "csch")},
    **{f"arc{name}": getattr(_mp, f"a{name}") for name in ("sin", "cos", "tan", "cot", "sec", "csc")},
    **{f"arc{name}": getattr(_mp, f"a{name}") for name in ("sinh", "cosh", "tanh")},
    "sgn": _mp.sign,
}


# -- identity


def same_number(left: mpmath.mpf | mpmath.mpc, right: mpmath.mpf | mpmath.mpc) -> bool:
    """Whether two values agree to AGREEMENT digits of the larger one."""
    return abs(left - right) <= _mp.mpf(10) ** -AGREEMENT * max(abs(left), abs(right))


def _confirmed(
    nodes: tuple[Node, Node], rough: list[mpmath.mpf], point: dict[str, mpmath.mpf], *, natural_log: bool
) -> bool | None:
    """Whether two values are the same, worked out once more; None if the digits do not suffice to know.

    ``rough``: the values at the point to DIGITS. Values that are known are the same if they agree to all but MARGIN of
    the FINE digits, relatively: e^-200 is not e^-201.
    """
    with _mp.workdps(FINE):
        left, right = (
            _known(node, value, point, natural_log=natural_log) for node, value in zip(nodes, rough, strict=True)
        )
        if left is None or right is None:
            return None
        return bool(abs(left - right) <= _mp.mpf(10) ** -(FINE - MARGIN) * max(abs(left), abs(right)))


def _known(
    node: Node, rough: mpmath.mpf, point: dict[str, mpmath.mpf], *, natural_log: bool
) -> mpmath.mpf | mpmath.mpc | None:
    """A value at the present precision, if it is known there.

    What cancels leaves rounding errors, and these shrink with the precision, which a value does not. So a value that
    stays is known, one that shrinks with the precision is zero, and of anything else nothing is said.
    """
    try:
        fine = value_at(node, point, natural_log=natural_log)
    except NoValue:
        return None
    shrinks = abs(fine) <= min(abs(rough) * _mp.mpf(10) ** -DIGITS, _mp.mpf(10) ** -(FINE - MARGIN))
    if shrinks or (rough == 0 and abs(fine) <= _mp.mpf(10) ** -(FINE - DIGITS // 2)):
        return _mp.mpf(0)
    return fine if abs(fine - rough) <= _mp.mpf(10) ** -(DIGITS // 3) * abs(fine) else None


def identical(left: Node, right: Node) -> tuple[bool | None, str]:
    """Whether two expressions are the same function: True, False, or None; and what decided, or why nothing did."""
    if mentions(left, "log") or mentions(right, "log"):
        natural, decimal = (_identical(left, right, natural_log=natural) for natural in (True, False))
        return natural if natural == decimal else (None, "the base of log is not said")
    return _identical(left, right, natural_log=True)


def _identical(left: Node, right: Node, *, natural_log: bool) -> tuple[bool | None, str]:
    confirmed = functools.partial(_confirmed, (left, right), natural_log=natural_log)
    agreed, one_sided, reason = None, False, ""
    for point in points(symbols(left) | symbols(right)):
        values = []
        for node in (left, right):
            try:
                values.append(value_at(node, point, natural_log=natural_log))
            except TooLarge as error:
                return None, str(error)
            except NoValue as error:
                reason = str(error)
        if len(values) == 2:
            if not same_number(*values) and (same := confirmed(values, point)) is not True:
                return same, "value" if same is False else "not precise enough"
            agreed = values, point
        elif values:
            one_sided = True
    if agreed is None:
        return None, reason or "no values"
    if one_sided:
        return None, "equal where both are defined"
    same = confirmed(*agreed)
    return same, "value" if same is not None else "not precise enough"


def apart(left: Node, right: Node) -> bool:
    """Whether a point is found where ``left`` is zero and ``right`` is not: two equations that are not the same.

    Looked for with the secant method along one unknown after the other; what is not found says nothing.
    """
    for name, point in itertools.product(sorted(symbols(left)), points(symbols(left) | symbols(right))[:STARTS]):

        def along(value: mpmath.mpf, name: str = name, point: dict[str, mpmath.mpf] = point) -> mpmath.mpf:
            return value_at(left, point | {name: value})

        try:
            root = _mp.findroot(along, point[name], tol=_mp.mpf(10) ** -DIGITS, maxsteps=STEPS)
            found = value_at(right, point | {name: root})
        except (NoValue, ValueError, ZeroDivisionError):
            continue
        if not _mp.im(root) and abs(found) > _mp.mpf(10) ** -(DIGITS // 4):
            return True
    return False


def proportional(left: Node, right: Node) -> int | None:
    """The sign of c where ``left = c * right`` for a constant c other than 0; None if there is none."""
    ratios = []
    for point in points(symbols(left) | symbols(right)):
        try:
            values = value_at(left, point), value_at(right, point)
        except NoValue:
            continue
        if values[0] == values[1] == 0:
            continue
        if values[1] == 0 or values[0] == 0 or _mp.im(values[0]) or _mp.im(values[1]):
            return None
        ratios.append(values[0] / values[1])
    if len(ratios) < 3 or not all(same_number(ratio / ratios[0], _mp.mpf(1)) for ratio in ratios):
        return None
    return 1 if ratios[0] > 0 else -1
