"""Benchmark answers as a log of Inspect (format 2, JSON), which its viewer opens and its library reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reasonlite.core.errors import UserError
from reasonlite.core.files import write_text
from reasonlite.core.schemas import ANSWERS, JUDGED, PROBLEMS
from reasonlite.core.tables import about_table, read_table

SCORER = "reasonlite"
GENERATION = {"temperature", "top_p", "top_k", "max_tokens", "presence_penalty", "frequency_penalty"}  # Inspect's names
STOPS = {"length": "max_tokens", "stop": "stop"}


def give(results: Path, model: str, benchmark: str, output: Path) -> tuple[Path, int]:
    """Write a model's judged answers to a benchmark as a log into the folder ``output``: its path, how many answers.

    Right answers have the value C, wrong ones I, no answer N. The name is Inspect's: its viewer lists no other JSON.
    """
    folder = results / "evaluation" / model / benchmark
    if not (folder / "judged.parquet").is_file():
        todo = "give an experiment that has run, one of its evaluated models and one of its benchmarks"
        raise UserError("has no judged answers", where=folder, todo=todo)
    problems = read_table(results / "problems" / "sources" / f"{benchmark}.parquet", PROBLEMS)
    judged = {row["answer_id"]: row for row in read_table(folder / "judged.parquet", JUDGED).iter_rows(named=True)}
    answers = read_table(folder / "answers.parquet", ANSWERS).rows(named=True)
    texts = {row["id"]: row for row in problems.iter_rows(named=True)}
    samples = [_sample(model, texts[row["problem_id"]], row, judged[row["answer_id"]]) for row in answers]
    log = _log(folder, model, benchmark, samples)
    name = [log["eval"]["created"].replace(":", "-"), *(part.replace("_", "-") for part in (benchmark, model))]
    path = output / f"{'_'.join(name)}.json"
    write_text(path, json.dumps(log, ensure_ascii=False))
    return path, len(samples)


def _sample(model: str, problem: dict[str, Any], answer: dict[str, Any], verdict: dict[str, Any]) -> dict[str, Any]:
    value = "C" if verdict["correct"] else "N" if answer["answer"] is None else "I"
    reply = {"role": "assistant", "content": answer["text"] or "", "source": "generate"}
    stop = STOPS.get(answer["finish_reason"] or "stop", "unknown")
    output = {"model": model, "completion": reply["content"], "choices": [{"message": reply, "stop_reason": stop}]}
    if answer["tokens"] is not None:
        asked = answer["prompt_tokens"] or 0
        counts = {"input_tokens": asked, "output_tokens": answer["tokens"], "total_tokens": asked + answer["tokens"]}
        output["usage"] = counts
    return {
        "id": answer["problem_id"],
        "epoch": answer["number"] + 1,
        "input": problem["problem"],
        "target": problem["answer"] or "",
        "messages": [{"role": "user", "content": problem["problem"], "source": "input"}, reply],
        "output": output,
        "scores": {SCORER: {"value": value, "answer": answer["answer"] or "", "explanation": verdict["status"]}},
        "metadata": {"seed": answer["seed"], "status": answer["status"], "error": answer["error"]},
    }


def _log(folder: Path, model: str, benchmark: str, samples: list[dict[str, Any]]) -> dict[str, Any]:
    epochs = max(sample["epoch"] for sample in samples)
    right = sum(sample["scores"][SCORER]["value"] == "C" for sample in samples) / len(samples)
    made = datetime.fromtimestamp((folder / "judged.parquet").stat().st_mtime, UTC).isoformat(timespec="seconds")
    metrics = {"accuracy": {"name": "accuracy", "value": right}}
    score = {"name": SCORER, "scorer": SCORER, "metrics": metrics, "scored_samples": len(samples)}
    sizes = {"total_samples": len(samples), "completed_samples": len(samples)}
    drawn = about_table(folder / "answers.parquet")
    sampling = {name: value for name, value in drawn.get("sampling", {}).items() if name in GENERATION}
    names = list(dict.fromkeys(sample["id"] for sample in samples))
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "created": made,
            "task": benchmark,
            "dataset": {"name": benchmark, "samples": len(names), "sample_ids": names},
            "model": model,
            "model_generate_config": sampling,
            "config": {"epochs": epochs},
            "metadata": {"drawn": drawn},
        },
        "plan": {"name": "plan", "steps": [], "config": sampling},
        "results": {**sizes, "scores": [score]},
        "stats": {"started_at": made, "completed_at": made, "model_usage": {}},
        "samples": samples,
    }
