"""Verdicts on pairs that are equal or different by construction, beside math-verify's on a sample of the same pairs.

    python tests/benchmarks/judge_construction.py [--pairs 100000] [--peer 500] [--seed 0] [--show 5]

Expressions, sets, intervals, tuples, matrices and equations are drawn at random. Equal pairs write the same thing in
two ways: SymPy's printers (LaTeX with its options, Python, Mathematica, Maple), Maxima's and Unicode's spelling, the
way models write, and rewriting by identities. Different pairs change one number, sign, operator, bound or bracket;
SymPy's own values at two points say that something has changed. An equal pair may be undecided now and then; it must
never be different, and a different pair must never be equal.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import sympy
from sympy.printing.maple import maple_code
from sympy.printing.mathematica import mathematica_code

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from reasonlite.judge import compare

X, Y = sympy.symbols("x y")
POINTS = ({X: sympy.Rational(37, 29), Y: sympy.Rational(53, 31)}, {X: sympy.Rational(17, 11), Y: sympy.Rational(7, 13)})
FUNCTIONS = [sympy.sin, sympy.cos, sympy.tan, sympy.exp, sympy.log, sympy.Abs, sympy.atan, sympy.sinh]
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


# -- things


def number(rng: random.Random) -> sympy.Expr:
    kind = rng.random()
    if kind < 0.6:
        return sympy.Integer(rng.randint(1, 12))
    if kind < 0.8:
        return sympy.Rational(rng.randint(1, 12), rng.randint(2, 12))
    return rng.choice([sympy.pi, sympy.sqrt(rng.choice([2, 3, 5, 7])), sympy.E])


def expression(rng: random.Random, depth: int, names: tuple = (X, Y)) -> sympy.Expr:
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(names) if names and rng.random() < 0.6 else number(rng)
    one, other = expression(rng, depth - 1, names), expression(rng, depth - 1, names)
    kind = rng.randrange(9)
    if kind < 2:
        return one + other
    if kind == 2:
        return one - other
    if kind < 5:
        return one * other
    if kind == 5:
        return one / other if other != 0 else one
    if kind == 6:
        return one ** rng.choice([2, 3, -1])
    return sympy.sqrt(one) if kind == 7 else rng.choice(FUNCTIONS)(one)


def constant(rng: random.Random) -> sympy.Expr:
    return expression(rng, rng.randint(1, 2), ())


def interval(rng: random.Random) -> sympy.Set:
    low = sympy.Rational(rng.randint(-20, 10), rng.randint(1, 4))
    high = low + sympy.Rational(rng.randint(1, 20), rng.randint(1, 4))
    if rng.random() < 0.2:
        low, high = rng.choice([(-sympy.oo, high), (low, sympy.oo)])
    return sympy.Interval(low, high, left_open=rng.random() < 0.5, right_open=rng.random() < 0.5)


def union(rng: random.Random) -> sympy.Set:
    """Two intervals with room between them."""
    low = interval(rng)
    start = (low.end if low.end != sympy.oo else sympy.Integer(0)) + rng.randint(1, 5)
    high = sympy.Interval(start, start + rng.randint(1, 9), left_open=rng.random() < 0.5, right_open=rng.random() < 0.5)
    return low if low.end == sympy.oo else sympy.Union(low, high)


KINDS: dict[str, Callable[[random.Random], object]] = {
    "expression": lambda rng: expression(rng, rng.randint(1, 3)),
    "constant": constant,
    "tuple": lambda rng: sympy.Tuple(*(constant(rng) for _ in range(rng.randint(2, 4)))),
    "set": lambda rng: sympy.FiniteSet(*(constant(rng) for _ in range(rng.randint(2, 4)))),
    "interval": interval,
    "union": union,
    "matrix": lambda rng: sympy.ImmutableMatrix(
        2, rng.randint(2, 3), lambda i, j: rng.randint(-9, 9) * X ** int(i == j)
    ),
    "equation": lambda rng: sympy.Eq(Y, expression(rng, rng.randint(1, 2), (X,)), evaluate=False),
}


# -- ways of writing


def unicode_text(thing: object) -> str:
    text = sympy.sstr(thing)
    text = re.sub(r"\*\*(-?\d+)(?![\d.])", lambda match: match[1].translate(RAISED), text)
    text = re.sub(r"\*\*\((-?\d+)\)", lambda match: match[1].translate(RAISED), text)
    return text.replace("sqrt", "√").replace("pi", "π").replace("**", "^").replace("*", "·").replace("-", "−")


def as_models_write(thing: object) -> str:
    """Carets, no signs of multiplication between a number and a letter, and dollars around."""
    text = sympy.sstr(thing).replace("**", "^").replace("sqrt", "\\sqrt").replace("pi", "\\pi ")
    text = re.sub(r"\\sqrt\(([^()]*)\)", r"\\sqrt{\1}", text)
    return "$" + re.sub(r"(?<=\d)\*(?=[a-z\\])", "", text) + "$"


def maxima(thing: object) -> str:
    """SymPy has no printer for it."""
    text = re.sub(r"\bpi\b", "%pi", re.sub(r"\bE\b", "%e", sympy.sstr(thing).replace("**", "^")))
    return re.sub(r"Matrix\(\[(\[.*\])\]\)", r"matrix(\1)", text)


PRINTERS: dict[str, Callable[[object], str]] = {
    "latex": sympy.latex,
    "latex folded": lambda thing: sympy.latex(thing, fold_frac_powers=True),
    "latex times": lambda thing: sympy.latex(thing, mul_symbol="times", root_notation=False),
    "latex dot": lambda thing: sympy.latex(thing, mul_symbol="dot", mat_delim="(", mat_str="pmatrix"),
    "python": sympy.sstr,
    "mathematica": mathematica_code,
    "maple": lambda thing: maple_code(thing).replace("ln(", "log("),  # whether log is natural, nobody says
    "maxima": maxima,
    "unicode": unicode_text,
    "models": as_models_write,
}


def inequality(thing: sympy.Set) -> str:
    """-2 < x and x <= 3, in LaTeX."""
    return sympy.latex(thing.as_relational(X))


WRITERS = PRINTERS | {"inequality": inequality}
# a set or an interval has one form that people write; the programs' own names of them are no answers to a problem
PLAIN = {
    "interval": ["latex", "inequality"],
    "union": ["latex", "inequality"],
    "set": ["latex", "latex folded", "latex times", "latex dot", "python", "unicode"],
    "tuple": ["latex", "latex folded", "latex times", "latex dot", "python", "unicode"],
    "matrix": ["latex", "latex dot", "python", "mathematica", "maxima"],
    "equation": ["latex", "latex folded", "latex times", "latex dot"],
}


def rewritten(thing: object, rng: random.Random) -> object:
    """The same expression by an identity, where it is one."""
    if not isinstance(thing, sympy.Expr) or isinstance(thing, sympy.MatrixBase):
        return thing
    one = rng.choice([X, Y, X * Y, X**2, sympy.Integer(3), sympy.pi])  # defined everywhere
    ways = [sympy.expand, sympy.together, sympy.factor, lambda value: sympy.Add(value, one, -one, evaluate=False)]
    return rng.choice(ways)(thing)


def changed(thing: object, rng: random.Random) -> object:
    """The thing with one number, sign, operator, bound or bracket changed."""
    if isinstance(thing, sympy.Interval):
        low, high, left, right = thing.args
        ways = [(low, high, not left, right), (low, high, left, not right), (low - 1, high, left, right)]
        return sympy.Interval(*rng.choice(ways))
    if isinstance(thing, sympy.Union):
        return sympy.Union(changed(thing.args[0], rng), *thing.args[1:])
    if isinstance(thing, sympy.MatrixBase):
        i, j = rng.randrange(thing.rows), rng.randrange(thing.cols)
        cells = thing.as_mutable()
        cells[i, j] += rng.choice([-1, 1])
        return sympy.ImmutableMatrix(cells)
    if isinstance(thing, (sympy.Tuple, sympy.FiniteSet)):
        items = list(thing.args)
        place = rng.randrange(len(items))
        items[place] = changed(items[place], rng)
        return type(thing)(*items)
    if isinstance(thing, sympy.Equality):
        return sympy.Eq(thing.lhs, changed(thing.rhs, rng), evaluate=False)
    nodes = list(sympy.preorder_traversal(thing))
    node = rng.choice(nodes)
    if isinstance(node, sympy.Add):
        new = rng.choice([sympy.Mul(*node.args), node - 2 * node.args[0]])
    elif isinstance(node, (sympy.Integer, sympy.Rational)):
        new = rng.choice([node + 1, -node, node - 1])
    else:
        new = rng.choice([-node, node + 1, 2 * node])
    return thing.subs(node, new)


def values(thing: object) -> list[complex] | None:
    """Numbers that tell things apart: at two points, of all parts; None where SymPy has none."""
    if isinstance(thing, (sympy.Interval, sympy.Union)):
        return None
    if isinstance(thing, sympy.MatrixBase):
        parts = list(thing)
    elif isinstance(thing, sympy.Equality):
        parts = [thing.rhs]
    else:
        parts = list(thing.args) if isinstance(thing, (sympy.Tuple, sympy.FiniteSet)) else [thing]
    try:
        found = [complex(part.subs(point).evalf(30)) for part in parts for point in POINTS]
    except (TypeError, ValueError, OverflowError):
        return None
    return found if all(abs(value) < 1e12 and abs(value.imag) < 1e-12 for value in found) else None


def pair(kind: str, equal: bool, rng: random.Random) -> tuple[str, str] | None:
    """Two texts, equal or different by construction; None where nothing sound came out."""
    thing = KINDS[kind](rng)
    own = values(thing)
    is_set = kind in ("interval", "union")
    if own is None and not is_set:
        return None
    names = PLAIN.get(kind, list(PRINTERS))
    other = rewritten(thing, rng) if equal and rng.random() < 0.5 else thing if equal else changed(thing, rng)
    if not equal and is_set and other == thing:
        return None
    if not is_set:
        theirs = values(other)
        if theirs is None:
            return None
        spread = kind == "set"
        ordered = [sorted(each, key=lambda z: z.real) if spread else each for each in (own, theirs)]
        apart = len(own) != len(theirs) or max(abs(a - b) for a, b in zip(*ordered, strict=True)) > 1e-9
        if apart == equal:
            return None
    first, second = (WRITERS[rng.choice(names)](each) for each in (thing, other))
    return first, second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100_000, help="of equal ones, and of different ones")
    parser.add_argument("--peer", type=int, default=500, help="of each that math-verify is asked, too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=3, help="pairs to print for each kind of mistake")
    given = parser.parse_args()
    for equal in (True, False):
        rng = random.Random(f"{given.seed}:{equal}")
        counts: dict[str, Counter] = {kind: Counter() for kind in KINDS}
        shown: Counter[tuple[str, str]] = Counter()
        kept, seconds, made = [], 0.0, 0
        while made < given.pairs:
            kind = rng.choice(list(KINDS))
            texts = pair(kind, equal, rng)
            if texts is None or len(max(texts, key=len)) > 300:
                continue
            made += 1
            began = time.perf_counter()
            verdict = compare(*texts)
            seconds += time.perf_counter() - began
            counts[kind][verdict.verdict] += 1
            kept += [texts] if len(kept) < given.peer else []
            wrong = verdict.verdict != ("equal" if equal else "different")
            if wrong and shown[kind, verdict.verdict] < given.show:
                shown[kind, verdict.verdict] += 1
                print(f"    {verdict.verdict} ({verdict.method}): {texts[0]!r} | {texts[1]!r}", flush=True)
        print(
            f"{'equal' if equal else 'different'} by construction: {made:,} pairs, {1e6 * seconds / made:.0f} us each"
        )
        for kind, found in counts.items():
            print(f"  {kind:12s} {dict(found)}")
        peer(kept, equal)


def peer(pairs: list[tuple[str, str]], equal: bool) -> None:
    from math_verify import parse, verify

    began = time.perf_counter()
    found = Counter(bool(verify(parse(f"\\boxed{{{left}}}"), parse(f"\\boxed{{{right}}}"))) for left, right in pairs)
    took = time.perf_counter() - began
    ours = Counter(compare(*texts).verdict for texts in pairs)
    if pairs:
        said = f"math-verify accepts {found[True]} ({1e6 * took / len(pairs):.0f} us each)"
        print(f"  {len(pairs)} of them: {said}, ours {dict(ours)}")


if __name__ == "__main__":
    main()
