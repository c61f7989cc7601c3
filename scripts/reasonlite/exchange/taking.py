"""Answers of another program's log as answers to a benchmark, with that program's own verdicts kept beside."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite.answers.generation import answer_row
from reasonlite.config.recorded import Log
from reasonlite.core.errors import UserError
from reasonlite.core.files import storable
from reasonlite.core.schemas import ANSWERS, JOURNAL, TAKEN
from reasonlite.core.tables import frame_of
from reasonlite.exchange.logs import Drawn, Opened, open_log
from reasonlite.exchange.matching import SHOWN, Benchmark
from reasonlite.judge.equivalence import compare
from reasonlite.judge.extraction import extract

EFFORT = "evaluation"
TOLERANCE = 0.0005  # between a stated score and the mean of verdicts: what rounding to three digits leaves
PER_DRAW = {"seed", "random_seed"}  # what two draws with the same settings differ in


@dataclass
class Taken:
    """Answers (ANSWERS), the log's own rows (TAKEN) and what is to be known of the log."""

    answers: pl.DataFrame
    rows: pl.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)


def take(log: Log, problems: pl.DataFrame) -> Taken:
    """Read a log's answers to ``problems`` (PROBLEMS): as many of each, numbered from 0.

    A UserError names a row whose problem is not there or drawn twice, a problem with fewer answers than others, logs
    with other settings, and a stated score that the verdicts contradict, unless the config lets it pass.
    """
    benchmark = Benchmark(problems)
    opened = [(path, open_log(path, log)) for path in log.paths]
    _same_settings(opened)
    found: dict[tuple[str, int], Drawn] = {}
    counts = Counter[str]()
    other_texts: list[dict[str, str]] = []
    drawn_here: list[list[Drawn]] = []
    for path, each in opened:
        before = len(found)
        first = 1 + max((number for _, number in found), default=-1)
        for problem_id, row, same in _matched(each.rows, benchmark, log, counts):
            found[problem_id, _number(found, problem_id, row, first)] = row
            if not same:
                shown = row.texts[0][:SHOWN] if row.texts else ""
                other_texts.append({"problem": problem_id, "place": row.where, "text": shown})
        if len(found) == before:
            raise UserError("holds no answer to this benchmark", where=path, todo="check the model's recorded")
        drawn_here.append([drawn for (_, number), drawn in found.items() if number >= first])
    wanted, lacking = _wanted(found, benchmark, log)
    for (path, each), drawn in zip(opened, drawn_here, strict=True):
        _check_score(path, each, drawn, log)
    facts = {
        "log": log.model_dump(mode="json"),
        "settings": opened[0][1].settings,
        "stated": [each.score for _, each in opened],
        "own": _mean([found[key].score for key in wanted if key in found]),
        "problems": len({problem_id for problem_id, _ in wanted}),
        "answers": len(wanted),
        "left out": counts["others"],
        "lacking": lacking,
        "texts that differ": other_texts,
        "labels that differ": _other_labels(found, benchmark),
    }
    return Taken(_answers(found, wanted), _rows(found, wanted), facts)


def _matched(
    rows: Iterator[Drawn], benchmark: Benchmark, log: Log, counts: Counter[str]
) -> Iterator[tuple[str, Drawn, bool]]:
    for drawn in rows:
        problem_id, same = benchmark.find(drawn, log.match)
        if problem_id is not None:
            yield problem_id, drawn, same
        elif log.others == "refuse":
            raise benchmark.unknown(drawn)
        else:
            counts["others"] += 1


def _number(found: dict[tuple[str, int], Drawn], problem_id: str, drawn: Drawn, first: int) -> int:
    """Which draw of its problem a row is: as the log says, after those of earlier logs, else the next one."""
    if drawn.number is None:
        number = first
        while (problem_id, number) in found:
            number += 1
        return number
    key = (problem_id, first + drawn.number)
    if key in found:
        raise UserError(
            f"draw {drawn.number} of {problem_id} stands here too, first in {found[key].where}",
            where=drawn.where,
            todo="keep one of them; draws of another run go into a log of their own, named in paths",
        )
    return key[1]


