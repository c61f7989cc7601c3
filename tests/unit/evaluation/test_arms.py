"""The table of a grid: means and intervals over seeds and problems."""

import numpy as np
import pytest

from reasonlite.config.stages import Grid
from reasonlite.core.errors import UserError
from reasonlite.evaluation import arms
from reasonlite.evaluation.results import Scores


def scores(right):
    matrix = np.array(right, dtype=bool)
    none = np.zeros(matrix.shape, dtype=bool)
    return Scores([f"p{n}" for n in range(len(matrix))], matrix, none, none.astype(float), none, none, [])


GRID = Grid.model_validate(
    {"bases": {"b": "m"}, "seeds": [1, 2], "recipes": {"x": {}}, "arms": {"a": ["x"]},
     "sampling": {"temperature": 0, "max_tokens": 1}}
)  # fmt: skip


def test_an_arm_is_the_mean_over_its_seeds_and_is_compared_with_its_base():
    measured = {
        "sums": {
            "m": scores([[0, 0], [1, 0], [1, 1], [0, 0]]),
            "b-x-s1": scores([[1, 1], [1, 1], [1, 1], [0, 0]]),
            "b-x-s2": scores([[0, 0], [1, 1], [1, 1], [0, 0]]),
        }
    }
    base, arm = arms.measure(measured, GRID, {}, 2000, 0).iter_rows(named=True)
    assert (base["arm"], base["value"], base["difference"], base["seeds"]) == ("base", 37.5, 0.0, 1)
    assert (arm["arm"], arm["value"], arm["seed_low"], arm["seed_high"]) == ("a", 62.5, 50.0, 75.0)
    assert arm["difference"] == 25.0 and arm["difference_low"] < 25.0 < arm["difference_high"]
    assert (arm["seeds"], arm["problems"]) == (2, 4)
    learnt = {"b-x-s1": 1000, "b-x-s2": 1400}
    header, rows = arms.readable(arms.measure(measured, GRID, learnt, 100, 0), "base")
    assert header == ["base", "arm", "tokens", "sums"] and rows[1][2] == "1,200" and rows[0][2] == ""
    assert rows[1][3].startswith("62.5 [") and "(+25.0 [" in rows[1][3] and "(" not in rows[0][3]


def test_arms_may_be_compared_with_one_of_them_seed_by_seed():
    raw = GRID.model_dump() | {"arms": {"a": ["x"], "c": ["x", "x"]}, "reference": "a"}
    measured = {
        "sums": {
            "m": scores([[0], [0]]),
            **{"b-x-s1": scores([[1], [1]]), "b-x-s2": scores([[0], [0]])},
            **{"b-x-x-s1": scores([[1], [0]]), "b-x-x-s2": scores([[1], [0]])},
        }
    }
    base, first, second = arms.measure(measured, Grid.model_validate(raw), {"b-x-s1": 5}, 500, 0).iter_rows(named=True)
    assert (base["difference"], first["difference"], second["difference"]) == (-50.0, 0.0, 0.0)
    assert first["difference_low"] == first["difference_high"] == 0.0 < second["difference_high"]
    assert first["tokens"] is None  # the other seed's log does not tell


def test_with_one_seed_it_is_the_bootstrap_over_problems():
    from reasonlite.evaluation.metrics import bootstrap

    values = np.random.default_rng(3).random(60)
    two = arms.seeds_and_problems(values[None, :], resamples=4000, seed=1)
    one = bootstrap(values, resamples=4000, seed=2)
    assert two.value == one.value
    assert (two.low, two.high) == (pytest.approx(one.low, abs=0.01), pytest.approx(one.high, abs=0.01))


def test_seeds_that_differ_widen_the_interval():
    generator = np.random.default_rng(0)
    problems = generator.random(400)
    alike = np.array([problems, problems, problems])
    apart = alike + np.array([[-0.2], [0.0], [0.2]])
    first = arms.seeds_and_problems(alike, resamples=1000, seed=0)
    second = arms.seeds_and_problems(apart, resamples=1000, seed=0)
    assert second.high - second.low > 3 * (first.high - first.low)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Seeds with an effect of their own, drawn anew each time; few seeds make the percentile interval too short."""
    generator = np.random.default_rng(7)
    held = 0
    for trial in range(200):
        effects = generator.normal(0, 0.05, (12, 1))
        matrix = 0.5 + effects + generator.normal(0, 0.3, (12, 80))
        found = arms.seeds_and_problems(matrix, resamples=300, seed=trial)
        held += found.low <= 0.5 <= found.high
    assert 0.88 <= held / 200 <= 1.0


def test_a_model_that_was_not_evaluated_is_named():
    with pytest.raises(UserError, match=r"b-x-s1, b-x-s2 was not evaluated"):
        arms.measure({"sums": {"m": scores([[1]])}}, GRID, {}, 10, 0)
