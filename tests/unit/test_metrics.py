"""Metrics against brute force over every subset, and coverage by simulation."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonlite.errors import UserError
from reasonlite.metrics import avg_at_n, bootstrap, paired_difference, pass_at_k, verdict_matrix

MATRICES = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=1, max_size=5)
)


@given(MATRICES)
def test_pass_at_k_is_the_mean_over_all_subsets(rows):
    matrix = np.array(rows)
    for k in range(1, matrix.shape[1] + 1):
        brute = [np.mean([any(subset) for subset in combinations(row, k)]) for row in rows]
        assert pass_at_k(matrix, k) == pytest.approx(brute)


@given(MATRICES)
def test_pass_at_1_is_avg_at_n(rows):
    matrix = np.array(rows)
    assert pass_at_k(matrix, 1) == pytest.approx(avg_at_n(matrix))


def test_k_above_n_is_refused():
    with pytest.raises(ValueError, match="pass@3"):
        pass_at_k(np.ones((2, 2), bool), 3)


def test_unequal_numbers_of_answers_are_refused():
    with pytest.raises(UserError, match="unequal"):
        verdict_matrix([("a", 0, True), ("a", 1, True), ("b", 0, True)], "table")


def test_no_verdicts_are_refused():
    with pytest.raises(UserError, match="no verdicts"):
        verdict_matrix([], "table")


def test_the_order_of_rows_does_not_matter():
    rows = [("b", 1, True), ("a", 0, False), ("b", 0, False), ("a", 1, True)]
    assert verdict_matrix(rows, "")[1].tolist() == verdict_matrix(rows[::-1], "")[1].tolist() == [[False, True]] * 2


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """300 simulated benchmarks of 80 problems; a 95% interval may miss some 5% of them (3 to 8%)."""
    generator = np.random.default_rng(0)
    hits = 0
    for seed in range(300):
        difficulty = generator.beta(2, 2, 80)
        verdicts = generator.random((80, 4)) < difficulty[:, None]
        interval = bootstrap(avg_at_n(verdicts), resamples=400, seed=seed)
        hits += interval.low <= 0.5 <= interval.high
    assert 0.92 <= hits / 300 <= 0.97


def test_bootstrap_repeats_itself_and_brackets_the_mean():
    values = np.array([0.0, 0.25, 0.5, 1.0] * 5)
    first, second = (bootstrap(values, resamples=1000, seed=3) for _ in range(2))
    assert first == second
    assert first.low < first.value == values.mean() < first.high


def test_a_model_does_not_differ_from_itself():
    values = np.array([0.0, 1.0, 0.5])
    assert paired_difference(values, values, resamples=100, seed=0).high == 0.0
