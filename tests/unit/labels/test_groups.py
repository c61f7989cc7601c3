"""Classes of equal answers: no chain joins answers that are known to differ."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import answers_of, problems_of

from reasonlite.core.schemas import PAIRS, TIMINGS
from reasonlite.judge.equivalence import compare
from reasonlite.labels.groups import group


def classes_of(listed, label=None):
    groups, pairs, timings = group(answers_of({"p": listed}), problems_of({"p": label}))
    assert pairs.schema == PAIRS and timings.schema == TIMINGS
    return dict(groups.select("answer", "class").iter_rows()), groups, pairs


@pytest.mark.parametrize(
    "listed",
    [
        [r"\frac13", "0.3333", "0.33333"],  # both round a third
        ["5 cm", "5", "5 m"],  # a missing unit is forgiven, another is not
        [r"50\%", "50", "0.5"],
        ["(1,3)", "1,3", "3,1", "(3,1)"],  # a list may be read as a tuple
        ["10:30 am", "10:30", "10:30 pm"],
    ],
)
def test_no_chain_joins_answers_that_are_known_to_differ(listed):
    for order in (listed, listed[::-1], listed[1:] + listed[:1]):
        classes, _, _ = classes_of(order)
        for left in listed:
            for right in listed:
                if compare(left, right).verdict == "different":
                    assert classes[left] != classes[right]


ANSWERS = st.sampled_from(
    [r"\frac13", "1/3", "0.3333", "0.33333", r"33.33\%", "5 cm", "5", "5 m", "0.05 m", r"50\%", "0.5", "50", "(1,3)"]
    + ["1,3", "3,1", "{1,3}", r"\{1,3\}", "x=5", "y=5", "(C)", "C", "C. five", "10:30", "10:30 am", "14:00", "2 pm"]
    + ["204_5", "204", "54", "no solution", r"\emptyset", "[1,3]", r"1\le x\le 3", "1<x<3", r"\sqrt{2}", "1.41421"]
)


@settings(max_examples=200)
@given(st.lists(ANSWERS, max_size=8), st.one_of(st.none(), ANSWERS))
def test_classes_hold_only_answers_that_may_be_equal(listed, label):
    classes, groups, _ = classes_of(listed, label)
    for left in classes:
        for right in classes:
            if classes[left] == classes[right]:
                assert compare(left, right).verdict != "different", (left, right)
    if label is not None:
        for answer, equals in groups.select("answer", "equals_label").iter_rows():
            assert equals == (compare(label, answer).verdict == "equal"), (label, answer)


def test_an_answer_equal_to_the_label_is_right_whoever_came_first():
    _, groups, _ = classes_of(["0.3333"] * 3 + ["0.33333"], r"\frac13")
    assert groups["equals_label"].to_list() == [True, True, True]
    assert groups["class"].to_list() == [0, 0, 1]


def test_pairs_keep_what_was_not_plain_with_the_method():
    _, _, pairs = classes_of(["5", "6", r"\log 2", r"\ln 2"])
    assert pairs.filter(pl.col("verdict") == "undecided")["method"].to_list() == ["the base of log is not said"]
    assert not pairs.filter((pl.col("left") == "5") & (pl.col("right") == "6")).height


def test_a_label_that_is_a_rounded_decimal_equals_what_it_rounds_where_that_is_asked_for():
    listed = ["30.5205", r"\sqrt{931.5}", "30.53", "30.520"]
    for rounding in (False, True):
        groups, pairs, _ = group(answers_of({"p": listed}), problems_of({"p": "30.52"}), rounding=rounding)
        found = {row["answer"]: (row["equals_label"], row["by_rounding"]) for row in groups.iter_rows(named=True)}
        assert found["30.52"] == found["30.520"] == (True, False)
        assert found["30.53"] == (False, False)
        assert found["30.5205"] == found[r"\sqrt{931.5}"] == (rounding, rounding)
        classes = dict(groups.select("answer", "class").iter_rows())
        assert len({classes[answer] for answer in ("30.52", "30.5205", r"\sqrt{931.5}")}) == 3
        methods = dict(pairs.filter(pl.col("left") == "30.52").select("right", "method").iter_rows())
        assert (methods.get("30.5205") == "rounded label") == rounding
