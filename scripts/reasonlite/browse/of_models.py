"""What the pages on models show: benchmarks, a benchmark's problem, and training."""

from __future__ import annotations

import polars as pl

from reasonlite.browse import benchmarks, charts, problems, training
from reasonlite.browse.folder import Missing
from reasonlite.browse.site import PAGE, Ask, Context, Site

SIDE = 8  # answers of a model, side by side with others'
EXAMPLES = 20


def benchmark_list(site: Site, ask: Ask) -> Context:
    """Every benchmark with its models, and the first one's map where there is no other choice."""
    found = benchmarks.evaluated(site.folder)
    if not found:
        raise Missing("no model has been evaluated yet")
    name = ask.one("name") or next(iter(found))
    if name not in found:
        raise Missing(f"there are no verdicts on {name}")
    made = benchmarks.pass_rates(site.folder, name)
    table, only, sort = made.table, ask.one("only"), ask.one("sort", "mean")
    if site.chosen is not None:
        table = table.filter(pl.col("problem_id").is_in(site.chosen[name]))
    if only in benchmarks.ONLY:
        table = table.filter(pl.col(only) > 0)
    sort = f"{benchmarks.RATE}{sort}" if sort in made.models else sort
    if sort in table.columns:
        table = table.sort(sort, "problem_id", descending=[ask.one("down") == "1", False], nulls_last=True)
    page, pages = ask.page(table.height, PAGE)
    rows = table if site.fixed else table.slice((page - 1) * PAGE, PAGE)
    curves = benchmarks.by_length(site.folder, name, made.models)
    drawn = [charts.Line(model, points, place) for place, (model, points) in enumerate(curves.items())]
    return {
        "ask": ask,
        "all": found,
        "benchmark": name,
        "map": made,
        "rows": rows.rows(named=True),
        "texts": benchmarks.texts(site.folder, name, rows["problem_id"].to_list()),
        "found": table.height,
        "only": only,
        "choices": benchmarks.ONLY,
        "rate": benchmarks.RATE,
        "page": page,
        "pages": pages,
        "drawn": drawn[: charts.COLOURS],
    }


def one_question(site: Site, ask: Ask) -> Context:
    """A benchmark's problem with its answers by each model."""
    name, wanted = ask.one("benchmark"), ask.one("id")
    models = benchmarks.evaluated(site.folder).get(name)
    if not models:
        raise Missing(f"there are no verdicts on {name}")
    chosen = [model for model in ask.all("model") if model in models] or models[:6]
    first = ask.whole("from")
    found = benchmarks.question(site.folder, name, wanted, chosen, SIDE + 1, first)
    more = any(len(rows) > SIDE for rows in found.answers.values())
    answers = {
        model: [(row, *problems.parts_of(row["text"], row["finish_reason"])) for row in rows[:SIDE]]
        for model, rows in found.answers.items()
    }
    ids = benchmarks.pass_rates(site.folder, name).table["problem_id"]
    here = ids.index_of(wanted)
    return {
        "ask": ask,
        "benchmark": name,
        "problem": found.problem,
        "models": models,
        "chosen": chosen,
        "answers": answers,
        "first": first,
        "step": SIDE,
        "more": more,
        "before": ids[here - 1] if here else None,
        "after": ids[here + 1] if here is not None and here + 1 < len(ids) else None,
    }


def stage_list(site: Site, ask: Ask) -> Context:
    """Curves of the chosen stages over each other, and examples of a training file."""
    names = training.stages(site.folder)
    strata = training.strata(site.folder)
    if not names and not strata:
        raise Missing("nothing has been trained yet, and there are no training files")
    chosen = [name for name in ask.all("stage") if name in names] or names[:8]
    curves = {name: training.curves(site.folder, name) for name in chosen}
    drawn = []
    for metric, title in training.METRICS.items():
        own = [charts.Line(name, curves[name][metric], names.index(name)) for name in chosen if metric in curves[name]]
        if own:
            drawn.append((title, own))
    stratum = ask.one("stratum") if ask.one("stratum") in strata else (strata[0] if strata else "")
    first = ask.whole("from")
    examples, total = training.examples(site.folder, stratum, first, EXAMPLES) if stratum else ([], 0)
    of_stage = chosen[-1] if chosen else ""
    number = ask.whole("step", 1)
    made = training.drawn(site.folder, of_stage, number)
    group = min(ask.whole("group"), len(made.groups) - 1) if made else 0
    rows = made.groups[group][1] if made else []
    step = training.learned(site.folder, of_stage, number)
    return {
        "ask": ask,
        "names": names,
        "chosen": chosen,
        "drawn": drawn,
        "of_stage": of_stage,
        "number": number,
        "learned": step,
        "made": made,
        "group": group,
        "replies": [(row, *problems.parts_of(row["completion"], "stop")) for row in rows],
        "strata": strata,
        "stratum": stratum,
        "examples": examples,
        "first": first,
        "size": EXAMPLES,
        "total": total,
    }
