"""A claim's dossier: one number of a table, and everything that it rests on, on one page.

Reads the manifest for the way back and the tables for counts; what is not there, as in a release without answers, is
named by its hash. Does not judge anything anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import polars as pl

from reasonlite.audit.claims import Way, row_of, starts_of
from reasonlite.audit.inside import shortened
from reasonlite.audit.jobs import jobs_of
from reasonlite.audit.lineage import flat
from reasonlite.audit.sides import Side
from reasonlite.core.errors import UserError
from reasonlite.core.pace import duration

Rows = tuple[list[str], list[list[str]]]  # header and body
SHOWN = 40  # settings of a step
APART = ("name", "method", "start", "data", "arguments")  # of a stage, told in columns of their own


@dataclass
class Section:
    """A heading with paragraphs and tables under it."""

    title: str
    lines: list[str] = field(default_factory=list)
    tables: list[Rows] = field(default_factory=list)


@dataclass
class Dossier:
    title: str
    sections: list[Section]


def explain(side: Side, words: Sequence[str], table: str) -> Dossier:
    """The dossier of the row of ``table`` (such as tables/results.csv) whose leading cells are ``words``."""
    if side.folder is None:
        raise UserError("has no files beside its manifest", where=side.name, todo="name a results folder or a release")
    row = row_of(side, table, words)
    way = Way(side, starts_of(side.manifest, table, row))
    numbers = [name for name in ("value", "difference", "accuracy") if isinstance(row.get(name), float)]
    told = f": {_interval(row, numbers[0])}" if numbers else ""
    sections = [
        _claim(way, table, row),
        _answers(way),
        _chain(way),
        _training_files(way),
        _labels(way),
        _teacher(way),
        _sources(way),
        _ground(way),
        _again(way, table),
    ]
    return Dossier(f"{', '.join(words)}{told}", [each for each in sections if each.lines or each.tables])


def _interval(row: dict[str, Any], name: str) -> str:
    low, high = ("low", "high") if name == "value" else (f"{name}_low", f"{name}_high")
    low, high = (low, high) if low in row else ("low", "high")
    bounds = f" [{row[low]:.1f}, {row[high]:.1f}]" if isinstance(row.get(low), float) else ""
    return f"{row[name]:.1f}{bounds}"


def _claim(way: Way, table: str, row: dict[str, Any]) -> Section:
    entry = way.manifest["outputs"][table]
    lines = [
        f"`{table}`, sha256 `{entry['sha256']}`, made by {entry.get('rule') or 'hand'}, {entry.get('start', '')}.",
        "Brackets: the 95% interval by bootstrap over problems; docs/numbers.md has every formula.",
    ]
    if str(row.get("metric", "")).startswith("avg@"):
        for path in way.of("evaluate_judge", "evaluate_code"):
            verdicts = way.read(path, ["problem_id", "correct"]) if path.endswith("judged.parquet") else None
            if verdicts is not None:
                by_problem = verdicts.group_by("problem_id").agg(pl.col("correct").mean())
                again = by_problem.select(100 * pl.col("correct").mean()).item()
                lines.append(f"Worked out again from the verdicts in `{path}`: {again:.4f}.")
    cells = [[name, "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)]
             for name, value in row.items()]  # fmt: skip
    return Section("The number", lines, [(["column", "value"], cells)])


def _answers(way: Way) -> Section:
    found, lines, absent = [], [], {}
    for path, entry in way.of("evaluate_judge", "evaluate_code").items():
        if not path.endswith("judged.parquet"):
            continue
        rows = way.read(path, ["problem_id", "correct", "status", "answer", "tokens"])
        _, model, benchmark, _ = PurePosixPath(path).parts
        if rows is None:
            absent[path] = entry
            continue
        cut, mean = (rows["status"] != "complete").sum(), rows.select(pl.mean("tokens").fill_null(0)).item()
        counts = [rows["problem_id"].n_unique(), rows.height, rows["correct"].sum(), rows["answer"].null_count(), cut]
        found.append([model, benchmark, *(f"{count:,}" for count in counts), f"{mean:.0f}", entry["sha256"][:16]])
    for path, entry in way.of("evaluate_answers").items():
        lines.append(f"`{path}` was drawn with {_settings(entry)}.")
        if (way.folder / path).is_file():
            lines.append(f"Each answer with its verdict: `audit.py trace {way.folder / path} --row ID`.")
    for path, entry in way.of("take_answers").items():
        read = {name: way.manifest["sources"][name]["sha256"] for name in way.lineage.sources(path)}
        told = ", ".join(f"`{name}` (sha256 `{digest}`)" for name, digest in read.items())
        lines.append(f"`{path}` was taken from {told} with {_settings(entry)}.")
    lines += _absent(absent)
    header = ["model", "benchmark", "problems", "answers", "right", "no final answer", "not whole", "tokens", "sha256"]
    return Section("The answers behind it", lines, [(header, found)] if found else [])


def _chain(way: Way) -> Section:
    body = []
    for path, entry in way.of("train").items():
        if not path.endswith(".sha256"):
            continue
        stage, name = entry["settings"]["stage"], PurePosixPath(path).stem
        log = way.read(f"training/{name}.parquet", ["step", "loss", "tokens"])
        loss = "" if log is None or log.is_empty() else f"{log['loss'][0]:.3f} → {log['loss'][-1]:.3f}"
        steps = "" if log is None or log.is_empty() else f"{log['step'][-1]:,}"
        data = ", ".join(stage["data"])
        others = {key: value for key, value in stage.items() if key not in APART}
        said = ", ".join(f"{key}={shortened(value)}" for key, value in (*flat(others), *flat(stage["arguments"])))
        body.append([name, stage["method"], stage["start"], data, str(entry["settings"]["seed"]), steps, loss, said])
    header = ["stage", "method", "starts from", "data", "seed", "steps", "loss", "settings"]
    stages = {f"checkpoints/{row[0]}/" for row in body}
    weights = [
        f"`{path}`: sha256 `{entry['sha256']}`."
        for path, entry in way.manifest["outputs"].items()
        if path.endswith(".safetensors") and any(path.startswith(stage) for stage in stages)
    ]
    return Section("The checkpoint and how it was trained", weights, [(header, body)] if body else [])


def _training_files(way: Way) -> Section:
    counts: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    settings: dict[str, dict[str, Any]] = {}
    absent: dict[str, dict[str, Any]] = {}
    for path, entry in way.of("curate").items():
        stratum = str(entry["wildcards"]["stratum"])
        settings[stratum] = entry["settings"]["stratum"]
        shard = entry["wildcards"]["shard"]
        funnel = way.read(f"curriculum/funnel/{stratum}/{shard}.parquet", ["step", "answers", "tokens"])
        if funnel is None:
            absent[path] = entry
        for step, answers, tokens in funnel.iter_rows() if funnel is not None else []:
            counts[stratum][step][0] += answers
            counts[stratum][step][1] += tokens
    body = [
        [stratum, ", ".join(settings[stratum]["efforts"]), settings[stratum]["filter"], step, f"{n:,}", f"{t:,}"]
        for stratum, steps in counts.items()
        for step, (n, t) in steps.items()
    ]
    header = ["training file", "efforts", "filter", "step", "examples", "tokens"]
    return Section("Its training files", _absent(absent), [(header, body)] if body else [])


def _labels(way: Way) -> Section:
    by: dict[str, int] = defaultdict(int)
    absent, settings = {}, {}
    for path, entry in way.of("vote_and_judge").items():
        settings = entry["settings"]
        shard = f"votes/{entry['wildcards']['shard']}.parquet"
        votes = way.read(shard, ["label_source", "problem_id"]) if shard in way.manifest["outputs"] else None
        if votes is None:
            absent[path] = entry
        elif path.startswith("judged/") and entry["wildcards"]["shard"] not in by:
            by[entry["wildcards"]["shard"]] = 0  # each shard once, however many efforts
            for source, count in votes["label_source"].value_counts().iter_rows():
                by[f"label by {source}"] += count
    body = [[name, f"{count:,}"] for name, count in sorted(by.items()) if name.startswith("label by")]
    lines = _absent(absent)
    if settings:
        lines.insert(0, f"Votes: {', '.join(f'{name} = {shortened(value)}' for name, value in flat(settings))}.")
    return Section("Votes and labels", lines, [(["problems", "count"], body)] if body else [])


def _teacher(way: Way) -> Section:
    by_effort: dict[str, list[Any]] = {}
    absent: dict[str, dict[str, Any]] = {}
    for path, entry in way.of("generate_answers", "draw_probe").items():
        wildcards = entry["wildcards"]
        effort = str(wildcards.get("effort") or f"probe {wildcards.get('probe', '?')}")
        count = by_effort.setdefault(effort, [0, 0, 0, _settings(entry)])
        rows = way.read(path, ["status", "tokens"])
        count[0] += entry.get("rows", 0)
        if rows is None:
            absent[path] = entry
            count[1] = count[2] = None  # not known of an effort of which a file is missing
        elif count[1] is not None:
            count[1] += (rows["status"] == "complete").sum()
            count[2] += rows["tokens"].sum()
    body = [
        [name, *("not here" if number is None else f"{number:,}" for number in numbers), said]
        for name, (*numbers, said) in by_effort.items()
    ]
    header = ["effort", "answers", "complete", "tokens", "drawn with"]
    return Section("The teacher's answers", _absent(absent), [(header, body)] if body else [])


def _sources(way: Way) -> Section:
    body = [
        [path, _settings(entry), entry["sha256"][:16]]
        for path, entry in way.of("fetch_model", "fetch_problems").items()
        if path.endswith((".sha256", ".parquet"))
    ]
    return Section("Models and problems as they came", [], [(["output", "from", "sha256"], body)] if body else [])


def _ground(way: Way) -> Section:
    """Code, lock and machines."""
    machines: dict[str, set[str]] = defaultdict(set)
    code: dict[str, set[str]] = defaultdict(set)
    for path in way.paths:
        entry = way.manifest["outputs"][path]
        if entry.get("rule"):
            machines[_machine(entry.get("machine") or {})].add(entry["rule"])
            code[entry["rule"]].add(str(entry.get("code"))[:16])
    lines = [f"Lock of the environment: sha256 `{way.manifest.get('lock')}`."]
    lines += [f"{machine}: {', '.join(sorted(rules))}." for machine, rules in machines.items()]
    body = [[rule, ", ".join(sorted(hashes))] for rule, hashes in sorted(code.items())]
    return Section("Code, environment and machines", lines, [(["step", "hash of its code, as in the manifest"], body)])


def _machine(machine: dict[str, Any]) -> str:
    gpus = machine.get("gpus") or []
    packages = machine.get("packages") or {}
    known = [f"{name} {packages[name]}" for name in ("torch", "vllm", "transformers", "trl") if name in packages]
    parts = [f"Python {machine.get('python', '?')}", machine.get("processor", "?"), *map(str, gpus[:1]), *known]
    return ", ".join(parts)


def _again(way: Way, table: str) -> Section:
    """Steps on the way with the time that each took, as recorded."""
    on_the_way = {table, *way.paths}
    jobs = [job for job in jobs_of(way.manifest) if on_the_way & set(job.outputs)]
    times: dict[str, list[float]] = defaultdict(list)
    for job in jobs:
        times[job.rule].append(job.seconds)
    whole = sum(job.seconds for job in jobs)
    by_time = sorted(times.items(), key=lambda item: -sum(item[1]))
    body = [[rule, f"{len(each):,}", duration(sum(each))] for rule, each in by_time]
    lines = [
        f"From nothing, the steps on the way took {duration(whole)} of jobs' time when they were run.",
        f"With the experiment's config: `snakemake --configfile CONFIG results/{way.lineage.results.name}/{table}`;"
        " what is there and unchanged is not made again.",
    ]
    return Section("What it takes to make it again", lines, [(["step", "jobs", "time"], body)])


def _settings(entry: dict[str, Any]) -> str:
    pairs = [f"{name}={shortened(value)}" for name, value in flat(entry.get("settings") or {})]
    more = f", … and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    return ", ".join(pairs[:SHOWN]) + more


def _absent(entries: dict[str, dict[str, Any]]) -> list[str]:
    """A line for the files of each rule that are not here: the first by its hash, and how many more."""
    by_rule: dict[str, list[str]] = defaultdict(list)
    for path, entry in entries.items():
        by_rule[str(entry.get("rule"))].append(path)
    return [
        f"`{paths[0]}` is not here; it had sha256 `{entries[paths[0]]['sha256']}`"
        + (f"; nor are {len(paths) - 1:,} more of {rule}" if len(paths) > 1 else "")
        + "."
        for rule, paths in by_rule.items()
    ]
