"""Metrics against brute force over every subset, and coverage by simulation."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonlite.core.errors import UserError
from reasonlite.evaluation.metrics import (
    avg_at_n,
    bootstrap,
    decoding_flops,
    holm,
    majority_at_n,
    mcnemar,
    paired_difference,
    pass_at_k,
    spread_over_draws,
    verdict_matrix,
    within_budget,
)

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


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """2000 simulated benchmarks of 200 problems: the 95% interval holds the true mean 94 to 96% of the time."""
    generator = np.random.default_rng(0)
    hits = 0
    for seed in range(2000):
        difficulty = generator.beta(2, 2, 200)
        verdicts = generator.random((200, 4)) < difficulty[:, None]
        interval = bootstrap(avg_at_n(verdicts), resamples=1000, seed=seed)
        hits += interval.low <= 0.5 <= interval.high
    assert 0.94 <= hits / 2000 <= 0.96


def test_bootstrap_repeats_itself_and_brackets_the_mean():
    values = np.array([0.0, 0.25, 0.5, 1.0] * 5)
    first, second = (bootstrap(values, resamples=1000, seed=3) for _ in range(2))
    assert first == second
    assert first.low < first.value == values.mean() < first.high


def test_a_model_does_not_differ_from_itself():
    values = np.array([0.0, 1.0, 0.5])
    assert paired_difference(values, values, resamples=100, seed=0).high == 0.0


def test_majority_counts_classes_and_splits_ties():
    classes = [[0, 0, 1], [0, 1, None], [None, None, None], [2, 1, 1]]
    right = [[True, True, False], [True, False, False], [False] * 3, [True, False, False]]
    assert majority_at_n(classes, right).tolist() == [1.0, 0.5, 0.0, 0.0]


def test_draws_spread_around_their_mean():
    assert spread_over_draws(np.array([[1, 0], [1, 1]], bool)) == (0.75, 0.5, 1.0)


def test_mcnemar_against_counting_every_outcome():
    """The exact p-value is the share of coin sequences at least as lopsided as the one seen."""
    left = np.array([1, 1, 1, 1, 1, 0, 1, 0], bool)
    right = np.array([0, 0, 0, 0, 0, 1, 1, 0], bool)
    lopsided = sum(abs(sum(flips) - 3) >= 2 for flips in product([0, 1], repeat=6))
    assert mcnemar(left, right) == pytest.approx(lopsided / 2**6)
    assert mcnemar(left, left) == 1.0 and mcnemar(left, right) == mcnemar(right, left)


def test_mcnemar_rejects_as_rarely_as_it_says():
    generator = np.random.default_rng(1)
    rejected = sum(mcnemar(generator.random(60) < 0.5, generator.random(60) < 0.5) <= 0.05 for _ in range(2000))
    assert rejected / 2000 <= 0.05


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == [] and holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])


@given(MATRICES, st.integers(0, 50))
def test_a_budget_only_takes_answers_away(rows, seed):
    matrix = np.array(rows)
    generator = np.random.default_rng(seed)
    tokens, finished = generator.integers(1, 100, matrix.shape), generator.random(matrix.shape) < 0.8
    curve = [within_budget(matrix, tokens, finished, budget).mean() for budget in range(0, 101, 5)]
    assert curve == sorted(curve) and curve[0] == 0.0
    assert curve[-1] == pytest.approx((matrix & finished).mean())


def test_flops_against_a_sum_over_tokens():
    layers, width, parameters = 3, 8, 1000.0
    by_token = sum(2 * parameters + 4 * layers * width * position for position in range(1, 31))
    assert decoding_flops(parameters, 10, 20, layers, width) == by_token
    assert decoding_flops(parameters, 10, 20) == 2 * parameters * 30
