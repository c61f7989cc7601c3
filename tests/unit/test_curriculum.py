"""Filters, duplicates, the funnel and the order of examples."""

import polars as pl
import pytest
from test_votes import answers_of, labelled

from reasonlite.curriculum import curate, parse_filter
from reasonlite.errors import UserError
from reasonlite.votes import judge


def made(texts, expression="correct_vote", seed=0):
    """Curate answers with the given texts, all answering 4 to a problem labelled 4."""
    answers, problems, groups, votes = labelled({"p": ["4"] * len(texts)}, {"p": "4"})
    answers = answers.with_columns(text=pl.Series(texts, dtype=pl.String))
    judged = judge(answers, groups, problems, votes)
    return curate(
        judged,
        answers.select("answer_id", "effort", "text", "finish_reason"),
        problems.with_columns(problem=pl.lit("2+2?")),
        stratum="short",
        shard=3,
        expression=parse_filter(expression, "strata.short.filter"),
        seed=seed,
    )


def test_messages_and_funnel():
    same = "2+2=4. So \\boxed{4}."
    examples, funnel = made([same, same, "\\boxed{4}", "<think>why</think>\\boxed{4}"])
    assert [m[1]["content"] for m in examples["messages"].to_list()] in (
        ["<think>\n2+2=4.\n</think>So \\boxed{4}.", "<think>\nwhy\n</think>\\boxed{4}"],
        ["<think>\nwhy\n</think>\\boxed{4}", "<think>\n2+2=4.\n</think>So \\boxed{4}."],
    )
    assert examples["messages"][0][0] == {"role": "user", "content": "2+2?"}
    assert funnel.select("step", "answers").rows() == [
        ("drawn", 4),
        ("passed the filter", 4),
        ("reasoning and final part", 3),
        ("distinct", 2),
    ]


def test_the_filter_is_sql_over_judged_columns():
    texts = [f"{n}. So \\boxed{{4}}." for n in range(6)]
    assert made(texts, "correct_vote AND number < 2 AND effort = 'medium'")[0].height == 2
    assert made(texts, "tokens > 10")[0].height == 0


def test_the_shuffle_depends_on_the_seed_alone():
    texts = [f"{n}. So \\boxed{{4}}." for n in range(12)]
    orders = [made(texts, seed=seed)[0]["answer_id"].to_list() for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("corect", "names the column 'corect'"),
        ("tokens +", "not an SQL expression"),
        ("tokens + 1", "expected true or false"),
    ],
)
def test_bad_filters_are_named(expression, message):
    with pytest.raises(UserError, match=f"strata.short.filter: .*{message}"):
        parse_filter(expression, "strata.short.filter")


def test_failed_answers_are_no_examples():
    assert made([None, "2+2=4. So \\boxed{4}."])[0].height == 1
    assert answers_of({}).height == 0
