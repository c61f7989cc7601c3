"""Groups of equal answers: each problem's distinct answers and its label, compared once.

Everything after is a join on (problem, answer). Does not count votes.
"""

from __future__ import annotations

import functools
import itertools
import operator
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from reasonlite.core.schemas import GROUPS, PAIRS, TIMINGS
from reasonlite.core.tables import frame_of
from reasonlite.judge.equivalence import compare, compare_with_label
from reasonlite.judge.reading import plain_number
from reasonlite.judge.verdicts import EXACT, ROUNDED_LABEL, Verdict, equal

CHEAP = frozenset({"text", "number"})  # pairs decided so are not worth a row
SAME_NUMBER = equal("number")
SLOW_SECONDS = 0.01  # pairs that took longer are listed with their time


@dataclass
class AnswerClass:
    """Answers that vote together. ``is_exact``: all of them are equal by exact means."""

    representative: str
    members: list[str] = field(default_factory=list)
    plain_value: str | None = None
    is_exact: bool = True

    def takes(self, answer: str, verdict: Verdict) -> bool:
        """Whether an answer equal to the representative may join: it must not differ from any member."""
        if verdict.method in EXACT and self.is_exact:
            return True
        return all(_timed(member, answer)[0].verdict != "different" for member in self.members)

    def add(self, answer: str, verdict: Verdict) -> None:
        self.members.append(answer)
        self.is_exact = self.is_exact and verdict.method in EXACT


@functools.lru_cache(maxsize=2**17)
def _timed(left: str, right: str, *, as_label: bool = False) -> tuple[Verdict, float]:
    started = time.perf_counter()
    verdict = compare_with_label(left, right) if as_label else compare(left, right)
    return verdict, time.perf_counter() - started


def group(
    answers: pl.DataFrame, problems: pl.DataFrame, *, rounding: bool = False
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Sort each problem's distinct answers and label into classes of equal answers.

    ``answers``: problem_id, answer. ``problems``: id, answer. Returns (GROUPS, PAIRS, TIMINGS):
    the distinct answers with their class; the pairs that took more than reading two numbers,
    with verdict and method; and those of them that took longer than SLOW_SECONDS.

    An answer joins the first class whose representative it equals, unless it is known to
    differ from another member: equality by rounding, by percent or by a missing unit is not
    transitive, and 0.3333 and 0.33333 do not meet in 1/3. Undecided counts as not equal.

    With ``rounding`` an answer that the label, a decimal, is the rounding of is equal to the label, and stays in its
    own class: what it shares with the label it need not share with other answers.
    """
    rows: list[tuple] = []
    compared: dict[tuple[str, str, str], tuple[Verdict, float]] = {}
    labels = dict(problems.select("id", "answer").iter_rows())
    for problem_id, counted in _distinct(answers, list(labels)):
        classes = _classes(problem_id, labels[problem_id], counted, compared)
        rows += _by_rounding(classes, compared) if rounding else classes
    pairs = [(*key, verdict.verdict, verdict.method) for key, (verdict, _) in compared.items()]
    slow = [(*key, verdict.method, seconds) for key, (verdict, seconds) in compared.items() if seconds > SLOW_SECONDS]
    return frame_of(rows, GROUPS), frame_of(pairs, PAIRS), frame_of(slow, TIMINGS)


def _distinct(answers: pl.DataFrame, problem_ids: list[str]) -> Iterator[tuple[str, dict[str, int]]]:
    """(problem, {answer: count}) in the order of ids; answers by falling count, then by text."""
    counts = (
        answers.filter(pl.col("answer").is_not_null())
        .group_by("problem_id", "answer")
        .agg(pl.len().alias("count"))
        .sort("problem_id", "count", "answer", descending=[False, True, False])
    )
    by_problem = {
        problem_id: {answer: count for _, answer, count in rows}
        for problem_id, rows in itertools.groupby(counts.iter_rows(), key=operator.itemgetter(0))
    }
    for problem_id in sorted(problem_ids):
        yield problem_id, by_problem.get(problem_id, {})


def _classes(
    problem_id: str,
    label: str | None,
    counts: dict[str, int],
    compared: dict[tuple[str, str, str], tuple[Verdict, float]],
) -> list[tuple]:
    """The rows of one problem: the label's class first, then by falling count."""
    classes: list[AnswerClass] = []
    plain: dict[str, int] = {}  # classes of plain numbers by value: two of them need no comparison
    rows = []
    for answer in [*([] if label is None else [label]), *(answer for answer in counts if answer != label)]:
        key = _plain_value(answer)
        found, equals_label = plain.get(key) if key is not None else None, None if label is None else answer == label
        for number, known in enumerate(classes):
            if key is not None and known.plain_value is not None:
                if number != found:
                    continue
                verdict = SAME_NUMBER
            else:
                verdict, seconds = _timed(known.representative, answer)
                if verdict.method not in CHEAP:
                    compared[problem_id, known.representative, answer] = (verdict, seconds)
            if verdict.is_equal:
                equals_label = equals_label or (label is not None and number == 0)
                if known.takes(answer, verdict):
                    known.add(answer, verdict)
                    break
        else:
            number = len(classes)
            classes.append(AnswerClass(answer, [answer], key))
            if key is not None:
                plain.setdefault(key, number)
        by_rounding = None if label is None else False
        rows.append((problem_id, answer, number, answer == label, equals_label, by_rounding, counts.get(answer, 0)))
    return rows


def _by_rounding(rows: list[tuple], compared: dict[tuple[str, str, str], tuple[Verdict, float]]) -> list[tuple]:
    """The rows of one problem with the answers that the label, a decimal, is the rounding of."""
    label = next((answer for _, answer, _, is_label, *_ in rows if is_label), None)
    if label is None or "." not in label:
        return rows
    found = []
    for problem_id, answer, number, is_label, equals_label, _, count in rows:
        verdict, seconds = _timed(label, answer, as_label=True)
        rounds = not equals_label and verdict.method == ROUNDED_LABEL
        if rounds:
            compared[problem_id, label, answer] = (verdict, seconds)
        found.append((problem_id, answer, number, is_label, equals_label or rounds, rounds, count))
    return found


def _plain_value(answer: str) -> str | None:
    """A number that stands in the text as such, in one spelling for each value; None for any other answer."""
    digits = plain_number(answer)
    if digits is None:
        return None
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if digits == "-0" else digits
