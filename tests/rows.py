"""Small tables of answers and problems for tests."""

import polars as pl

from reasonlite.core.schemas import ANSWERS
from reasonlite.core.tables import frame_of
from reasonlite.labels.groups import group
from reasonlite.labels.votes import vote


def answers_of(given_answers, effort="medium"):
    """An answers table from {problem: [answer, …]}."""
    rows = [
        {
            "answer_id": f"{problem}_{number}",
            "problem_id": problem,
            "effort": effort,
            "number": number,
            "seed": 0,
            "text": "t",
            "status": "complete",
            "answer": answer,
            "prompt_tokens": 1,
            "tokens": 10,
            "finish_reason": "stop",
            "error": None,
        }
        for problem, listed in given_answers.items()
        for number, answer in enumerate(listed)
    ]
    return frame_of(rows, ANSWERS)


def problems_of(labels):
    return pl.DataFrame(
        {"id": list(labels), "source": ["s"] * len(labels), "answer": list(labels.values())},
        schema={"id": pl.String, "source": pl.String, "answer": pl.String},
    )


def labelled(given_answers, labels, **limits):
    answers, problems = answers_of(given_answers), problems_of(labels)
    groups, *_ = group(answers, problems)
    votes = vote(answers, groups, problems, **({"min_share": 0.9, "min_votes": 4} | limits))
    return answers, problems, groups, votes
