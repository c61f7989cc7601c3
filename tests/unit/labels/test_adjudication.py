"""A model's verdicts on pairs: strict replies, tries, what they change, and agreement with the rules."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import answers_of, problems_of

from reasonlite.answers.engines import Reply
from reasonlite.config.settings import Adjudicator, ServerEngine
from reasonlite.core.schemas import ADJUDICATED, GROUPS
from reasonlite.core.tables import frame_of
from reasonlite.labels.adjudication import (
    Court,
    adjudicate,
    agreement,
    cohen_kappa,
    disagreements,
    parse_verdict,
    questions,
    settle,
)
from reasonlite.labels.groups import group


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"verdict": "equal"}', "equal"),
        ('```json\n{"verdict": "different"}\n```', "different"),
        ('<think>they say "equal"</think>{"verdict": "unsure"}', "undecided"),
        ("true", None),
        ("It is not true that they are equal.", None),  # ReasonLite's 'true' in text says yes
        ('{"verdict": "equal"} or {"verdict": "different"}', None),
        ('{"verdict": "Equal"}', None),
        ('{"verdict": ["equal"]}', None),
        ('{"verdict": "equal", "why": "same"}', None),
        ('["verdict"]', None),
        ("", None),
        ("[" * 100_000, None),
    ],
)
def test_only_one_object_with_a_known_verdict_counts(text, expected):
    assert parse_verdict(text, "stop") == expected


def test_a_cut_reply_has_no_verdict():
    assert parse_verdict('{"verdict": "equal"}', "length") is None


class Scripted:
    """An engine whose replies are given, by what stands in the prompt."""

    def __init__(self, replies):
        self.scripted, self.asked = replies, []

    def replies(self, requests):
        for request in requests:
            self.asked.append(request.messages[0]["content"])
            yield request, self._next(self.asked[-1])

    def _next(self, prompt):
        waiting = next(listed for key, listed in self.scripted.items() if key in prompt)
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


COURT = Court(Adjudicator(attempts=3, sample=0), ServerEngine(kind="server", url="http://x/v1", model="m"), "m", 1, 8)
SAME, OTHER, PROSE = Reply('{"verdict": "equal"}'), Reply('{"verdict": "different"}'), Reply("I think so")


def asked_about(listed, label, mode="rules_then_llm", sample=0):
    answers, problems = answers_of({"p": listed}), problems_of({"p": label}).with_columns(problem=pl.lit("why?"))
    groups, pairs, _ = group(answers, problems)
    return groups, questions(groups, pairs, mode, sample, 1), problems


def test_malformed_replies_are_asked_again_and_kept_for_the_next_run(tmp_path):
    groups, asked, problems = asked_about(["all primes", "4", "the prime numbers"], "every prime number")
    assert asked["asked"].to_list() == ["undecided"] * asked.height and asked.height >= 2
    engine = Scripted({"First answer: every prime number\nSecond answer: all primes": [PROSE, SAME], "": [PROSE]})
    found = adjudicate(asked, problems, COURT, tmp_path / "j", lambda: engine)
    rows = {(row["left"], row["right"]): row for row in found.rows(named=True)}
    first = rows["every prime number", "all primes"]
    assert (first["verdict"], first["attempts"], first["error"]) == ("equal", 2, None)
    other = rows["every prime number", "the prime numbers"]
    assert (other["verdict"], other["attempts"], other["reply"]) == ("undecided", 3, "I think so")
    assert "why?" in engine.asked[0]
    again = adjudicate(asked, problems, COURT, tmp_path / "j", lambda: pytest.fail("nothing is left to ask"))
    assert again.equals(found)
    settled = settle(groups, found, "rules_then_llm")
    equal = dict(settled.select("answer", "equals_label").iter_rows())
    assert equal == {"every prime number": True, "all primes": True, "4": False, "the prime numbers": False}


def verdicts(rows):
    """ADJUDICATED from (left, right, asked, rules, verdict)."""
    names = ["left", "right", "asked", "rules", "verdict"]
    rest = {"problem_id": "p", "attempts": 1, "reply": "r", "error": None}
    return frame_of([{**rest, **dict(zip(names, row, strict=True))} for row in rows], ADJUDICATED)


def test_a_model_cannot_chain_answers_that_the_rules_know_to_differ():
    groups, *_ = asked_about(["5", "6", "a prime of note"], None)
    said = [("5", "a prime of note"), ("6", "a prime of note")]
    settled = settle(groups, verdicts([(*pair, "undecided", "undecided", "equal") for pair in said]), "rules_then_llm")
    classes = dict(settled.select("answer", "class").iter_rows())
    assert classes["5"] == classes["a prime of note"] != classes["6"]
    assert settled.schema == GROUPS and sorted(set(classes.values())) == [0, 1]


def test_the_sample_changes_nothing():
    groups, asked, _ = asked_about(["5", "6", "7"], "5", sample=1)
    assert asked["asked"].to_list() == ["sample"]
    said = [(*row, "equal") for row in asked.select("left", "right", "asked", "rules").iter_rows()]
    assert settle(groups, verdicts(said), "rules_then_llm").equals(groups)


def test_asking_about_every_answer_puts_each_beside_the_label_and_the_most_frequent():
    groups, asked, _ = asked_about(["6", "6", "7", "six"], "5", mode="llm")
    assert set(asked.select("left", "right", "asked").iter_rows()) == {
        *(("5", right, "label") for right in ("6", "7", "six")),
        *(("6", right, "top") for right in ("7", "six")),
    }
    said = [("5", "7", "label", "different", "equal"), ("6", "six", "top", "equal", "equal")]
    settled = settle(groups, verdicts(said), "llm")
    assert dict(settled.select("answer", "equals_label").iter_rows()) == {
        "5": True,
        "6": False,
        "7": True,
        "six": False,
    }
    classes = dict(settled.select("answer", "class").iter_rows())
    assert classes["5"] == classes["7"] and classes["6"] == classes["six"] != classes["5"]


def test_agreement_against_a_worked_example():
    # Cohen's kappa of [[20, 5], [10, 15]] is 0.4
    assert cohen_kappa([[20, 5], [10, 15]]) == pytest.approx(0.4)
    assert cohen_kappa([[0, 0], [0, 0]]) is None and cohen_kappa([[7, 0], [0, 0]]) is None
    rows = [("a", f"{n}", "sample", "equal", "equal") for n in range(20)]
    rows += [("b", f"{n}", "sample", "equal", "different") for n in range(5)]
    rows += [("c", f"{n}", "sample", "different", "equal") for n in range(10)]
    rows += [("d", f"{n}", "sample", "different", "different") for n in range(15)]
    rows += [("e", "x", "undecided", "undecided", "equal")]
    table = dict(agreement(verdicts(rows)).iter_rows())
    assert table["Cohen's kappa where both decided"] == pytest.approx(0.4)
    assert table["rules undecided, model equal"] == 1 and table["pairs asked"] == 51
    assert set(disagreements(verdicts(rows))["left"]) == {"b", "c"}


@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=3, max_size=3))
def test_kappa_is_one_at_most_and_the_same_for_both_orders(table):
    kappa, transposed = cohen_kappa(table), cohen_kappa([list(column) for column in zip(*table, strict=True)])
    assert (kappa is None) == (transposed is None)
    if kappa is not None:
        assert kappa <= 1 + 1e-12 and kappa == pytest.approx(transposed)
