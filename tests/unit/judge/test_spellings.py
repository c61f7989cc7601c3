"""Other systems' spellings, units, names that an answer introduces, answers said twice; and values that are tiny."""

import random
import sys
from pathlib import Path

import pytest

from reasonlite.judge import compare

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import judge_construction

PMATRIX = r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"
EQUAL = [
    # Python, SymPy, Mathematica, Maxima, calculators
    ("2**10", "1024", "number"),
    ("x**2+1", "x^2+1", "text"),
    ("x**(1/2)", r"\sqrt{x}", "value"),
    ("2**-1", "1/2", "number"),
    ("**5**", "5", "text"),
    ("2*E", "2e", "spelling"),
    ("3+2*I", "3+2i", "spelling"),
    ("Sqrt[3]/2", r"\frac{\sqrt3}{2}", "text"),
    ("Sin[Pi/6]", "1/2", "value"),
    ("%pi/4", r"\frac{\pi}{4}", "text"),
    ("log(8,2)", "3", "value"),
    ("asin(1)", r"\frac{\pi}{2}", "value"),
    ("arcsinh(1)", r"\ln(1+\sqrt2)", "value"),
    (r"\operatorname{arsinh}(x)", r"\ln(x+\sqrt{x^2+1})", "value"),
    ("cosec(x)", r"\frac{1}{\sin x}", "value"),
    ("sech(x)", r"\frac{1}{\cosh x}", "value"),
    ("signum(-3)", "-1", "value"),
    ("binomial(5,2)", "10", "number"),
    ("factorial(5)", "120", "number"),
    ("cbrt(8)", "2", "value"),
    ("matrix([1,2],[3,4])", PMATRIX, "text"),
    ("Matrix([[1,2],[3,4]])", PMATRIX, "text"),
    ("[[1,2],[3,4]]", PMATRIX, "structure"),
    # Unicode's raised, lowered and circled figures
    ("10⁵", "10^{5}", "text"),
    ("10⁻³", "0.001", "number"),
    ("x₁+x₂", "x_1+x_2", "text"),
    ("1112112₃", "1112112_3", "text"),
    ("⅓", "1/3", "text"),
    ("2½", "5/2", "number"),
    ("②③", "2, 3", "text"),
    ("-221_3", "-221", "base"),
    # equations have two sides, and a function's variable has any name
    ("y=x", "x=y", "relation"),
    ("-y=-x", "y=x", "relation"),
    ("y=2x+1", "2x+1=y", "relation"),
    ("f(x)=x", "f(z)=z", "relation"),
    # units
    (r"100\text{ square meters}", "100 m^2", "text"),
    ("5 m/s", "5 m s^{-1}", "value"),
    ("36 km/h", "10 m/s", "number"),
    ("2 kPa", "2000 Pa", "number"),
    ("2 kPa", "2", "unit"),
    ("1.69 Å", "1.69", "unit"),
    ("700°C", "700", "unit"),
    (r"37^{\circ}\text{C}", "37°C", "text"),
    ("15000 kcal m⁻² yr⁻¹", "15000", "unit"),
    (r"12 \mathrm{~min}", "12", "unit"),
    ("20 sec", "20", "unit"),
    ("9 (ice cubes)", "9", "unit"),
    ("36 (sq. inches)", "36", "unit"),
    ("3 (x - y)", "3x-3y", "value"),
    ("2 (cos x)", r"2\cos x", "text"),
    # one sign for both parts of a pair
    ("(1,0),(-1,0)", r"(\pm 1,0)", "structure"),
    # parameters and constants that the answer introduces
    (r"\frac{\pi}{4}+k\pi", r"\frac{\pi}{4}+n\pi, n\in\mathbb Z", "parameter"),
    (r"2k\pi, k\in\mathbb{Z}", r"2n\pi, n\in\mathbb{Z}", "parameter"),
    ("Ce^{2t}", "ce^{2t}", "constant"),
    # said twice, or with the way to it
    (r"\frac{\sqrt3}{3}", r"\frac{\sqrt3}{3} \approx 0.577", "name"),
    (r"\pi\approx 3.14", "3.14", "name"),
    ("4", r"\text{Yes, } 4", "text"),
    ("576", r"2\cdot3!\cdot4!\cdot2=576", "name"),
    ("BC^2=19", "19", "name"),
    # truth values and choices
    ("Y", "yes", "words"),
    ("True", "yes", "words"),
    ("C", "c", "choice"),
    ("ACD", "DCA", "choice"),
    ("A, C and D", "ACD", "choice"),
    # logic's signs
    (r"x<-2 \vee x>1", r"(-\infty,-2)\cup(1,\infty)", "name"),
    (r"(0<x \wedge x<1) \vee (2<x \wedge x<3)", r"(0,1)\cup(2,3)", "name"),
    # values that are nothing but rounding errors
    (r"\sqrt{5+2\sqrt6}-\sqrt2-\sqrt3", "0", "value"),
    (r"\sin(\pi)", r"\tan(\pi)", "value"),
]
DIFFERENT = [
    ("e^{-200}", "e^{-201}"),
    (r"\frac{1}{2004!}", r"\frac{1}{2006!}"),
    (r"\pi+e^{-200}", r"\pi"),
    ("e^{-1000}", "0"),
    (r"\sin x=\frac12", r"\cos x=\frac12"),
    ("1=x", "1=1"),
    ("y=2x+1", "y=2x-1"),
    ("f(x)=ax", "f(a)=a^2"),
    ("(C,c)", "(c,C)"),
    (r"\pi R^2", r"\pi r^2"),
    ("binomial(5,2)", "11"),
    ("[[1,2],[3,4]]", r"\begin{pmatrix}1&3\\2&4\end{pmatrix}"),
    ("5 m/s", "5 km/h"),
    (r"12 \mathrm{~min}", r"27 \mathrm{~min}"),
    ("2 (cut-outs of trees)", "13 (cards)"),
    ("ACD", "ACE"),
    ("Y", "no"),
    ("①③", "①②"),
]
UNDECIDED = [
    ("12", "12 positive and 12 negative integers", "units"),
    ("5 m", "5", "units"),
    ("5 mg", "5", "units"),
    ("37°C", "37°F", "units"),
    (r"(\pm 1,\pm 2)", "(1,2),(-1,-2)", "signs that may go together"),
    (r"k\pi, k\in\mathbb{Z}", r"2k\pi, k\in\mathbb{Z}", "a family of values"),
    ("x^2=4", "4", "a power of a name"),
    ("Yes, 4", "Yes", "words"),
]


