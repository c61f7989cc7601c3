"""Pairs of answers put to a model, and what its verdicts change.

The rules decide nearly every pair; a model is asked for what they leave open, with the
problem in the prompt, or for every answer where ReasonLite's way is to be reproduced. Its
reply must be one JSON object with one of three verdicts; anything else is asked again.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from reasonlite.answers import canary
from reasonlite.answers.engines import Engine, Request
from reasonlite.answers.generation import fill, request_of, wanted
from reasonlite.answers.journal import Journal
from reasonlite.answers.transcripts import split_reply
from reasonlite.config.settings import Adjudicator, ServerEngine, VllmEngine
from reasonlite.core.schemas import ADJUDICATED, AGREEMENT, GROUPS
from reasonlite.core.seeding import answer_seed, shuffle_key
from reasonlite.core.tables import frame_of
from reasonlite.judge.equivalence import compare
from reasonlite.judge.verdicts import VerdictName

Mode = Literal["llm", "rules_then_llm", "label"]
PROMPT = """Two people have solved the problem below. Decide whether their final answers are the same answer.

Problem:
{problem}

First answer: {left}
Second answer: {right}

They are the same if every careful grader who accepts one would accept the other: notation, simplification, \
units that the problem fixes, and the order of several solutions do not matter. They differ if a value, a bound, \
or a solution differs or is missing.
Reply with nothing but one JSON object: \
{{"verdict": "equal"}}, {{"verdict": "different"}} or {{"verdict": "unsure"}}."""
_VERDICTS: dict[str, VerdictName] = {"equal": "equal", "different": "different", "unsure": "undecided"}
_FENCE = re.compile(r"^```(?:json)?\s*(.*?)\s*```$", re.DOTALL)


def parse_verdict(text: str, finish_reason: str | None) -> VerdictName | None:
    """The verdict of a reply whose final part is one JSON object with the key verdict alone; None otherwise."""
    final = (split_reply(text, finish_reason).final or "").strip()
    fenced = _FENCE.match(final)
    try:
        content = json.loads(fenced[1] if fenced else final)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or list(content) != ["verdict"] or not isinstance(content["verdict"], str):
        return None
    return _VERDICTS.get(content["verdict"])


# -- what is asked


def questions(groups: pl.DataFrame, pairs: pl.DataFrame, mode: Mode, sample: int, seed: int) -> pl.DataFrame:
    """The pairs to ask for: problem_id, left, right, asked, rules; in a fixed order.

    ``rules_then_llm``: what the rules left undecided, and a sample of what they decided. ``llm``:
    every distinct answer against the label and against the most frequent answer. ``label``: against the label alone.
    """
    if mode in ("llm", "label"):
        rows = [row for row in _every_answer(groups) if mode == "llm" or row[3] == "label"]
    else:
        undecided = pairs.filter(pl.col("verdict") == "undecided").select("problem_id", "left", "right")
        rows = [(*pair, "undecided", "undecided") for pair in undecided.iter_rows()]
        rows += _sample(groups, {row[:3] for row in rows}, sample, seed)
    names = ["problem_id", "left", "right", "asked", "rules"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row").sort(names)


def _by_problem(groups: pl.DataFrame) -> Iterable[tuple[str, list[dict]]]:
    for key, part in groups.group_by("problem_id", maintain_order=True):
        yield str(key[0]), part.rows(named=True)


def _every_answer(groups: pl.DataFrame) -> Iterable[tuple[str, str, str, str, str]]:
    for problem_id, rows in _by_problem(groups):
        label = next((row["answer"] for row in rows if row["is_label"]), None)
        top = _most_frequent(rows)
        for asked, left in (("label", label), ("top", top)):
            for row in rows:
                right = row["answer"]
                if left is not None and right != left and row["count"] and not (asked == "top" and right == label):
                    yield problem_id, left, right, asked, compare(left, right).verdict


def _most_frequent(rows: list[dict]) -> str | None:
    drawn = [row for row in rows if row["count"]]
    return min(drawn, key=lambda row: (-row["count"], row["answer"]))["answer"] if drawn else None


def _sample(groups: pl.DataFrame, taken: set[tuple], size: int, seed: int) -> list[tuple[str, str, str, str, str]]:
    found = []
    for problem_id, rows in _by_problem(groups):
        found += [(problem_id, rows[0]["answer"], row["answer"]) for row in rows[1:]]
    chosen = sorted(set(found) - taken, key=lambda pair: (shuffle_key(seed, "\x1f".join(pair)), pair))[:size]
    return [(*pair, "sample", compare(pair[1], pair[2]).verdict) for pair in chosen]


# -- asking


@dataclass(frozen=True)
class Court:
    """Who is asked and how. ``model`` is a fingerprint, not a path."""

    settings: Adjudicator
    engine: VllmEngine | ServerEngine
    model: str
    seed: int
    commit: int

    def request(self, problems: dict[str, str], pair: dict[str, str], attempt: int) -> Request:
        problem_id, left, right = pair["problem_id"], pair["left"], pair["right"]
        content = PROMPT.format(problem=problems[problem_id], left=left, right=right)
        seed = answer_seed(self.seed, f"{problem_id}\x1f{left}\x1f{right}", "adjudication", attempt)
        messages = [{"role": "user", "content": content}]
        arguments = self.settings.template_arguments
        return request_of(messages, seed, self.model, self.engine, self.settings.sampling, arguments)


def adjudicate(
    asked: pl.DataFrame,
    problems: pl.DataFrame,
    court: Court,
    journal_folder: Path,
    engine: Callable[[], Engine],
    watch: canary.Watch | None = None,
) -> pl.DataFrame:
    """ADJUDICATED: a row for each question, with the model's verdict and the text of its last reply.

    A malformed or failed reply is asked for again with another seed, up to ``attempts`` times;
    then the pair stays undecided. What the journal holds is not asked again, and the engine is
    not even started when it holds everything.
    """
    texts = dict(problems.select("id", "problem").iter_rows())
    rows = asked.rows(named=True)
    open_rows = list(range(len(rows)))
    done: dict[int, dict[str, Any]] = {}
    with Journal(journal_folder) as journal:
        for attempt in range(court.settings.attempts):
            requests = {number: court.request(texts, rows[number], attempt) for number in open_rows}
            missing = [request for request in requests.values() if wanted(journal, request.key, 1)]
            if missing:
                fill(journal, missing, engine(), attempts=1, commit=court.commit, watch=watch)
            keys = [request.key for request in requests.values()]
            entries = (entry for block in journal.read(keys) for entry in block.iter_rows(named=True))
            done |= {number: _outcome(entry, attempt + 1) for number, entry in zip(requests, entries, strict=True)}
            open_rows = [number for number in open_rows if done[number]["verdict"] is None]
        journal.compact()
    found = [{**row, **done[number]} for number, row in enumerate(rows)]
    return frame_of([{**row, "verdict": row["verdict"] or "undecided"} for row in found], ADJUDICATED)


def _outcome(entry: dict[str, Any], attempts: int) -> dict[str, Any]:
    verdict = parse_verdict(entry["text"], entry["finish_reason"]) if entry["text"] is not None else None
    error = entry["error"] or (None if verdict else "the reply is not one JSON object with a verdict")
    return {"verdict": verdict, "attempts": attempts, "reply": entry["text"], "error": error}


# -- what its verdicts change


def settle(groups: pl.DataFrame, adjudicated: pl.DataFrame, mode: Mode) -> pl.DataFrame:
    """GROUPS with the model's verdicts taken in.

    ``rules_then_llm``: classes that the model calls equal become one, unless the rules know that a
    member of one differs from a member of the other; the sample changes nothing. ``llm``: the label's class is what
    the model calls equal to it, the next what it calls equal to the most frequent answer.
    """
    verdicts: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    for problem_id, left, right, asked, _, verdict, *_ in adjudicated.iter_rows():
        if asked != "sample":
            verdicts[problem_id][left, right] = verdict
    settled: list[dict] = []
    for problem_id, rows in _by_problem(groups):
        equal = {pair for pair, verdict in verdicts[problem_id].items() if verdict == "equal"}
        settled += _reclassed(rows, equal) if mode == "llm" else _merged(rows, equal)
    return frame_of(settled, GROUPS)


def _merged(rows: list[dict], equal: set[tuple[str, str]]) -> list[dict]:
    number = {row["answer"]: row["class"] for row in rows}
    label = next((row["answer"] for row in rows if row["is_label"]), None)
    for left, right in sorted(equal):
        one, other = sorted((number[left], number[right]))
        members = [[answer for answer, known in number.items() if known == wanted] for wanted in (one, other)]
        if one != other and all(compare(a, b).verdict != "different" for a in members[0] for b in members[1]):
            number.update(dict.fromkeys(members[1], one))
    dense = {old: new for new, old in enumerate(sorted(set(number.values())))}
    return [
        {
            **row,
            "class": dense[number[row["answer"]]],
            "equals_label": None if label is None else row["equals_label"] or (label, row["answer"]) in equal,
        }
        for row in rows
    ]


def _reclassed(rows: list[dict], equal: set[tuple[str, str]]) -> list[dict]:
    label = next((row["answer"] for row in rows if row["is_label"]), None)
    top = _most_frequent(rows)
    found = []
    for row in rows:
        answer = row["answer"]
        is_labels = label is not None and (answer == label or (label, answer) in equal)
        is_tops = answer == top or (top, answer) in equal
        number = 0 if is_labels else 1 if is_tops else 2 + row["class"]
        known = {"equals_label": is_labels, "by_rounding": False} if label is not None else {}
        found.append({**row, "class": number, **known})
    return found


# -- agreement


def agreement(adjudicated: pl.DataFrame) -> pl.DataFrame:
    """AGREEMENT: counts by the rules' and the model's verdict, and Cohen's kappa where both decided.

    kappa = (p_o - p_e) / (1 - p_e), with p_o the share of pairs they agree on and p_e the share
    expected from how often each says equal (Cohen 1960, Educational and Psychological
    Measurement 20:37). Null where nothing is expected by chance alone.
    """
    names = ("equal", "different", "undecided")
    counts = {
        (rules, model): adjudicated.filter((pl.col("rules") == rules) & (pl.col("verdict") == model)).height
        for rules in names
        for model in names
    }
    rows: list[tuple[str, float | None]] = [("pairs asked", adjudicated.height)]
    rows += [(f"rules {rules}, model {model}", count) for (rules, model), count in counts.items()]
    table = [[counts[rules, model] for model in names[:2]] for rules in names[:2]]
    rows.append(("Cohen's kappa where both decided", cohen_kappa(table)))
    rows.append(("requests", adjudicated["attempts"].to_numpy().sum()))
    rows.append(("pairs without a usable reply", adjudicated["error"].count()))
    return frame_of(rows, AGREEMENT)


def cohen_kappa(table: list[list[int]]) -> float | None:
    """Cohen's kappa of a square table of counts, rows by one judge and columns by the other."""
    total = sum(map(sum, table))
    if not total:
        return None
    observed = sum(table[n][n] for n in range(len(table))) / total
    columns = [sum(column) for column in zip(*table, strict=True)]
    expected = sum(sum(row) * column for row, column in zip(table, columns, strict=True)) / total**2
    return (observed - expected) / (1 - expected) if expected < 1 else None


def disagreements(adjudicated: pl.DataFrame) -> pl.DataFrame:
    """The pairs that the rules and the model both decided, and differently."""
    decided = pl.col("rules").is_in(["equal", "different"]) & pl.col("verdict").is_in(["equal", "different"])
    return adjudicated.filter(decided & (pl.col("rules") != pl.col("verdict"))).sort("problem_id", "left", "right")
