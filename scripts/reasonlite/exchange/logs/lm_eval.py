"""lm-evaluation-harness: samples_<task>_<time>.jsonl, as 0.4.13 writes it with --log_samples.

A row is a document under one answer filter: doc, target, arguments (prompts), resps (replies as drawn), filtered_resps,
filter, and each metric under its own name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reasonlite.config.recorded import LmEvalLog
from reasonlite.core.errors import UserError
from reasonlite.exchange.logs import Drawn, Opened, choose, json_beside, lacking
from reasonlite.problems.records import label_of, read_records

NEEDED = ("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics")
NAME = re.compile(r"samples_(?P<task>.+)_(?P<time>\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl")
CONFIGURED = ("model", "model_args", "gen_kwargs", "limit", "random_seed")


def read(path: Path, log: LmEvalLog) -> Opened:
    """A samples file, with what its run's results file says of settings and score."""
    rows = [*read_records(path)]
    if not rows:
        raise UserError("holds no samples", where=path, todo="run lm_eval with --log_samples again")
    for where, row in rows:
        for key in NEEDED:
            if key not in row:
                raise lacking(where, "lm-evaluation-harness", "0.4.13", key)
    chosen = choose(log.filter, list(dict.fromkeys(row["filter"] for _, row in rows)), "filter", "filter", path)
    kept = [(where, row) for where, row in rows if row["filter"] == chosen]
    metric = choose(log.verdict, list(kept[0][1]["metrics"]), "metric", "verdict", path)
    settings, score = _of_run(path, metric, chosen)
    settings |= {"filter": chosen, "metric": metric, "generation": _request(kept[0][1])[1]}
    return Opened(_drawn(kept, metric), settings, score)


def results_of(path: Path) -> Path | None:
    """The file of its run's results that may lie beside a samples file."""
    named = NAME.fullmatch(path.name)
    return path.with_name(f"results_{named['time']}.json") if named else None


def _of_run(path: Path, metric: str, chosen: str) -> tuple[dict[str, Any], float | None]:
    """What the run's results file says: settings, and the task's score."""
    named, beside = NAME.fullmatch(path.name), results_of(path)
    results = json_beside(beside) if beside else {}
    if not named or not results:
        return {}, None
    task = named["task"]
    config = dict(results.get("config") or {})
    if isinstance(config.get("model_args"), str):  # two draws differ in their seed
        config["model_args"] = re.sub(r"(^|,)seed=[^,]*", "", config["model_args"]).strip(",")
    settings = {key: config[key] for key in CONFIGURED if config.get(key) is not None}
    settings |= {"task": task, "version": results.get("versions", {}).get(task)}
    settings |= {"examples": results.get("n-shot", {}).get(task), "harness": results.get("lm_eval_version")}
    settings |= {"chat template": results.get("chat_template_sha")}
    score = results.get("results", {}).get(task, {}).get(f"{metric},{chosen}")
    known = {key: value for key, value in settings.items() if value is not None}
    return known, score if isinstance(score, int | float) else None


def _found(row: dict[str, Any], reply: str) -> str | None:
    """The answer that the filter found; a filter that hands the reply on leaves finding it to the metric."""
    found = next(iter(row["filtered_resps"]), None)
    return found if isinstance(found, str) and found != reply else None


def _request(row: dict[str, Any]) -> tuple[str | None, Any]:
    """Prompt and generation settings of a row's request, which stand under its place or in a list."""
    asked = row["arguments"]
    first: Any = next(iter(asked.values()), {}) if isinstance(asked, dict) else next(iter(asked or []), [])
    values = list(first.values()) if isinstance(first, dict) else list(first)
    prompt, generation = [*values, None, None][:2]
    return None if prompt is None else str(prompt), generation


def _drawn(rows: list[tuple[str, dict[str, Any]]], metric: str) -> Iterator[Drawn]:
    for where, row in rows:
        replies = row["resps"][0] if row["resps"] else []
        if not isinstance(replies, list) or not all(isinstance(reply, str) for reply in replies):
            todo = "answers of a task that generates text can be judged, those of multiple choice by probability not"
            raise UserError("its resps are no texts", where=where, todo=todo)
        doc = row["doc"]
        texts = [value for value in doc.values() if isinstance(value, str)] if isinstance(doc, dict) else [str(doc)]
        alone = len(replies) == 1  # of several draws the filter keeps one, so its verdict is no draw's own
        score, (prompt, _) = row.get(metric), _request(row)
        for reply in replies:
            yield Drawn(
                where,
                texts,
                str(row["doc_id"]),
                reply,
                target=label_of(str(row["target"])),
                score=float(score) if alone and isinstance(score, int | float) else None,
                extracted=_found(row, reply) if alone else None,
                prompt=prompt,
            )
