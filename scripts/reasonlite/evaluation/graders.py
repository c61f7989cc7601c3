"""The same answers under several graders: ours, math-verify, plain equality, and the one of the log they came from.

Does not know which log that was, nor how answers were drawn.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import numpy as np
import polars as pl

from reasonlite.core.schemas import GRADED, GRADERS
from reasonlite.core.tables import frame_of
from reasonlite.evaluation.metrics import bootstrap
from reasonlite.judge.algebra import whole_reply
from reasonlite.judge.equivalence import compare, compare_with_label
from reasonlite.judge.extraction import extract

OTHERS = ("math_verify", "equality", "own", "llm")
FINAL = re.compile(r".*(?:</think>|<\|end_of_thought\|>|<\|channel\|>final<\|message\|>)", re.DOTALL)


def grade(
    answers: pl.DataFrame,
    judged: pl.DataFrame,
    pairs: pl.DataFrame,
    labels: dict[str, str],
    taken: pl.DataFrame | None,
    graders: Sequence[str],
    adjudicated: pl.DataFrame | None = None,
    *,
    rounding: bool = False,
) -> pl.DataFrame:
    """Every answer's verdict by each grader (GRADED), in the order of ``judged``.

    ``answers``: answer_id, text; ``judged``: JUDGED; ``pairs``: PAIRS; ``labels`` by problem; ``taken``: TAKEN of
    answers that were recorded elsewhere; ``adjudicated``: ADJUDICATED of each distinct answer beside its label;
    ``rounding``: as the rules were told.
    """
    asked = {} if adjudicated is None else _asked(adjudicated)
    methods = {
        (problem_id, frozenset((left, right))): method
        for problem_id, left, right, method in pairs.select("problem_id", "left", "right", "method").iter_rows()
    }
    texts = dict(answers.select("answer_id", "text").iter_rows())
    logged = {} if taken is None else {row["answer_id"]: row for row in taken.iter_rows(named=True)}
    rows = []
    for row in judged.sort("problem_id", "number").iter_rows(named=True):
        label, answer = labels[row["problem_id"]], row["answer"]
        own = logged.get(row["answer_id"], {})
        score, extracted = own.get("score"), own.get("extracted")
        found = {
            "label": label,
            "rules": row["correct"],
            "method": _method(answer, label, methods, row["problem_id"]),
            "equality": answer == label if "equality" in graders else None,
            "math_verify": by_math_verify(texts[row["answer_id"]], label) if "math_verify" in graders else None,
            "llm": _by_model(answer, label, asked, row["problem_id"]) if adjudicated is not None else None,
            "own": score > 0.5 if score is not None and "own" in graders else None,
            "score": score if "own" in graders else None,
            "extracted": extracted,
            "extracted_rules": None if extracted is None else _by_rules(extracted, label, rounding=rounding),
        }
        rows.append({name: row.get(name) for name in GRADED} | found)
    return frame_of(rows, GRADED)


def _method(answer: str | None, label: str, methods: dict, problem_id: str) -> str:
    """By what the rules decided: as their table of pairs has it, which leaves out what reading alone decides."""
    if answer is None:
        return "no answer"
    if answer == label:
        return "text"
    return methods.get((problem_id, frozenset((answer, label)))) or compare(label, answer).method


def _asked(adjudicated: pl.DataFrame) -> dict[tuple[str, str], bool | None]:
    """By problem and answer: is it the label's for the model; None where it gave no usable reply."""
    columns = adjudicated.select("problem_id", "right", "verdict", "error")
    return {
        (problem_id, answer): None if error is not None else verdict == "equal"
        for problem_id, answer, verdict, error in columns.iter_rows()
    }


def _by_model(answer: str | None, label: str, asked: dict[tuple[str, str], bool | None], problem: str) -> bool | None:
    """The model's verdict; it is not asked about the label's own text, nor where there is no answer."""
    return answer == label if answer is None or answer == label else asked.get((problem, answer))


@functools.lru_cache(maxsize=2**16)
def _by_rules(extracted: str, label: str, *, rounding: bool) -> bool:
    answer = extract(extracted) or extracted
    return (compare_with_label(label, answer) if rounding else compare(label, answer)).is_equal


def by_math_verify(text: str | None, label: str) -> bool:
    """math-verify's verdict on what stands after the reasoning; wrong where it fails or takes too long."""
    return text is not None and whole_reply(label, FINAL.sub("", text, count=1))[0] is True


def compared(graded: dict[tuple[str, str], pl.DataFrame], *, resamples: int, seed: int) -> pl.DataFrame:
    """GRADERS: accuracy of each model on each benchmark by each grader, and how far it is the rules'.

    ``graded``: GRADED by benchmark and model.
    """
    rows: list[tuple] = []
    for (benchmark, model), frame in graded.items():
        for grader in ("rules", *OTHERS):
            known = frame.filter(pl.col(grader).is_not_null())
            if known.is_empty():
                continue
            shares = known.group_by("problem_id", maintain_order=True).agg(pl.col(grader).mean())[grader].to_numpy()
            interval = bootstrap(100 * shares, resamples=resamples, seed=seed)
            verdicts, rules = known[grader].to_numpy(), known["rules"].to_numpy()
            accepts, rejects = int((verdicts & ~rules).sum()), int((~verdicts & rules).sum())
            agreement = 100 * float((verdicts == rules).mean())
            sizes = (len(shares), known.height)
            rows.append((benchmark, model, grader, *sizes, *vars(interval).values(), agreement,
                         kappa(verdicts, rules), accepts, rejects))  # fmt: skip
    return frame_of(rows, GRADERS)


def kappa(left: np.ndarray, right: np.ndarray) -> float | None:
    """Cohen's kappa of two graders' verdicts (Cohen 1960, Educ. Psychol. Meas. 20:37); None where chance agrees always.

    Agreement beyond that of two graders who accept as often by chance, as a share of what could be beyond it.
    """
    accepts = left.mean(), right.mean()
    chance = accepts[0] * accepts[1] + (1 - accepts[0]) * (1 - accepts[1])
    return None if chance == 1 else float(((left == right).mean() - chance) / (1 - chance))


def disagreements(graded: dict[tuple[str, str], pl.DataFrame]) -> pl.DataFrame:
    """Every answer on which two graders part, with the rules' method."""
    parts = [
        frame.filter(pl.any_horizontal(pl.col(name) != pl.col("rules") for name in OTHERS))
        .drop("extracted_rules")
        .select(pl.lit(benchmark).alias("benchmark"), pl.lit(model).alias("model"), pl.all())
        for (benchmark, model), frame in graded.items()
    ]
    return pl.concat(parts)
