"""What each page shows: from an address's words to the values that its template takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import polars as pl

from reasonlite.audit import lineage
from reasonlite.browse import benchmarks, charts, filters, live, of_models, problems, road, states, training
from reasonlite.browse.folder import Missing
from reasonlite.browse.site import PAGE, Ask, Context, Site
from reasonlite.core import layout
from reasonlite.core.errors import UserError

ANSWERS = 24  # answers of a page, with their texts
FIXED_ANSWERS = 200  # the same of a static page, which has no next one
WINDOW = 200_000  # characters of one text on a page of its own
CELLS = 2_000  # rows of a table that are shown


def overview(site: Site, ask: Ask) -> Context:
    """The road, the results, the figures, the funnel and the ledger."""
    folder = site.folder
    run = live.run(folder)
    results = folder.results()
    header, rows = layout.wide(results) if results is not None and results.height else ([], [])
    figures = [path.stem for path in folder.files("figures/*.svg")]
    funnel, ledger = folder.csv("funnel"), folder.csv("ledger")
    return {
        "run": run,
        "steps": road.steps(folder, run),
        "header": header,
        "rows": rows,
        "figures": figures,
        "funnel": _records(funnel),
        "ledger": _ledger(ledger),
        "tables": [path.stem for path in folder.files("tables/*.csv")],
        "benchmarks": list(benchmarks.evaluated(folder)),
        "note": layout.NOTE,
    }


def _records(frame: pl.DataFrame | None) -> list[dict[str, Any]]:
    return [] if frame is None else frame.rows(named=True)


def _ledger(frame: pl.DataFrame | None) -> list[dict[str, Any]]:
    """Hours and tokens by rule, the longest first."""
    if frame is None or not {"rule", "wall_hours", "gpu_hours", "tokens", "jobs"} <= set(frame.columns):
        return []
    sums = [pl.col(name).cast(pl.Float64).sum() for name in ("jobs", "wall_hours", "gpu_hours", "tokens")]
    return frame.group_by("rule").agg(sums).sort("wall_hours", descending=True).rows(named=True)


def problem_list(site: Site, ask: Ask) -> Context:
    """The table of problems, filtered, sorted, a page of it, with a histogram of each column."""
    index = problems.index(site.folder)
    table, complaint, narrowed = index.table, "", list[tuple[str, str]]()
    if site.chosen is not None:
        table = table.filter(pl.col("id").is_in(site.chosen[""]))
    try:
        if where := ask.one("where"):
            table = table.filter(filters.condition(where, table.schema))
        for column in table.columns:
            for wanted in ask.all(f"is.{column}"):
                table = table.filter(charts.within(table[column], wanted))
                narrowed.append((column, wanted))
        if text := ask.one("text"):
            table = problems.with_text(site.folder, table, text)
    except (UserError, pl.exceptions.PolarsError, OSError) as error:  # a filter may fail on values alone
        complaint, table = str(error), table.clear()
    sort, down = ask.one("sort"), ask.one("down") == "1"
    if sort in table.columns:
        table = table.sort(sort, descending=down, nulls_last=True, maintain_order=True)
    page, pages = ask.page(table.height, PAGE)
    rows = table if site.fixed else table.slice((page - 1) * PAGE, PAGE)
    counted = [name for name in table.columns if name not in {"id", "shard"}]
    shown = [found for name in counted if (found := charts.histogram(table[name])) is not None and len(found.bins) > 1]
    return {
        "ask": ask,
        "total": index.table.height,
        "found": table.height,
        "complaint": complaint,
        "narrowed": narrowed,
        "columns": [name for name in table.columns if name != "shard"],
        "words": {name for name, kind in table.schema.items() if kind == pl.String},
        "rows": rows.rows(named=True),
        "texts": problems.texts(site.folder, rows.select("id", "shard")) if rows.height else {},
        "histograms": shown,
        "page": page,
        "pages": pages,
        "bar_link": lambda column: (
            lambda bar: site.again("problems", ask, **{f"is.{column}": bar.range, "page": None}) or "#"
        ),
    }


def one_problem(site: Site, ask: Ask) -> Context:
    """A problem with its classes, votes, pairs and answers."""
    index = problems.index(site.folder)
    wanted = ask.one("id")
    found = problems.problem(site.folder, index, wanted)
    answers = [row for row in found.answers if not ask.one("effort") or row["effort"] == ask.one("effort")]
    size = FIXED_ANSWERS if site.fixed else ANSWERS
    page, pages = ask.page(len(answers), size)
    shown = answers[(page - 1) * size : page * size]
    shard = f"{found.row['shard']}.parquet"
    texts: dict[tuple[str, str], str | None] = {}
    for effort in index.efforts:
        path = site.folder.path / "answers" / effort / shard
        asked = [row["answer_id"] for row in shown if row["effort"] == effort]
        made = problems.answer_texts(site.folder, path, asked) if asked else {}
        texts |= {(effort, answer): text for answer, text in made.items()}
    order = index.table["id"]
    here = order.index_of(wanted)
    assert here is not None  # found above
    return {
        "ask": ask,
        "problem": found,
        "answers": [
            (row, *problems.parts_of(texts.get((row["effort"], row["answer_id"])), row["finish_reason"]))
            for row in shown
        ],
        "efforts": index.efforts,
        "page": page,
        "pages": pages,
        "before": order[here - 1] if here > 0 else None,
        "after": order[here + 1] if here + 1 < len(order) else None,
        "drawn": len(answers),
        "reason": lambda answer: problems.reason(found, answer),
        "classes": _classes(found.groups, found.vote),
    }


def _classes(groups: list[dict[str, Any]], vote: dict[str, Any] | None) -> list[tuple[int, str, list[dict[str, Any]]]]:
    """(votes, what its label is, members) of each class, most votes first."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in groups:
        found.setdefault(row["class"], []).append(row)
    listed = []
    for name, rows in found.items():
        of_source = any(row["is_label"] for row in rows)
        decides = vote is not None and vote["label_class"] == name
        label = "label" if decides or (vote is None and of_source) else "the source's label" if of_source else ""
        listed.append((sum(row["count"] for row in rows), label, rows))
    return sorted(listed, key=lambda entry: -entry[0])


