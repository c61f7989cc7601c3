"""Are two answers the same? Kinds of cases, symmetry, and classes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonlite.equivalence import canonical, compare, exact_number

SAME = [
    ("42", "42"),
    ("42", "42.0"),
    ("0.5", r"\frac{1}{2}"),
    (r"\dfrac{1}{2}", "1/2"),
    ("1,234", "1234"),
    ("50%", "0.5"),
    ("50\\%", "50"),
    ("$18", "18"),
    ("18 dollars", "18"),
    (r"90^\circ", "90"),
    ("x=5", "5"),
    (r"\text{Evelyn}", "evelyn"),
    (r"\left( 3, \frac{\pi}{2} \right)", r"(3,\frac{\pi}{2})"),
    ("-1/2", r"-\frac{1}{2}"),
    ("1.2e3", "1200"),
    (r"\{1,2\}", r"\{2,1\}"),
    (r"\sqrt{8}", r"2\sqrt{2}"),
    ("x^2+2x+1", "(x+1)^2"),
    (r"x \geq 5", "x >= 5"),
    (r"11,\! 111", "11111"),
    ("10{,}000", "10000"),
    ("(E)", "(E) Hyperbola"),
    ("0.083333", "1/12"),
    (r"(2, 12) \cup (12, 102)", r"(2,12)\cup(12,102)"),
    (r"(0,1)\cup(2,3)", r"(2,3) \cup (0,1)"),
    (r"\begin{pmatrix}1 & \frac{1}{2}\\ 3 & 4\end{pmatrix}", r"\begin{bmatrix}1&0.5\\3&4\end{bmatrix}"),
    ("\u22125", "-5"),
    ("7\\text{ cm}", "7"),
]
OTHER = [
    ("42", "43"),
    ("1/2", "1/3"),
    ("(1,2)", "(2,1)"),
    ("[0,1]", "(0,1)"),
    ("(1,2)", "(1,2,3)"),
    ("Evelyn", "Carla"),
    ("5%", "5.1%"),
    (r"\sqrt{2}", r"\sqrt{3}"),
    ("x+1", "x-1"),
    ("1", "-1"),
    ("100", "1,000"),
    ("0.33", "1/3"),
    ("0.0834", "1/12"),
    (r"[2,\infty)", r"(2,\infty)"),
    ("(A)", "(B)"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}2\\1\end{pmatrix}"),
    ("(0,1)\\cup(2,3)", "(0,1)\\cup(2,4)"),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_same(left, right):
    assert compare(left, right).verdict == "equal"
    assert compare(right, left).verdict == "equal"


@pytest.mark.parametrize(("left", "right"), OTHER)
def test_different(left, right):
    assert compare(left, right).verdict == "different"
    assert compare(right, left).verdict == "different"


@pytest.mark.parametrize("text", ["{" * 100_000, "9" * 5000 + "a", "\x00", "\\frac{1}{0}", "a" * 400 + "=b", "\u202e5"])
def test_strange_answers_do_not_raise(text):
    assert compare(text, text).verdict == "equal"
    assert compare(text, "17").verdict in {"different", "undecided"}


def test_too_long_for_algebra_is_undecided_not_false():
    assert compare("x+" * 200 + "1", "y").verdict == "undecided"


@given(st.fractions(max_denominator=1000))
def test_a_fraction_is_read_exactly(value):
    assert exact_number(f"{value.numerator}/{value.denominator}") == value
    assert exact_number(rf"\frac{{{value.numerator}}}{{{value.denominator}}}") == value


@given(st.integers(-(10**12), 10**12))
def test_thousands_separators_do_not_matter(value):
    assert exact_number(canonical(f"{value:,}")) == value


ANSWERS = st.one_of(
    st.integers(-50, 50).map(str),
    st.sampled_from([a for pair in SAME + OTHER for a in pair if "sqrt" not in a and "x" not in a]),
)


@given(ANSWERS, ANSWERS)
def test_the_order_does_not_matter(left, right):
    assert compare(left, right) == compare(right, left)


@given(st.text(max_size=40))
def test_everything_equals_itself(text):
    assert compare(text, text).verdict == "equal"


def test_an_equation_is_not_its_right_side():
    assert compare("7 = 11a+c", "11a+c").verdict != "equal"
    assert compare("11a+c", "7 = 11a+c").verdict != "equal"


def test_deeply_nested_tuples_are_undecided_not_a_crash():
    left, right = ("(" * 400 + number + ",1)" * 400 for number in ("1", "2"))
    assert compare(left, right).verdict == "undecided"