@pytest.mark.parametrize(("left", "right", "method"), EQUAL)
def test_equal(left, right, method):
    assert (compare(left, right).verdict, compare(left, right).method) == ("equal", method)
    assert compare(right, left) == compare(left, right)


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_different(left, right):
    assert compare(left, right).verdict == "different", compare(left, right)
    assert compare(right, left) == compare(left, right)


@pytest.mark.parametrize(("left", "right", "reason"), UNDECIDED)
def test_undecided_with_its_reason(left, right, reason):
    assert (compare(left, right).verdict, compare(left, right).method) == ("undecided", reason)


@pytest.mark.parametrize("equal", [True, False])
def test_pairs_by_construction(equal):
    """The first few of tests/benchmarks/judge_construction.py, which draws a hundred thousand of each."""
    rng = random.Random(11)
    made = 0
    while made < 150:
        texts = judge_construction.pair(rng.choice(list(judge_construction.KINDS)), equal, rng)
        if texts is not None:
            made += 1
            assert compare(*texts).verdict in (("equal", "undecided") if equal else ("different",)), texts


HOSTILE = [
    *(
        "5(" + "a" * 1_900,
        "5 (" + "ab " * 600,
        "yes," * 480,
        "⁵" * 1_900,
        "₅" * 1_900,
        "①" * 1_900,
        "**" * 900,
        "x**" * 600,
    ),
    *("2**" * 600 + "2", "Matrix(" * 250, "matrix([" * 200, "Sqrt[" * 350, "binomial(" * 200, "5" + " m" * 900),
    *(
        "5 " + "kPa " * 400,
        "5 m" + "^2" * 600,
        "factorial(factorial(factorial(99)))",
        "binomial(10**30, 10**29)",
        "%" * 1_900,
    ),
    *("e^{-" * 300, r"10^{10^{9}} \approx 1", r"\sinh(\sinh(\sinh(99)))", "x=" * 900, "A" * 1_900, "ABCDEFGHIJ" * 190),
    *(r"(\pm 1," * 250, "(1=1) \\vee " * 150, "n\\in Z, " * 200, "①, " * 600, "5 square " * 200, "1 per " * 300),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_spellings_end_and_are_not_equal_to_seventeen(text):
    assert compare(text, "17").verdict in {"different", "undecided"}
    assert not compare(text, "17").method.startswith("failed")
    assert not compare(text, text + "+1").method.startswith("failed")
