"""How hard problems were, and which of them a stage takes how often."""

from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import labelled, problems_of

from reasonlite.config.stages import GrpoStage
from reasonlite.core.conditions import parse_filter, parse_weight
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import ANSWERS, DIFFICULTY, JUDGED, PAIRS, PROBLEMS, VOTES
from reasonlite.core.tables import frame_of, read_table, write_table
from reasonlite.curriculum import difficulty
from reasonlite.labels.judged import judge
from reasonlite.training.prompts import chosen

DRAWN = {"a": ["4", "4", "4", "5"], "b": ["1", "2", "3", "9"], "c": ["7", "7", "7", "7"], "d": [None, None, None, None]}
LABELS = {"a": "4", "b": "9", "c": None, "d": None}


def rated(tmp_path):
    answers, problems, groups, votes = labelled(DRAWN, LABELS)
    write_table(tmp_path / "judged.parquet", judge(answers, groups, problems, votes), JUDGED)
    return difficulty.rate([tmp_path / "judged.parquet"], votes, problems), problems, votes


def test_a_pass_rate_goes_by_the_vote_where_there_is_one(tmp_path):
    found, _, _ = rated(tmp_path)
    assert found.schema == DIFFICULTY and found["problem_id"].to_list() == ["a", "b", "c", "d"]
    # a: the vote has 3 of 4; b: the data set's label; c: by the vote alone; d: nothing to compare with
    assert found["pass_rate"].to_list() == [0.75, 0.25, 1.0, None]
    assert found["answers"].to_list() == [4] * 4 and found["tokens"].to_list() == [10.0] * 4
    assert found["label_source"].to_list()[2:] == ["vote", "none"]


def test_a_problem_that_nobody_answered_is_there_without_a_rate(tmp_path):
    _, problems, votes = rated(tmp_path)
    more = pl.concat([problems, problems_of({"e": "1"})])
    found = difficulty.rate([tmp_path / "judged.parquet"], votes, more).row(4, named=True)
    assert found["problem_id"] == "e" and found["answers"] == 0 and found["pass_rate"] is None


def test_a_probe_is_judged_by_the_label_after_voting(tmp_path):
    import judge_probe

    _, problems, votes = rated(tmp_path)
    answers, *_ = labelled({"a": ["4", "5"], "b": ["9", "1"], "c": ["7", "8"], "d": ["1", "1"]}, LABELS)
    files = {name: tmp_path / f"{name}.parquet" for name in ("answers", "problems", "votes", "groups", "pairs", "out")}
    write_table(files["answers"], answers, ANSWERS)
    write_table(files["problems"], problems.with_columns(problem=pl.lit("?")), PROBLEMS)
    write_table(files["votes"], votes, VOTES)
    named = {"output": files.pop("out"), **files}
    judge_probe.main([part for name, path in named.items() for part in (f"--{name}", str(path))])
    judged = read_table(tmp_path / "out.parquet", JUDGED)
    assert judged["correct"].to_list() == [True, False, True, False, True, False, None, None]
    assert read_table(tmp_path / "pairs.parquet", PAIRS).is_empty()


def stage(**settings):
    return GrpoStage(name="rl", method="grpo", start="m", data=["s"], **settings)


def problems_with(rates):
    """Problems, and a table that says how hard they were."""
    rows = [{"id": name, "source": "s", "problem": "?", "answer": "1"} for name in rates]
    known = [
        {"problem_id": name, "source": "s", "answers": 4, "pass_rate": rate, "tokens": 10.0, "share": rate}
        for name, rate in rates.items()
    ]
    return frame_of(rows, PROBLEMS), frame_of(known, DIFFICULTY)


RATES = {"a": 0.0, "b": 0.25, "c": 0.5, "d": 1.0, "e": None}


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("pass_rate BETWEEN 0.1 AND 0.9", ["b", "c"]),
        ("pass_rate IS NULL OR pass_rate = 1", ["d", "e"]),
        ("source = 's' AND share < 0.3", ["a", "b"]),
        ("problem_id LIKE 'c%'", ["c"]),
    ],
)
def test_problems_are_chosen_by_a_filter(expression, kept):
    assert chosen(*problems_with(RATES), stage(filter=expression), 0)["id"].to_list() == kept


def test_weights_say_how_often_a_problem_is_seen_and_keep_the_length_of_an_epoch():
    problems, known = problems_with({f"p{number}": number / 100 for number in range(100)})
    seen = Counter(chosen(problems, known, stage(weight="1 - pass_rate"), 7)["id"].to_list())
    assert abs(seen.total() - 100) < 12 and seen["p0"] >= 1 and seen["p1"] >= 1
    assert sum(seen[f"p{number}"] for number in range(50)) > 2 * sum(seen[f"p{number}"] for number in range(50, 100))
    again = chosen(problems, known, stage(weight="1 - pass_rate"), 7)
    assert Counter(again["id"].to_list()) == seen
    assert Counter(chosen(problems, known, stage(weight="1 - pass_rate"), 8)["id"].to_list()) != seen


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20).filter(any), st.integers(0, 99))
def test_a_problem_is_seen_its_weight_rounded_up_or_down(rates, seed):
    problems, known = problems_with({f"p{number:02}": rate for number, rate in enumerate(rates)})
    seen = Counter(chosen(problems, known, stage(weight="pass_rate"), seed)["id"].to_list())
    for number, rate in enumerate(rates):
        exact = rate / (sum(rates) / len(rates))
        assert int(exact - 1e-9) <= seen[f"p{number:02}"] <= int(exact + 1e-9) + 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filter": "pass_rate > 1"}, r"stages.rl.filter: no problem passes 'pass_rate > 1'\n.*difficulty/teacher"),
        ({"weight": "0 * pass_rate"}, "stages.rl.weight: '0 \\* pass_rate' gives 0 for every problem"),
        ({"weight": "pass_rate - 0.5"}, "stages.rl.weight: 'pass_rate - 0.5' gives -0.5"),
        ({"weight": "1 / pass_rate"}, "stages.rl.weight: '1 / pass_rate' gives inf"),
    ],
)
def test_what_leaves_nothing_to_train_on_is_named(settings, message):
    with pytest.raises(UserError, match=message):
        chosen(*problems_with(RATES), stage(**settings), 0)


@pytest.mark.parametrize(
    ("parse", "expression", "message"),
    [
        (parse_filter, "pass_rate", "gives Float64, expected true or false"),
        (parse_weight, "source", "gives String, expected a number"),
        (parse_weight, "pasrate", "names the column 'pasrate', which does not exist; there are problem_id, source"),
        (parse_filter, "pass_rate >", "is not an SQL expression"),
        (parse_filter, "nofunction(pass_rate) > 1", "is not an SQL expression"),
    ],
)
def test_expressions_that_cannot_be_are_named_before_anything_runs(parse, expression, message):
    with pytest.raises(UserError, match=message):
        parse(expression, "stages.rl.filter", DIFFICULTY)
