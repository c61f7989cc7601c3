"""Power: the formula against simulated experiments, and what the table's note says."""

import math

import numpy as np
import polars as pl
import pytest

from reasonlite.core.schemas import COMPARISONS
from reasonlite.core.tables import frame_of
from reasonlite.evaluation import power
from reasonlite.evaluation.results import power_note


def experiment(generator, problems, draws, gain):
    """Verdicts of two models: a problem's difficulty is drawn, and the second solves it by ``gain`` more often."""
    base = generator.beta(1.5, 1.5, problems) * 0.7
    other = np.clip(base + gain + generator.normal(0, 0.05, problems), 0, 1)
    return [generator.random((problems, draws)) < chance[:, None] for chance in (base, other)]


def finds(left, right):
    difference = right.mean(axis=1) - left.mean(axis=1)
    return abs(difference.mean()) > 1.959964 * difference.std(ddof=1) / math.sqrt(len(difference))


@pytest.mark.parametrize(("problems", "draws"), [(64, 4), (200, 1), (30, 16)])
def test_a_difference_as_large_as_said_is_found_four_times_in_five(problems, draws):
    generator = np.random.default_rng(3)
    left, right = experiment(generator, 4000, draws, 0.1)
    least = power.errors_needed() * (right.mean(axis=1) - left.mean(axis=1)).std(ddof=1) / math.sqrt(problems)
    found = [finds(*experiment(generator, problems, draws, least)) for _ in range(600)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.06)
    found = [finds(*experiment(generator, problems, draws, 0.0)) for _ in range(600)]
    assert np.mean(found) == pytest.approx(0.05, abs=0.04)


def test_what_more_draws_would_find_is_told_from_fewer():
    generator = np.random.default_rng(5)
    spread = power.spread_of(*experiment(generator, 4000, 4, 0.1))
    many = power.spread_of(*experiment(generator, 4000, 16, 0.1))
    assert power.detectable_with(spread, 100, 16) == pytest.approx(power.detectable_with(many, 100, 16), rel=0.05)
    needed = power.problems_needed(spread, 0.03, 4)
    assert power.detectable_with(spread, needed, 4) <= 0.03 < power.detectable_with(spread, needed - 1, 4)
    draws = power.draws_needed(spread, 0.05, 400)
    assert power.detectable_with(spread, 400, draws) <= 0.05 < power.detectable_with(spread, 400, draws - 1)


def test_what_cannot_be_known_is_not_said():
    one = power.spread_of(np.array([[True], [False], [True]]), np.array([[True], [True], [False]]))
    assert one.within is None and power.draws_needed(one, 0.01, 3) is None
    assert math.isnan(power.detectable(np.array([0.5])))
    wide = power.Spread(between=0.2, within=0.1, draws=4, problems=30)
    assert power.draws_needed(wide, 0.01, 30) is None


def test_the_note_names_the_differences_that_another_draw_may_turn():
    row = dict.fromkeys(COMPARISONS, 0) | {"benchmark": "aime24", "left": "base", "p": 1.0, "p_holm": 1.0}
    rows = [
        row | {"right": "clear", "difference": 9.0, "detectable": 4.0},
        row | {"right": "faint", "difference": -3.0, "detectable": 5.0},
        row | {"left": "clear", "right": "faint", "difference": 0.0, "detectable": 1.0},
    ]
    note = power_note(frame_of(rows, COMPARISONS), "base")
    assert "to base found with 80% power, in points: aime24 4.0 to 5.0." in note
    assert note.endswith("another draw may turn them: faint on aime24.")
    assert power_note(pl.DataFrame(schema=COMPARISONS), "base") == ""