def _wanted(
    found: dict[tuple[str, int], Drawn], benchmark: Benchmark, log: Log
) -> tuple[list[tuple[str, int]], list[str]]:
    """The answers that count, and the problems that lack some of them: every problem has to have as many."""
    draws = 1 + max(number for _, number in found)
    lacking = [name for name in benchmark.labels if any((name, number) not in found for number in range(draws))]
    if lacking and log.missing == "refuse":
        have = sum((lacking[0], number) in found for number in range(draws))
        raise UserError(
            f"{len(lacking)} of {len(benchmark.labels)} problems lack answers: {lacking[0]} has {have} of {draws}",
            where=log.paths[0],
            todo="complete the log, or say in recorded's missing whether such problems are left out or wrong",
        )
    left = [name for name in benchmark.labels if log.missing == "wrong" or name not in set(lacking)]
    if not left:
        raise UserError("no problem has all its answers", where=log.paths[0], todo="say missing: wrong to count them")
    return [(name, number) for name in sorted(left) for number in range(draws)], sorted(lacking)


def _same_settings(opened: list[tuple[Path, Opened]]) -> None:
    """Refuse logs of one model that were not drawn alike."""
    (first, reference), *others = opened
    for path, each in others:
        one, two = _without_seeds(reference.settings), _without_seeds(each.settings)
        for key in sorted({*one, *two}):
            if one.get(key) != two.get(key):
                raise UserError(
                    f"was drawn with other settings than {first}: {key} is {two.get(key)!r}, there {one.get(key)!r}",
                    where=path,
                    todo="give logs of other settings as a model of their own",
                )


def _without_seeds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_seeds(each) for key, each in value.items() if key not in PER_DRAW}
    return [_without_seeds(each) for each in value] if isinstance(value, list) else value


def _check_score(path: Path, opened: Opened, drawn: list[Drawn], log: Log) -> None:
    mean = _mean([each.score for each in drawn])
    if opened.score is None or mean is None or any(each.score is None for each in drawn):
        return
    if log.others == "drop" or log.contradiction == "note":
        return
    if abs(opened.score - mean) > TOLERANCE:
        raise UserError(
            f"its run states a score of {opened.score:.4f}, and its {len(drawn)} verdicts have a mean of {mean:.4f}",
            where=path,
            todo="check that both are of one run; contradiction: note takes the answers nevertheless",
        )


def _mean(scores: list[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return statistics.fmean(known) if known else None


def _other_labels(found: dict[tuple[str, int], Drawn], benchmark: Benchmark) -> list[dict[str, str | None]]:
    """Problems whose label in the log is not the benchmark's, as the judge reads them."""
    seen: dict[str, set[str]] = defaultdict(set)
    for (problem_id, _), drawn in found.items():
        if drawn.target is not None:
            seen[problem_id].add(drawn.target)
    differ = []
    for problem_id, targets in sorted(seen.items()):
        label = benchmark.labels[problem_id]
        for target in sorted(targets - {label}):
            read = extract(target) or target
            if label is None or compare(read, label).verdict != "equal":
                differ.append({"problem": problem_id, "label": label, "log": target[:SHOWN]})
    return differ


def _answers(found: dict[tuple[str, int], Drawn], wanted: list[tuple[str, int]]) -> pl.DataFrame:
    empty = dict.fromkeys(JOURNAL.names())
    rows = []
    for problem_id, number in wanted:
        drawn = found.get((problem_id, number))
        text = storable(drawn.reply) if drawn and drawn.reply is not None else None
        error = None if text is not None else (drawn.error if drawn else None) or "not among the log's answers"
        entry = empty | {"text": text, "error": error, "tokens": drawn and drawn.tokens}
        rows.append(answer_row(EFFORT, problem_id, number, entry | {"finish_reason": drawn and drawn.finish_reason}))
    return frame_of(rows, ANSWERS)


def _rows(found: dict[tuple[str, int], Drawn], wanted: list[tuple[str, int]]) -> pl.DataFrame:
    rows = []
    for problem_id, number in wanted:
        drawn = found.get((problem_id, number))
        if drawn is None:
            continue
        texts = [None if each is None else storable(each) for each in (drawn.prompt, drawn.target, drawn.extracted)]
        rows.append((f"{problem_id}_{number}", problem_id, number, drawn.where, *texts, drawn.score))
    return frame_of(rows, TAKEN)
