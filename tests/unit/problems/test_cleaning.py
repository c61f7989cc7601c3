"""Copies, benchmarks' twins, proofs: what is dropped with which twin, and what stays."""

import polars as pl
import pytest

from reasonlite.config.settings import Cleaning
from reasonlite.core.schemas import PROBLEMS, SOURCED
from reasonlite.core.tables import frame_of
from reasonlite.problems.checks import unusable
from reasonlite.problems.cleaning import clean
from reasonlite.problems.likeness import Text, masked_similarity, shared_numbers, similarity, tokens_of

SUM = "Find the sum of all integer bases $b>9$ for which $17_b$ is a divisor of $97_b$."
TRAIN = (
    "A train travels 120 miles in 3 hours and then 80 miles in 2 hours. What is its average speed in miles per hour?"
)


def table(name, *problems, schema=SOURCED):
    rows = []
    for number, given in enumerate(problems):
        text, answer = given if isinstance(given, tuple) else (given, "1")
        rows.append({"id": f"{name}:{number}", "source": name, "problem": text, "answer": answer})
    return frame_of(rows, schema)


def cleaned(problems, benchmarks=(), **settings):
    kept, dropped, noticed = clean(problems, table("b", *benchmarks, schema=PROBLEMS), Cleaning(**settings))
    assert kept.height + dropped.height == problems.height
    told = {row["id"]: (row["reason"], row["twin"]) for row in dropped.iter_rows(named=True)}
    return kept["id"].to_list(), told, noticed


def test_copies_and_benchmark_twins_are_dropped_with_their_twin():
    problems = table("s", "What is 1+1?", "what is  1+1", "New?", "Held out.")
    kept, dropped, _ = cleaned(problems, ["HELD OUT"])
    assert kept == ["s:0", "s:2"]
    assert dropped == {"s:1": ("duplicate", "s:0"), "s:3": ("contaminated", "b:0")}


SAME = {
    "typesetting": r"Find the sum of all integer bases \( b > 9 \) for which \( 17_{b} \) is a divisor of \(97_{b}\)",
    "another word": SUM.replace("Find", "Determine").replace("all integer bases", "every integer base"),
    "an instruction": SUM + " Express your answer as an integer.",
    "a heading": "Problem. " + SUM,
    "width of letters": SUM.replace("17", "\uff11\uff17"),
}


@pytest.mark.parametrize("how", SAME)
def test_the_same_problem_in_other_words_is_found(how):
    problems = table("s", (SUM, "70"), (SAME[how], "70"))
    kept, dropped, _ = cleaned(problems)
    assert kept == ["s:0"] and dropped["s:1"][1] == "s:0"
    kept, dropped, _ = cleaned(problems, [(SUM, "70")])
    assert kept == [] and {twin for _, twin in dropped.values()} == {"b:0"}


OTHERS = {
    "other numbers": (SUM.replace("17", "16"), "70"),
    "another question, other label": (TRAIN.replace("average speed in miles per hour", "time in hours"), "5"),
    "numbers in another order": ("If $x - y = 6$ and $x + y = 12$, what is the value of $y$?", "3"),
    "something else": ("How many positive divisors does 196 have?", "9"),
}


@pytest.mark.parametrize("how", OTHERS)
def test_another_problem_stays(how):
    first = [(SUM, "70"), (TRAIN, "40"), ("If $x - y = 12$ and $x + y = 6$, what is the value of $y$?", "-3")]
    kept, dropped, _ = cleaned(table("s", *first, OTHERS[how]))
    assert len(kept) == 4 and dropped == {}


def test_a_labelled_copy_comes_before_one_without_and_sources_in_their_order():
    problems = pl.concat([table("a", (SUM, None), (TRAIN, "40")), table("b", (SUM, "70"), (TRAIN, "40"))])
    kept, dropped, _ = cleaned(problems)
    assert sorted(kept) == ["a:1", "b:0"]
    assert dropped == {"b:1": ("duplicate", "a:1"), "a:0": ("duplicate", "b:0")}


