"""Seeds and shards: stable, in range, spread."""

from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from reasonlite.core.schemas import PROBLEMS
from reasonlite.core.seeding import answer_seed, shard_of, shuffle_key
from reasonlite.problems.shards import into_shards

IDS = st.text(min_size=1, max_size=30)


@given(IDS, st.integers(1, 1000))
def test_a_shard_is_in_range_and_depends_on_the_id_alone(identity, shards):
    assert 0 <= shard_of(identity, shards) < shards
    assert shard_of(identity, shards) == shard_of(identity, shards)


@given(st.integers(0, 2**31 - 1), IDS, st.sampled_from(["medium", "high"]), st.integers(0, 100))
def test_a_seed_fits_every_engine(seed, identity, effort, number):
    assert 0 <= answer_seed(seed, identity, effort, number) < 2**31


def test_seeds_differ_in_every_part():
    parts = [
        (seed, f"s:{problem}", effort, number)
        for seed in (1, 2)
        for problem in range(50)
        for effort in ("medium", "high")
        for number in range(16)
    ]
    assert len({answer_seed(*part) for part in parts}) == len(parts)
    assert answer_seed(1, "a:1", "1", 0) != answer_seed(1, "a:11", "", 0)


def test_values_are_the_same_on_every_machine():
    """Recorded once: a change here would move every problem and every seed of every user."""
    assert [shard_of(f"pol:{n}", 343) for n in range(4)] == [148, 266, 202, 84]
    assert answer_seed(42, "pol:0", "high", 3) == 705618426


def test_shards_are_about_equal():
    counts = Counter(shard_of(f"omr:{n}", 16) for n in range(16_000))
    assert len(counts) == 16 and max(counts.values()) < 1_150 and min(counts.values()) > 850


def test_shuffle_keys_order_differently_by_seed():
    ids = [f"p:{n}" for n in range(20)]
    assert sorted(ids, key=lambda i: shuffle_key(0, i)) != sorted(ids, key=lambda i: shuffle_key(1, i))


@given(st.lists(st.integers(0, 10_000), unique=True, max_size=40), st.integers(1, 8))
def test_shards_hold_every_problem_once(numbers, shards):
    frame = pl.DataFrame(
        {"id": [f"s:{n}" for n in numbers], "source": "s", "problem": "q", "answer": "1"} if numbers else None,
        schema=PROBLEMS,
    )
    parts = into_shards(frame, shards)
    assert len(parts) == shards
    assert sorted(i for part in parts for i in part["id"]) == sorted(frame["id"])


@given(st.lists(st.integers(0, 1000), unique=True, min_size=2, max_size=20))
def test_removing_a_problem_touches_one_shard(numbers):
    def shards(listed):
        rows = [{"id": f"s:{n}", "source": "s", "problem": "q", "answer": "1"} for n in listed]
        return into_shards(pl.DataFrame(rows, schema=PROBLEMS), 4)

    changed = [a.equals(b) for a, b in zip(shards(numbers), shards(numbers[1:]), strict=True)]
    assert changed.count(False) == 1
