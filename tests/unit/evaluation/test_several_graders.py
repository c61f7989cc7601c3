"""The same answers under several graders, and differences that add up."""

import math

import numpy as np
import polars as pl
import pytest

from reasonlite.core.schemas import ADJUDICATED, GRADED, JUDGED, PAIRS, TAKEN
from reasonlite.core.tables import frame_of
from reasonlite.evaluation import explained, graders

SETTINGS = {"resamples": 200, "seed": 0}


def test_each_grader_reads_the_same_answers_in_its_own_way():
    rows = [
        ("p", r"<think>\boxed{1}</think>\boxed{\frac12}", r"\frac12", True, 1.0, "0.5"),
        ("q", "The answer is 4.", "4", True, 0.0, "5"),
        ("r", None, None, False, None, None),
    ]
    blank = dict.fromkeys(JUDGED.names())
    judged = [
        blank | {"answer_id": f"{p}_0", "problem_id": p, "number": 0, "answer": answer, "correct": correct,
                 "status": "complete" if text else "failed"}
        for p, text, answer, correct, *_ in rows
    ]  # fmt: skip
    taken = [dict.fromkeys(TAKEN.names()) | {"answer_id": f"{p}_0", "score": score, "extracted": extracted}
             for p, *_, score, extracted in rows]  # fmt: skip
    answers = pl.DataFrame({"answer_id": [f"{p}_0" for p, *_ in rows], "text": [text for _, text, *_ in rows]})
    pairs = frame_of([("p", "0.5", r"\frac12", "equal", "number")], PAIRS)
    labels = {"p": "0.5", "q": "4", "r": "1"}
    graded = graders.grade(
        answers, frame_of(judged, JUDGED), pairs, labels, frame_of(taken, TAKEN), graders.OTHERS
    ).to_dict(as_series=False)
    assert graded["rules"] == [True, True, False] and graded["method"] == ["number", "text", "no answer"]
    assert graded["equality"] == [False, True, False] and graded["math_verify"] == [True, True, False]
    assert graded["own"] == [True, False, None] and graded["extracted_rules"] == [True, False, None]
    blank = dict.fromkeys(ADJUDICATED.names()) | {"problem_id": "p", "left": "0.5"}
    asked = [
        blank | {"right": r"\frac12", "verdict": "equal"},
        blank | {"right": "7", "verdict": "undecided", "error": "?"},
    ]
    by_model = graders.grade(
        answers, frame_of(judged, JUDGED), pairs, labels, None, ["llm"], frame_of(asked, ADJUDICATED)
    )
    assert by_model["llm"].to_list() == [True, True, False] and by_model["own"].null_count() == 3
    alone = graders.grade(answers, frame_of(judged, JUDGED), pairs, labels, None, ["equality"])
    assert alone["own"].null_count() == alone["math_verify"].null_count() == 3


def test_kappa_is_agreement_beyond_chance():
    # Cohen's own kind of table: both yes 20, both no 15, one yes 5, the other yes 10: (0.7 - 0.5) / (1 - 0.5)
    left = np.array([True] * 25 + [False] * 25)
    right = np.array([True] * 20 + [False] * 5 + [True] * 10 + [False] * 15)
    assert graders.kappa(left, right) == pytest.approx(0.4)
    assert graders.kappa(left, left) == 1.0
    assert graders.kappa(np.ones(3, bool), np.ones(3, bool)) is None


def graded_of(rows):
    """(problem, number, rules, own, extracted_rules, status) as GRADED."""
    names = ("problem_id", "number", "rules", "own", "extracted_rules", "status")
    blank = dict.fromkeys(GRADED.names())
    named = [blank | dict(zip(names, row, strict=True)) for row in rows]
    return frame_of([row | {"score": None if row["own"] is None else float(row["own"])} for row in named], GRADED)


def parts_of(rows):
    return {row[3]: row[4] for row in rows}


def random_run(generator, problems, draws, chance):
    return graded_of([
        (f"p{problem:03d}", number, bool(generator.random() < chance), bool(generator.random() < chance),
         bool(generator.random() < chance), "complete" if generator.random() < 0.9 else "cut")
        for problem in problems for number in range(draws)
    ])  # fmt: skip


@pytest.mark.parametrize("claim", [None, 41.5])
def test_parts_add_up_from_their_score_to_ours(claim):
    graded = random_run(np.random.default_rng(1), range(40), 3, 0.5)
    parts = parts_of(explained.of_graders("b", "m", graded, claim, **SETTINGS))
    assert set(parts) == {"whole", "cut", "extraction", "verdict", *(["score"] if claim else [])}
    assert parts.pop("whole") == pytest.approx(sum(parts.values()), abs=1e-9)
    ours, own = (100 * graded.group_by("problem_id").agg(pl.col(name).mean())[name].mean() for name in ("rules", "own"))
    assert sum(parts.values()) == pytest.approx(ours - (own if claim is None else claim))


def test_each_part_is_what_its_name_says():
    rows = [
        ("a", 0, False, True, True, "cut"),  # they took an answer from a text that never ended
        ("b", 0, True, False, False, "complete"),  # they found another answer
        ("c", 0, True, False, True, "complete"),  # the same answer, and another verdict
        ("d", 0, True, True, True, "complete"),
    ]
    parts = parts_of(explained.of_graders("b", "m", graded_of(rows), None, **SETTINGS))
    assert parts == {"whole": 25.0, "cut": -25.0, "extraction": 25.0, "verdict": 25.0}
    hidden = graded_of([(*row[:4], None, row[5]) for row in rows])
    parts = parts_of(explained.of_graders("b", "m", hidden, 60.0, **SETTINGS))
    assert parts == {"whole": 15.0, "score": -10.0, "cut": -25.0, "extraction or verdict": 50.0}
    unjudged = graded_of([(*row[:3], None, *row[4:]) for row in rows])
    parts = parts_of(explained.of_graders("b", "m", unjudged, 70.0, **SETTINGS))
    assert parts == {"whole": 5.0, "score and verdict": 5.0, "cut": -25.0, "extraction": 25.0}
    assert explained.of_graders("b", "m", unjudged, None, **SETTINGS) == []


@pytest.mark.parametrize(
    ("problems", "draws"), [((range(30), range(30)), (2, 2)), ((range(30), range(10, 40)), (4, 2))]
)
def test_parts_add_up_from_run_to_run(problems, draws):
    generator = np.random.default_rng(2)
    runs = tuple(
        random_run(generator, *each, chance) for *each, chance in zip(problems, draws, (0.4, 0.6), strict=True)
    )
    rows = explained.of_runs("b", ("one", "two"), runs, **SETTINGS)
    parts = parts_of(rows)
    assert parts.pop("whole") == pytest.approx(sum(parts.values()), abs=1e-9)
    assert ("problems" in parts, "draws" in parts) == (problems[0] != problems[1], draws[0] != draws[1])
    assert all(row[5] is None or row[5] <= row[4] <= row[6] for row in rows)


def test_runs_without_a_problem_in_common_are_not_compared_and_one_draw_has_no_noise_floor():
    generator = np.random.default_rng(3)
    runs = tuple(random_run(generator, each, 1, 0.5) for each in (range(5), range(5, 9)))
    assert explained.of_runs("b", ("one", "two"), runs, **SETTINGS) == []
    assert explained.of_draws("b", "m", runs[0], **SETTINGS) == []
    noise = parts_of(explained.of_draws("b", "m", random_run(generator, range(200), 2, 0.5), **SETTINGS))
    assert abs(noise["whole"]) < 15 and not math.isnan(noise["answers"])
