"""Classes, votes and verdicts, against counting by hand and by brute force."""

from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import answers_of, labelled, problems_of

from reasonlite.core.schemas import GROUPS, JUDGED, VOTES
from reasonlite.labels.groups import group
from reasonlite.labels.judged import judge
from reasonlite.labels.votes import sweep, vote


def test_equal_answers_share_a_class_and_the_label_is_in_it():
    _, _, groups, _ = labelled({"p": ["1/2", "0.5", "0.50", "7", None]}, {"p": r"\frac{1}{2}"})
    classes = {row["answer"]: row["class"] for row in groups.iter_rows(named=True)}
    assert classes == {r"\frac{1}{2}": 0, "1/2": 0, "0.5": 0, "0.50": 0, "7": 1}
    assert groups.filter("is_label")["answer"].to_list() == [r"\frac{1}{2}"]


@pytest.mark.parametrize(
    ("answers", "label", "expected"),
    [
        (["3"] * 9 + ["4"], "4", ("3", "vote")),  # 0.9 of the votes: the label is replaced
        (["3"] * 8 + ["4"] * 2, "4", ("4", "dataset")),  # 0.8
        (["3"] * 3, "4", ("4", "dataset")),  # unanimous, but three votes
        (["3"] * 4, None, ("3", "vote")),
        ([], "4", ("4", "dataset")),
        ([None, None], None, (None, "none")),
        (["3"] * 4 + [None] * 9, "4", ("3", "vote")),  # replies without an answer do not vote
    ],
)
def test_labels(answers, label, expected):
    *_, votes = labelled({"p": answers}, {"p": label})
    assert (votes["label"][0], votes["label_source"][0]) == expected


def test_a_tie_has_no_winner():
    *_, votes = labelled({"p": ["1", "1", "2", "2"]}, {"p": "9"}, min_share=0.5, min_votes=1)
    row = votes.row(0, named=True)
    assert (row["top_answer"], row["label"], row["share"]) == (None, "9", 0.5)


def test_spellings_of_one_answer_vote_together_and_the_commonest_is_the_label():
    *_, votes = labelled({"p": ["0.5", "1/2", "1/2", "0.50"]}, {"p": "9"})
    assert votes.row(0, named=True)["label"] == "1/2"


def test_judged_against_both_labels():
    answers, problems, groups, votes = labelled({"p": ["3"] * 9 + ["4", None]}, {"p": "4"})
    judged = judge(answers, groups, problems, votes)
    assert judged["correct"].to_list() == [False] * 9 + [True, False]
    assert judged["correct_vote"].to_list() == [True] * 9 + [False, False]
    assert judged["pass_rate"].unique().to_list() == [9 / 11]


def test_without_a_label_the_verdict_is_null():
    answers, problems, groups, votes = labelled({"p": ["3"]}, {"p": None})
    assert judge(answers, groups, problems, votes)["correct"].to_list() == [None]
    assert judge(answers, groups, problems)["correct_vote"].to_list() == [None]


def test_empty_tables_stay_tables():
    answers, problems, groups, votes = labelled({}, {})
    assert groups.schema == GROUPS and votes.schema == VOTES
    assert judge(answers, groups, problems, votes).schema == JUDGED


@given(st.lists(st.one_of(st.none(), st.integers(0, 3).map(str)), max_size=12), st.floats(0, 1), st.integers(1, 5))
def test_votes_equal_a_count_by_hand(answers, min_share, min_votes):
    *_, votes = labelled({"p": answers}, {"p": "9"}, min_share=min_share, min_votes=min_votes)
    counted = Counter(answer for answer in answers if answer is not None).most_common()
    wins = (
        bool(counted)
        and (len(counted) == 1 or counted[0][1] > counted[1][1])
        and counted[0][1] >= min_votes
        and counted[0][1] / sum(count for _, count in counted) >= min_share
    )
    assert votes["label"][0] == (counted[0][0] if wins else "9")
    assert votes["voting"][0] == sum(count for _, count in counted)


def test_a_weighted_vote_counts_the_share_by_weight():
    answers = pl.concat([answers_of({"p": ["1"] * 6}), answers_of({"p": ["2"] * 4}, effort="high")])
    problems = problems_of({"p": "9"})
    groups, *_ = group(answers, problems)
    plain = vote(answers, groups, problems, min_share=0.5, min_votes=4).row(0, named=True)
    heavy = vote(answers, groups, problems, min_share=0.5, min_votes=4, weights={"high": 3.0}).row(0, named=True)
    assert (plain["label"], plain["share"], plain["top_votes"]) == ("1", 0.6, 6)
    assert (heavy["label"], heavy["share"], heavy["top_votes"]) == ("2", pytest.approx(12 / 18), 4)


def test_the_sweep_counts_what_other_thresholds_would_do():
    given_answers = {
        "a": ["1"] * 9 + ["2"],
        "b": ["3"] * 6 + ["4"] * 4,
        "c": ["5"] * 10,
        "d": ["6", "7"],
        "e": ["8"] * 4,
    }
    *_, votes = labelled(given_answers, {"a": "2", "b": "3", "c": "5", "d": "6", "e": None})
    table = {
        (row["min_share"], row["min_votes"]): row
        for row in sweep([votes.head(3), votes.slice(3)], [0.5, 0.9, 1.0], [1, 5]).rows(named=True)
    }
    counted = {key: (row["by_vote"], row["replaced"], row["added"]) for key, row in table.items()}
    assert counted[0.5, 1] == (4, 1, 1)  # the tie in d has no winner
    assert counted[0.9, 5] == (2, 1, 0)
    assert counted[1.0, 5] == (1, 0, 0)
    assert table[0.5, 5]["agreement"] == pytest.approx(2 / 3)
