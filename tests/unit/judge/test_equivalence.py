"""Verdicts on pairs of answers: those of cases.py, hostile ones, and pairs drawn at random."""

import random
import sys
from pathlib import Path

import pytest
from cases import DIFFERENT, EQUAL, HOSTILE, UNDECIDED
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonlite.judge import algebra, equivalence
from reasonlite.judge.equivalence import compare

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import judge_construction


@pytest.mark.parametrize(("left", "right", "method"), EQUAL)
def test_equal(left, right, method):
    found = compare(left, right)
    assert found.verdict == "equal", found
    assert method is None or found.method == method
    assert compare(right, left) == found


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_different(left, right):
    assert compare(left, right).verdict == "different", compare(left, right)
    assert compare(right, left) == compare(left, right)


@pytest.mark.parametrize(("left", "right", "reason"), UNDECIDED)
def test_undecided_with_its_reason(left, right, reason):
    assert (compare(left, right).verdict, compare(left, right).method) == ("undecided", reason)


def test_the_peer_is_asked_only_for_what_the_grammar_does_not_know(monkeypatch):
    asked = []
    monkeypatch.setattr(algebra, "equal", lambda first, second: asked.append((first, second)) or (True, "algebra"))
    for left, right, _ in EQUAL + UNDECIDED:
        compare(left, right)
    assert asked == []
    assert compare(r"\sum_{k=1}^{n} k", r"\frac{n(n+1)}{2}").method == "algebra"
    assert len(asked) == 1


# what holds no value: the demo's student learned to write the first of them
EMPTY = [
    r"\boxed{}",
    "{}",
    "()",
    "[]",
    r"\{\}",
    r"\text{}",
    r"\frac{}{}",
    r"\sqrt{}",
    "$$",
    ",",
    ";",
    "{,}",
    r"\emptyset",
    "",
    " ",
]


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize(
    "value", ["17", "x", "(1,2)", "1,2", r"\{1\}", r"\{1,2\}", "[0,1)", "x=5", "yes", "A", "5 cm", "x>3"]
)
def test_nothing_equals_no_value(empty, value):
    assert compare(empty, value).verdict != "equal"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_answers_end_and_are_not_equal_to_seventeen(text):
    assert compare(text, "17").verdict in {"different", "undecided"}
    assert not compare(text, "17").method.startswith("failed")
    assert compare(text, text).verdict == "equal"
    assert compare(text, text + "+1").verdict in {"different", "undecided"}
    assert not compare(text, text + "+1").method.startswith("failed")


def test_a_tower_beside_its_approximation_ends():
    """Its first side is the exact one, so that what is added to the other makes no difference."""
    text = r"10^{10^{9}} \approx 1"
    assert compare(text, "17").verdict in {"different", "undecided"}
    assert not compare(text, "17").method.startswith("failed")
    assert not compare(text, text + "+1").method.startswith("failed")


MATH = st.text(alphabet=r"0123456789xyn+-*/^_=<>(){}[]|.,;:!% \fracsqtpei$&", max_size=25)


@settings(max_examples=300)
@given(MATH, MATH)
def test_every_pair_has_the_same_verdict_in_both_orders_and_every_answer_equals_itself(left, right):
    equivalence.algebra.equal, kept = (lambda first, second: (None, "not asked")), equivalence.algebra.equal
    try:
        assert compare(left, right) == compare(right, left)
        assert not compare(left, right).method.startswith("failed")
        assert compare(left, left).verdict == "equal"
        assert compare(left, " " + left + " ").verdict == "equal"
    finally:
        equivalence.algebra.equal = kept


@settings(max_examples=300)
@given(st.text(alphabet="xy+-*/^_=<>(){}[]|.,;:!% \\fracsqtpeiboxd$&", max_size=25))
def test_what_has_no_digit_is_not_a_number(text):
    assert compare(text, "17").verdict != "equal"


@settings(max_examples=200)
@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6))
def test_fractions_are_compared_exactly(left, right):
    first, second = rf"\frac{{{left.numerator}}}{{{left.denominator}}}", f"{right.numerator}/{right.denominator}"
    assert compare(first, second).verdict == ("equal" if left == right else "different")


@settings(max_examples=200)
@given(st.integers(-(10**12), 10**12))
def test_thousands_separators_do_not_change_a_number(value):
    for text in (f"{value:,}", f"{value:,}".replace(",", "{,}"), f"{value:,}".replace(",", r",\!"), f"{value}.0"):
        assert compare(text, str(value)).verdict == "equal"


EXPRESSIONS = st.recursive(
    st.sampled_from(["x", "y", "2", "3", r"\pi", "7"]),
    lambda inner: st.tuples(
        st.sampled_from(["({}+{})", "({}-{})", r"{} \cdot {}", r"\frac{{{}}}{{{}}}"]), inner, inner
    ).map(lambda parts: parts[0].format(*parts[1:])),
    max_leaves=6,
)


@settings(max_examples=150)
@given(EXPRESSIONS, EXPRESSIONS)
def test_sums_and_products_commute_and_adding_one_makes_a_difference(left, right):
    for first, second in (
        (f"({left})+({right})", f"({right})+({left})"),
        (f"({left})({right})", rf"({right})\times({left})"),
        (f"({left})-({right})", f"-(({right})-({left}))"),
    ):
        assert compare(first, second).verdict != "different", (first, second)
    assert compare(left, f"({left})+1").verdict != "equal"


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


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        ("2 per hour", "2", "equal"),
        (r"\$10,000/day", "10000", "equal"),
        ("2 per pair", "3", "different"),
        ("2 per hour", "2 per day", "undecided"),
        ("6th", "6", "equal"),
        ("21st", "22", "different"),
        ("2:00 pm", "2", "equal"),
        ("2:00 pm", "14", "equal"),
        ("2:30 pm", "2", "undecided"),
        ("12:00 pm", "12", "equal"),
    ],
)
def test_rates_ordinals_and_hours_beside_a_bare_number(left, right, verdict):
    assert compare(left, right).verdict == verdict and compare(right, left).verdict == verdict
