"""Benchmark problems that training sources held are counted, and scores on the rest stand beside the whole."""

import numpy as np
import polars as pl

from reasonlite.core.schemas import DROPPED, NOTICED
from reasonlite.core.tables import frame_of
from reasonlite.evaluation import contamination
from reasonlite.evaluation.results import Scores

BENCHMARKS = {"aime24": {"aime24:0", "aime24:1", "aime24:2", "aime24:3"}, "amc23": {"amc23:0"}}


def dropped(problem, reason, twin):
    return (problem, "pol", "?", "1", reason, twin, 0.9)


def noticed(problem, what, twin):
    return (problem, "pol", what, "1", twin, "2", 1.0)


DROPS = frame_of(
    [
        dropped("pol:1", "contaminated", "aime24:0"),
        dropped("pol:2", "contaminated: similar", "aime24:0"),
        dropped("pol:3", "duplicate", "pol:1"),
        dropped("pol:4", "variant of a benchmark problem", "aime24:1"),
        dropped("pol:5", "contaminated: n-grams", "amc23:0"),
        dropped("pol:6", "proof", None),
    ],
    DROPPED,
)
NOTICES = frame_of(
    [
        noticed("pol:7", "variant of a benchmark problem", "aime24:0"),
        noticed("pol:8", "variant of a benchmark problem", "aime24:2"),
        noticed("pol:9", "copies with other labels", "pol:1"),
    ],
    NOTICED,
)


def test_twins_and_variants_are_listed_in_pairs():
    alike = contamination.pairs(DROPS, NOTICES, BENCHMARKS)
    assert alike.select("benchmark_problem", "problem").rows() == [
        ("aime24:0", "pol:1"), ("aime24:0", "pol:2"), ("aime24:0", "pol:7"), ("aime24:1", "pol:4"),
        ("aime24:2", "pol:8"), ("amc23:0", "pol:5"),
    ]  # fmt: skip


def test_scores_on_the_clean_part_stand_beside_the_whole():
    def scores(problems, right):
        matrix = np.array(right, dtype=bool)
        return Scores(problems, matrix, matrix, np.ones(matrix.shape), matrix, matrix, [])

    measured = {
        "aime24": {"base": scores(sorted(BENCHMARKS["aime24"]), [[1, 1], [1, 0], [0, 0], [1, 0]])},
        "amc23": {"base": scores(["amc23:0"], [[1, 1]])},
    }
    alike = contamination.pairs(DROPS, NOTICES, BENCHMARKS)
    table = contamination.scores(measured, alike, BENCHMARKS, resamples=200, seed=0)
    aime, amc = table.rows(named=True)
    assert [aime[name] for name in ("problems", "twins", "variants", "clean")] == [4, 1, 2, 1]
    assert (aime["whole"], aime["part"], aime["part_low"]) == (50.0, 50.0, 50.0)
    assert (amc["twins"], amc["clean"], amc["whole"], amc["part"]) == (1, 0, 100.0, None)


def test_nothing_alike_leaves_everything_clean():
    none = contamination.pairs(DROPS.clear(), NOTICES.clear(), BENCHMARKS)
    assert none.is_empty() and none.schema["score"] == pl.Float64
