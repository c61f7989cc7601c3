"""lighteval: details_<task>_<time>.parquet, as 0.13 writes it: doc, model_response and metric in every row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reasonlite.config.recorded import LightevalLog
from reasonlite.core.errors import UserError
from reasonlite.exchange.logs import Drawn, Opened, choose, json_beside, lacking
from reasonlite.problems.records import read_records

CONFIGURED = ("generation_parameters", "max_model_length", "dtype", "tensor_parallel_size", "system_prompt")


def read(path: Path, log: LightevalLog) -> Opened:
    """A file of details, with what its run's results file says of settings and score."""
    rows = [*read_records(path)]
    if not rows:
        raise UserError("holds no samples", where=path, todo="run lighteval with --save-details again")
    for where, row in rows:
        for key in ("doc", "model_response", "metric"):
            if not isinstance(row.get(key), dict):
                raise lacking(where, "lighteval", "0.13", key)
    metric = choose(log.verdict, list(rows[0][1]["metric"]), "metric", "verdict", path)
    settings, score = _of_run(path, rows[0][1]["doc"], metric)
    return Opened(_drawn(rows, metric), settings | {"metric": metric}, score)


def results_of(path: Path) -> Path | None:
    """The file of its run's results, where details lie in an output folder as lighteval makes it."""
    roots = [parent for parent in path.parents if parent.name == "details"]
    if not roots:
        return None
    model = path.parent.parent.relative_to(roots[0])
    return roots[0].parent / "results" / model / f"results_{path.parent.name}.json"


def _of_run(path: Path, doc: dict[str, Any], metric: str) -> tuple[dict[str, Any], float | None]:
    """What results/<model>/results_<time>.json of the same output folder says."""
    settings = {"task": doc.get("task_name"), "examples": len(doc.get("fewshot_samples") or [])}
    settings |= {"generation_size": doc.get("generation_size"), "num_samples": doc.get("num_samples")}
    beside = results_of(path)
    if beside is None:
        return settings, None
    results = json_beside(beside)
    general = results.get("config_general") or {}
    config = general.get("model_config") or {}
    settings |= {"model": general.get("model_name"), "revision": general.get("lighteval_sha")}
    settings |= {key: config[key] for key in CONFIGURED if config.get(key) is not None}
    by_task = results.get("results", {})
    score = by_task.get(str(doc.get("task_name")), by_task.get(f"{doc.get('task_name')}|0", {})).get(metric)
    known = {key: value for key, value in settings.items() if value is not None}
    return known, score if isinstance(score, int | float) else None


def _drawn(rows: list[tuple[str, dict[str, Any]]], metric: str) -> Iterator[Drawn]:
    for where, row in rows:
        doc, response = row["doc"], row["model_response"]
        replies = response.get("text") or []
        asked = response.get("input")
        texts = [text for text in (doc.get("original_query"), doc.get("query")) if isinstance(text, str)]
        specific = doc.get("specific") or {}
        texts = [value for value in specific.values() if isinstance(value, str)] + texts
        gold = doc.get("gold_index")
        golds = [doc["choices"][place] for place in (gold if isinstance(gold, list) else [gold]) if place is not None]
        score, tokens = row["metric"].get(metric), response.get("output_tokens") or []
        for number, reply in enumerate(replies):
            reasoning = next(iter((response.get("reasonings") or [])[number : number + 1]), None)
            yield Drawn(
                where,
                texts,
                str(doc["id"]) if doc.get("id") not in (None, "") else None,
                f"<think>\n{reasoning}\n</think>{reply}" if reasoning else reply,
                target=str(golds[0]) if golds else None,
                score=float(score) if len(replies) == 1 and isinstance(score, int | float) else None,
                prompt=asked if isinstance(asked, str) else None if asked is None else str(asked),
                tokens=len(tokens[number]) if len(tokens) == len(replies) else None,
            )
        if not replies:
            yield Drawn(where, texts, str(doc.get("id")), None, error="the log has no reply")
