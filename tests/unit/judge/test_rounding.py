"""An answer beside a label that is a rounded decimal: equal by a rule of its own name, off unless it is asked for."""

import pytest

from reasonlite.judge import compare, compare_with_label
from reasonlite.judge.verdicts import ROUNDED_LABEL

ROUNDS = [
    ("30.52", r"\sqrt{931.5}"),
    ("30.52", "30.5205"),
    ("0.458", r"\frac{11}{24}"),
    ("-0.458", r"-\frac{11}{24}"),
    ("1.41", r"\sqrt{2}"),
    ("x = 1.41", r"\sqrt{2}"),
    (r"6.67\%", r"\frac{1}{15}"),
    (r"6.67\%", "6.6667"),
    (r"6.67\%", r"6.6667\%"),
    (r"6.67\%", "0.066667"),
    ("(1.41, 2.24)", r"(\sqrt{2}, \sqrt{5})"),
    ("1.41, 2.24", r"\sqrt{5}, \sqrt{2}"),
    ("[0.333, 1]", r"[\frac13, 1]"),
    (r"x \le 1.41", r"x \le \sqrt{2}"),
    (r"30.5\text{ cm}", "30.52"),
    (r"30.5\text{ cm}", r"0.3052\text{ m}"),
    (r"6.02 \times 10^{23}", r"6.0221 \times 10^{23}"),
    (r"1.20 \times 10^{2}", "119.9"),
]
# another value, a coarser answer, a label with too few digits, an exact label, no decimal at all
DOES_NOT = [
    ("30.52", "30.53"),
    ("30.52", r"\sqrt{932}"),
    ("30.52", "30.5"),
    ("30.52", "31"),
    ("0.05", r"\frac{1}{19}"),
    ("1.4", r"\sqrt{2}"),
    (r"\sqrt{2}", "1.41"),
    ("120", "119.9"),
    ("27.0", "27.04"),
    (r"6.67\%", r"\frac{1}{14}"),
    ("(1.41, 2.24)", r"(\sqrt{5}, \sqrt{2})"),
    ("[0.333, 1]", r"(\frac13, 1]"),
    (r"6.02 \times 10^{23}", r"6.0221 \times 10^{22}"),
]


@pytest.mark.parametrize(("label", "answer"), ROUNDS)
def test_what_a_label_rounds_is_equal_to_it_by_a_rule_of_its_own(label, answer):
    verdict = compare_with_label(label, answer)
    assert (verdict.verdict, verdict.method) == ("equal", ROUNDED_LABEL)
    assert compare(label, answer) == compare(answer, label)
    assert compare(label, answer).verdict != "equal"


@pytest.mark.parametrize(("label", "answer"), DOES_NOT)
def test_anything_else_is_judged_as_without_the_rule(label, answer):
    assert compare_with_label(label, answer) == compare(label, answer)
    assert compare(label, answer).verdict == "different"


def test_what_is_equal_anyway_is_not_counted_as_rounded():
    for label, answer in [("2.00", "2"), ("0.50", r"\frac12"), ("3.1416", r"\pi"), (r"50.0\%", "0.5")]:
        assert compare_with_label(label, answer) == compare(label, answer)
        assert compare(label, answer).is_equal
