"""What an experiment will take: jobs, answers, tokens, GPU-hours and storage by rule, from its config and from rates.

Every rate carries its source. Does not look at results, and does not know a cluster.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from reasonlite.config.experiment import Config, root_of
from reasonlite.config.settings import Effort
from reasonlite.config.sources import Source
from reasonlite.config.stages import OnPolicy
from reasonlite.core.errors import UserError
from reasonlite.core.layout import plain

BYTES_PER_ID = 4  # of a token in tokens/: int32


@dataclass(frozen=True)
class Rate:
    value: float
    source: str


class Rates:
    """Named rates with their sources, and which of them were used."""

    def __init__(self, rates: dict[str, Any]) -> None:
        self._rates = rates
        self.used: dict[str, Rate] = {}

    def __getitem__(self, name: str) -> float:
        entry: Any = self._rates
        for part in name.split(":"):
            entry = entry.get(part) if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not {"value", "source"} <= entry.keys():
            raise UserError(
                f"no rate {name!r} with a value and a source", where="rates", todo="add it to config/rates.yaml"
            )
        self.used[name] = Rate(float(entry["value"]), str(entry["source"]))
        return self.used[name].value


@dataclass(frozen=True)
class Line:
    """A rule's share: ``tokens`` and ``answers`` are generated or trained on, ``gigabytes`` stay on disk."""

    rule: str
    jobs: int
    answers: float = 0
    tokens: float = 0
    gpu_hours: float = 0
    gigabytes: float = 0


def read_rates(path: Path, ledger: Path | None = None) -> Rates:
    """Rates of a file; speeds that a ledger of an earlier run has measured take their place."""
    try:
        rates = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"cannot be read: {error}", where=path, todo="see config/rates.yaml") from None
    if ledger is not None:
        rates |= _measured(ledger)
    return Rates(rates)


def _measured(ledger: Path) -> dict[str, Any]:
    try:
        table = pl.read_csv(ledger)
        sums = table.filter(pl.col("gpu_hours") > 0).group_by("rule").agg(pl.col("tokens", "gpu_hours").sum())
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UserError(f"is not a ledger: {error}", where=ledger, todo="name a tables/ledger.csv") from None
    names = {"generate_answers": "teacher_speed", "evaluate_answers": "student_speed", "train": "training_speed"}
    return {
        names[rule]: {"value": tokens / hours / 3600, "source": f"measured: {ledger}"}
        for rule, tokens, hours in sums.iter_rows()
        if rule in names and tokens
    }


def rows_of(source: Source, rates: Rates) -> float:
    """Rows a source gives: known for tasks and limits, counted in local files, stated for the hub's."""
    limit = getattr(source, "limit", None)
    if limit is not None:
        return limit
    if source.kind == "reasoning_gym":
        return sum(task.size for task in source.tasks)
    if source.kind == "parquet":
        return pl.scan_parquet(source.path).select(pl.len()).collect().item()
    if source.kind == "jsonl":
        return pl.scan_ndjson(source.path, schema={}).select(pl.len()).collect().item()
    if source.kind == "json":
        return len(json.loads(source.path.read_bytes()))
    return rates[f"rows:{source.repo}"]


def estimate(config: Config, rates: Rates) -> list[Line]:
    """One line a rule, in the order of the road."""
    teacher, shards, models = config.teacher, config.problems.shards, len(config.evaluation.models)
    problems = sum(rows_of(source, rates) for source in config.problems.sources.values())
    benchmarks = len(config.evaluation.benchmarks)
    lines = [
        Line("fetch_model", len(config.models)),
        Line("fetch_problems", len(config.problems.sources) + benchmarks),
        Line("shard_problems", 1),
    ]
    drawn = {name: problems * _drawn(effort) for name, effort in teacher.efforts.items()}
    here = sum(count for name, count in drawn.items() if teacher.asked(name)[1].kind == "vllm")
    generated = _generated("generate_answers", len(drawn) * shards, sum(drawn.values()), "teacher", rates)
    lines.append(replace(generated, gpu_hours=generated.gpu_hours * here / max(sum(drawn.values()), 1)))
    if config.labels.judge != "rules":
        lines += [Line("adjudicate", shards), Line("settle_groups", shards)]
    lines += [Line(rule, shards) for rule in ("group_answers", "vote_and_judge")]
    lines += _probes(config, problems, rates)
    lines += _training(config, problems, rates)
    lines.append(_evaluation(config, rates))
    programs = sum(benchmark.runs_code for benchmark in config.evaluation.benchmarks.values())
    recorded = sum(len(entry.recorded or {}) for entry in config.evaluation.models)
    if recorded:
        lines.append(Line("take_answers", recorded))
    lines += [Line(rule, (benchmarks - programs) * models) for rule in ("evaluate_groups", "evaluate_judge")]
    if programs:
        lines.append(Line("evaluate_code", programs * models))
    return lines


def _drawn(effort: Effort) -> float:
    """Answers for a problem, on the mean over all problems."""
    return effort.answers_per_problem * (effort.problems[1] - effort.problems[0])