def one_answer(site: Site, ask: Ask) -> Context:
    """One answer's whole text, a window of it at a time."""
    table, wanted = ask.one("table"), ask.one("id")
    if not any(
        PurePosixPath(table).match(shape) for shape in ("answers/*/*.parquet", "evaluation/*/*/answers.parquet")
    ):
        raise Missing(f"{table} holds no answers")
    path = site.folder.inside(table)
    text = problems.answer_texts(site.folder, path, [wanted]).get(wanted)
    if text is None:
        raise Missing(f"{table} has no text of {wanted}")
    first = min(ask.whole("from"), len(text))
    return {
        "ask": ask,
        "id": wanted,
        "table": table,
        "text": text[first : first + WINDOW],
        "first": first,
        "whole": len(text),
        "window": WINDOW,
    }


def two_states(site: Site, ask: Ask) -> Context:
    """What changed against the other state, and why."""
    found = site.states()
    return {"found": found, "cells": states.cells, "picture": states.picture_name}


def run_now(site: Site, ask: Ask) -> Context:
    """The run under way or the last one, logs and newest replies."""
    folder = site.folder
    run = live.run(folder)
    training_now = [job for job in (run.jobs if run else []) if job.log and job.log.startswith("logs/train/")]
    losses = [
        charts.Line(PurePosixPath(str(job.log)).stem, points, place)
        for place, job in enumerate(training_now)
        if (points := training.loss_so_far(folder.path / str(job.log)))
    ]
    return {
        "run": run,
        "losses": losses,
        "replies": folder.at_times("replies", lambda: list(live.replies(folder))),
        "journals": folder.at_times("journals", lambda: live.kept(folder)),
        "logs": folder.at_times("logs", lambda: live.logs(folder, 60)),
    }


def one_log(site: Site, ask: Ask) -> Context:
    """The end of a log."""
    text, before = live.tail(site.folder, ask.one("name"))
    return {"log": ask.one("name"), "text": text, "before": before}


def one_table(site: Site, ask: Ask) -> Context:
    """A table for readers, as it stands."""
    name = ask.one("name")
    frame = site.folder.csv(name) if name.isidentifier() else None
    if frame is None:
        raise Missing(f"there is no table {name}")
    return {
        "table": name,
        "columns": frame.columns,
        "rows": frame.head(CELLS).rows(),
        "height": frame.height,
        "words": [name for name, kind in frame.schema.items() if kind == pl.String],
    }


def origin(site: Site, ask: Ask) -> Context:
    """What an output, or a row of it, was made from: the audit's own account."""
    path = ask.one("path")
    site.folder.inside(path)
    try:
        found = lineage.open_lineage(site.folder.path / path)
        row = ask.one("row")
        rows = list(lineage.row(found, row)) if row else []
        return {"path": path, "row": row, "lines": rows, "tree": list(lineage.tree(found))}
    except (UserError, pl.exceptions.PolarsError, OSError) as error:
        raise Missing(f"what it was made from cannot be read whole: {error}") from None


VIEWS: dict[str, Callable[[Site, Ask], Context]] = {
    "overview": overview,
    "problems": problem_list,
    "problem": one_problem,
    "answer": one_answer,
    "benchmarks": of_models.benchmark_list,
    "question": of_models.one_question,
    "states": two_states,
    "training": of_models.stage_list,
    "live": run_now,
    "log": one_log,
    "table": one_table,
    "origin": origin,
}


def page(site: Site, view: str, ask: Ask) -> str:
    """A view as a page; `Missing` where what it asks for is not there."""
    if view not in VIEWS:
        raise Missing(f"there is no page {view}")
    return site.render(view, VIEWS[view](site, ask))