def test_copies_with_other_labels_are_told():
    _, dropped, noticed = cleaned(table("s", (SUM, "70"), (SUM, "71"), (SUM, "70.0")))
    assert set(dropped) == {"s:1", "s:2"}
    assert noticed.select("id", "what", "label", "twin", "twin_label").rows() == [
        ("s:1", "copies with other labels", "71", "s:0", "70")
    ]


def test_a_benchmark_problem_with_other_numbers_is_noticed_or_dropped():
    problems = table("s", (TRAIN.replace("120", "150").replace("80", "90"), "48"))
    kept, _, noticed = cleaned(problems, [(TRAIN, "40")])
    assert kept == ["s:0"] and noticed.select("what", "twin").row(0) == ("variant of a benchmark problem", "b:0")
    kept, dropped, noticed = cleaned(problems, [(TRAIN, "40")], variants="drop")
    assert kept == [] and dropped["s:0"][0] == "variant of a benchmark problem" and noticed.is_empty()


def test_a_benchmark_problem_inside_a_longer_text_is_found_by_its_n_grams():
    longer = "Here is a nice one from last year's contest, which many found hard. " + TRAIN + " Give a full solution."
    kept, dropped, _ = cleaned(table("s", (longer, "forty")), [(TRAIN, "40")])
    assert kept == [] and dropped["s:0"] == ("contaminated: n-grams", "b:0")
    assert cleaned(table("s", (longer, "forty")), [(TRAIN, "40")], ngram=30, similarity=1)[0] == ["s:0"]


@pytest.mark.parametrize(
    ("problem", "answer", "reason"),
    [
        ("Prove that $\\sqrt 2$ is irrational.", "1", "proof"),
        ("Let $a > 0$. Show that, for all $n$, $a^n > 0$.", None, "proof"),
        ("Show that $x = 2$ is a root, and find the other one.", "3", None),
        ("Can you prove that it is so? What is $x$?", "3", None),
        ("What is the proof of the pudding worth?", "3", None),
        ("What is $x$?", "see solution", "no checkable answer"),
        ("What is $x$?", "Q.E.D.", "no checkable answer"),
        ("What is $x$?", "n/a", "no checkable answer"),
        ("What is $x$?", "x " * 200, "no checkable answer"),
        ("What is $x$?", "none", None),  # may well be the answer
        ("What is $x$?", None, None),
    ],
)
def test_proofs_and_answers_that_nothing_can_be_compared_with(problem, answer, reason):
    assert unusable(problem, answer) == reason


def test_what_is_unusable_is_dropped_or_kept():
    problems = table("s", "a?", "b?").with_columns(unusable=pl.Series([None, "proof"]))
    assert cleaned(problems)[:2] == (["s:0"], {"s:1": ("proof", None)})
    assert cleaned(problems, uncheckable="keep")[0] == ["s:0", "s:1"]


def test_measures():
    left, right = (Text(tokens_of(text)) for text in ("Add 1,200 and 3.", "Add $3$ and \\$1200, then 7"))
    assert left.tokens == ("add", "1200", "and", "3") and left.numbers == ["1200", "3"]
    assert shared_numbers(left, right) == pytest.approx(2 / 3) and shared_numbers(Text(()), Text(())) == 1
    assert similarity(left, left) == 1 and masked_similarity(left, Text(("add", "5", "and", "9"))) == 1
    assert similarity(left, Text(("add", "5", "and", "9"))) == pytest.approx(2 * 2 / 8)


def test_the_order_of_rows_does_not_change_what_is_found_about_other_rows():
    texts = [(f"How many ways are there to put {n} balls into {n + 1} boxes?", str(n)) for n in range(60)]
    kept, dropped, _ = cleaned(table("s", *texts, *texts))
    assert len(kept) == 60 and dropped == {f"s:{n + 60}": ("duplicate", f"s:{n}") for n in range(60)}