def _generated(rule: str, jobs: int, answers: float, who: str, rates: Rates) -> Line:
    tokens = answers * rates[f"{who}_tokens"]
    stored = 2 * tokens * rates["text_bytes_per_token"] * rates["compressed"] / 1e9  # the journal, and the table of it
    return Line(rule, jobs, answers, tokens, tokens / rates[f"{who}_speed"] / 3600, stored)


def _probes(config: Config, problems: float, rates: Rates) -> list[Line]:
    """What is asked to know how hard problems are: of the probes that some stage chooses by."""
    asked = {(stage.verdicts, _asked(config, stage)) for stage in config.choosing}
    shards, probes = config.problems.shards, [config.probes[name] for name, model in sorted(asked) if model]
    lines = []
    if probes:
        answers = problems * sum(map(_drawn, probes))
        drawn = _generated("draw_probe", len(probes) * shards, answers, "student", rates)
        lines += [drawn, Line("judge_probe", len(probes) * shards)]
    return [*lines, *([Line("rate_problems", len(asked) * shards)] if asked else [])]


def _asked(config: Config, stage: OnPolicy) -> str:
    """The model that a stage's probe asks; empty for the teacher, whose answers are there."""
    return config.probes[stage.verdicts].asked(stage.start) if stage.verdicts in config.probes else ""


def _training(config: Config, problems: float, rates: Rates) -> list[Line]:
    """Examples by stratum, and what each stage reads of them in all its epochs."""
    examples = {}
    for name, stratum in config.strata.items():
        efforts = stratum.efforts or list(config.teacher.efforts)
        drawn = problems * sum(_drawn(config.teacher.efforts[effort]) for effort in efforts)
        examples[name] = drawn * rates["kept"]
    tokens = {name: count * rates["teacher_tokens"] for name, count in examples.items()}
    text = sum(tokens.values()) * rates["text_bytes_per_token"] * rates["compressed"] / 1e9
    lines = [
        Line("curate", len(examples) * config.problems.shards, sum(examples.values()), sum(tokens.values()), 0, text)
    ]
    taught = [stage for stage in config.stages if stage.method == "sft"]
    written = {(root_of(config, stage), name) for stage in taught for name in stage.weights}
    ids = sum(tokens[name] for _, name in written) * BYTES_PER_ID / 1e9
    lines.append(Line("tokenize_examples", len(written) * config.problems.shards, 0, 0, 0, ids))
    parameters = max((entry.parameters or 0 for entry in config.evaluation.models), default=0)
    seen, stored = 0.0, 0.0
    for stage in config.stages:
        weights = stage.weights if stage.method == "sft" else {}  # of on-policy stages nobody knows beforehand
        epochs = float(stage.arguments.get("num_train_epochs", 3))
        budget = stage.tokens if stage.method == "sft" else None
        seen += budget or sum(tokens[name] * weight for name, weight in weights.items()) * epochs
        stored += parameters * (rates["bytes_per_parameter"] + rates["checkpoint_parameters"])
    lines.append(Line("train", len(config.stages), 0, seen, seen / rates["training_speed"] / 3600, stored))
    return lines


def _evaluation(config: Config, rates: Rates) -> Line:
    settings = config.evaluation
    answers = sum(
        rows_of(benchmark.source, rates) * (benchmark.answers_per_problem or settings.answers_per_problem)
        for benchmark in settings.benchmarks.values()
    )
    models = sum(entry.recorded is None for entry in settings.models)
    return _generated("evaluate_answers", models * settings.engines, answers * models, "student", rates)


def beside_published(lines: list[Line], published: Path) -> list[str]:
    """What this run asks beside what the published one reports (csv: part, step, published), as lines of text."""
    counts = {part: count for part, _, count in pl.read_csv(published).iter_rows()}
    own = {line.rule: line.answers for line in lines}
    found = ["beside the published run (config/published)"]
    for what, rule, part in (
        ("answers drawn", "generate_answers", "answers: all"),
        ("training examples", "curate", "examples: all"),
    ):
        if part in counts and own.get(rule):
            share = own[rule] / counts[part]
            found.append(f"  {what}: {_short(own[rule])} here, {_short(counts[part])} published ({share:.1f} times)")
    return found


def report(lines: list[Line], rates: Rates, beside: list[str] | None = None) -> str:
    """The lines as a text table with totals; below it every rate used with its source, and published counts."""
    rows: list[tuple[str, ...]] = [("rule", "jobs", "answers", "tokens", "GPU-hours", "GB")]
    for line in [*lines, _total(lines)]:
        numbers = (line.jobs, line.answers, line.tokens, line.gpu_hours, line.gigabytes)
        rows.append((line.rule, *(_short(number) for number in numbers)))
    text = plain(rows)
    text += ["", "rates, and where they are from"]
    text += [f"  {name} = {rate.value:g}: {rate.source}" for name, rate in rates.used.items()]
    if beside:
        text += ["", *beside]
    return "\n".join(text)


def _total(lines: list[Line]) -> Line:
    return Line(
        "total",
        sum(line.jobs for line in lines),
        gpu_hours=sum(line.gpu_hours for line in lines),
        gigabytes=sum(line.gigabytes for line in lines),
    )


def _short(number: float) -> str:
    if not number:
        return ""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if number >= size:
            return f"{number / size:.1f}{unit}"
    return f"{number:,.0f}" if number >= 1 else f"{number:.2g}"
