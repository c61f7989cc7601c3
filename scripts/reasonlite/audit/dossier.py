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

from reasonlite.audit.inside import shortened
from reasonlite.audit.jobs import experiment_of, jobs_of
from reasonlite.audit.lineage import Lineage, flat
from reasonlite.audit.sides import Side
from reasonlite.core.errors import UserError
from reasonlite.core.pace import duration

Rows = tuple[list[str], list[list[str]]]  # header and body
SHOWN = 40  # settings of a step


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


class Way:
    """What a claim rests on: outputs of a results folder, nearest first."""

    def __init__(self, side: Side, starts: Sequence[str]) -> None:
        assert side.folder is not None
        self.side, self.folder, self.manifest = side, side.folder, side.manifest
        experiment = experiment_of(self.manifest)
        lineages = [Lineage(self.folder.with_name(experiment), start, self.manifest) for start in starts]
        self.lineage = lineages[0]
        self.paths = list(dict.fromkeys(path for each in lineages for path in each.upstream()))

    def of(self, *rules: str) -> dict[str, dict[str, Any]]:
        """Outputs that these rules made, with their entries in the manifest."""
        outputs = self.manifest["outputs"]
        return {path: outputs[path] for path in self.paths if outputs[path].get("rule") in rules}

    def read(self, path: str, columns: list[str]) -> pl.DataFrame | None:
        """Columns of a table, or None where the file is gone or is not what the manifest says."""
        found = self.side.file("outputs", path, [])
        if found is None:
            return None
        table = pl.read_csv(found, infer_schema_length=None) if found.suffix == ".csv" else pl.read_parquet(found)
        return table.select([name for name in columns if name in table.columns])


def explain(side: Side, words: Sequence[str], table: str) -> Dossier:
    """The dossier of the row of ``table`` (such as tables/results.csv) whose leading cells are ``words``."""
    if side.folder is None:
        raise UserError("has no files beside its manifest", where=side.name, todo="name a results folder or a release")
    row = row_of(side, table, words)
    way = Way(side, _starts(side.manifest, table, row))
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


def row_of(side: Side, table: str, words: Sequence[str]) -> dict[str, Any]:
    """The row of a table that has all these cells; a `UserError` where there is none, or several."""
    if table not in side.manifest["outputs"]:
        known = [path for path in side.manifest["outputs"] if path.startswith("tables/") and path.endswith(".csv")]
        raise UserError("is not in the manifest", where=table, todo=f"one of {', '.join(sorted(known))}")
    path = side.file("outputs", table, [])
    if path is None:
        raise UserError("is gone or is not what the manifest says", where=table, todo="run audit.py verify")
    frame = pl.read_csv(path, infer_schema_length=None)
    chosen = frame
    for word in words:  # each names one of the cells, in any order: benchmark and model stand elsewhere in each table
        found = [name for name in chosen.columns if chosen.filter(pl.col(name).cast(pl.String) == word).height]
        if not found:
            values = {str(v) for name in chosen.columns[:4] for v in chosen[name].unique().head(12)}
            raise UserError(f"no row has {word!r}", where=table, todo=f"such as {', '.join(sorted(values)[:12])}")
        chosen = chosen.filter(pl.col(found[0]).cast(pl.String) == word)
    if chosen.height > 1:
        apart = [name for name in chosen.columns if chosen[name].n_unique() > 1][:3]
        todo = f"say also {' or '.join(apart)}, such as {', '.join(str(v) for v in chosen[apart[0]].unique()[:6])}"
        raise UserError(f"{chosen.height} rows have {' '.join(words)!r}", where=table, todo=todo)
    return chosen.row(0, named=True)


def _starts(manifest: dict[str, Any], table: str, row: dict[str, Any]) -> list[str]:
    """The verdicts that a row is about, by the models and the benchmark it names; without any, the table itself."""
    names = {str(value) for value in row.values() if isinstance(value, str)}
    if row.get("metric") == "difference" or "difference" in row:
        evaluation = (manifest["outputs"][table].get("settings") or {}).get("evaluation") or {}
        names.add(str(evaluation.get("baseline")))
    judged = [
        path
        for path, entry in manifest["outputs"].items()
        if entry.get("rule") in ("evaluate_judge", "evaluate_code")
        and path.endswith("/judged.parquet")
        and set(PurePosixPath(path).parts[1:3]) <= names
    ]
    return judged or [table]


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
    found, lines = [], []
    for path, entry in way.of("evaluate_judge", "evaluate_code").items():
        if not path.endswith("judged.parquet"):
            continue
        rows = way.read(path, ["problem_id", "correct", "status", "answer", "tokens"])
        _, model, benchmark, _ = PurePosixPath(path).parts
        if rows is None:
            lines.append(_absent(path, entry))
            continue
        cut, mean = (rows["status"] != "complete").sum(), rows.select(pl.mean("tokens").fill_null(0)).item()
        counts = [rows["problem_id"].n_unique(), rows.height, rows["correct"].sum(), rows["answer"].null_count(), cut]
        found.append([model, benchmark, *(f"{count:,}" for count in counts), f"{mean:.0f}", entry["sha256"][:16]])
    for path, entry in way.of("evaluate_answers").items():
        lines.append(f"`{path}` was drawn with {_settings(entry)}.")
        lines.append(f"Each answer with its verdict: `audit.py trace {way.folder / path} --row ID`.")
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
        said = ", ".join(f"{key}={shortened(value)}" for key, value in flat(stage["arguments"]))
        body.append([name, stage["method"], stage["start"], data, str(entry["settings"]["seed"]), steps, loss, said])
    header = ["stage", "method", "starts from", "data", "seed", "steps", "loss", "arguments"]
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
    lines = []
    for path, entry in way.of("curate").items():
        stratum = str(entry["wildcards"]["stratum"])
        settings[stratum] = entry["settings"]["stratum"]
        shard = entry["wildcards"]["shard"]
        funnel = way.read(f"curriculum/funnel/{stratum}/{shard}.parquet", ["step", "answers", "tokens"])
        if funnel is None:
            lines.append(_absent(path, entry))
        for step, answers, tokens in funnel.iter_rows() if funnel is not None else []:
            counts[stratum][step][0] += answers
            counts[stratum][step][1] += tokens
    body = [
        [stratum, ", ".join(settings[stratum]["efforts"]), settings[stratum]["filter"], step, f"{n:,}", f"{t:,}"]
        for stratum, steps in counts.items()
        for step, (n, t) in steps.items()
    ]
    header = ["training file", "efforts", "filter", "step", "examples", "tokens"]
    return Section("Its training files", lines, [(header, body)] if body else [])


def _labels(way: Way) -> Section:
    by: dict[str, int] = defaultdict(int)
    lines, settings = [], {}
    for path, entry in way.of("vote_and_judge").items():
        settings = entry["settings"]
        shard = f"votes/{entry['wildcards']['shard']}.parquet"
        votes = way.read(shard, ["label_source", "problem_id"]) if shard in way.manifest["outputs"] else None
        if votes is None:
            lines.append(_absent(path, entry))
        elif path.startswith("judged/") and entry["wildcards"]["shard"] not in by:
            by[entry["wildcards"]["shard"]] = 0  # each shard once, however many efforts
            for source, count in votes["label_source"].value_counts().iter_rows():
                by[f"label by {source}"] += count
    body = [[name, f"{count:,}"] for name, count in sorted(by.items()) if name.startswith("label by")]
    if settings:
        lines.insert(0, f"Votes: {', '.join(f'{name} = {shortened(value)}' for name, value in flat(settings))}.")
    return Section("Votes and labels", lines, [(["problems", "count"], body)] if body else [])


def _teacher(way: Way) -> Section:
    by_effort: dict[str, list[Any]] = {}
    lines = []
    for path, entry in way.of("generate_answers").items():
        effort = str(entry["wildcards"].get("effort", "?"))
        count = by_effort.setdefault(effort, [0, 0, 0, _settings(entry)])
        rows = way.read(path, ["status", "tokens"])
        count[0] += entry.get("rows", 0)
        if rows is None:
            lines.append(_absent(path, entry))
            continue
        count[1] += (rows["status"] == "complete").sum()
        count[2] += rows["tokens"].sum()
    body = [[name, f"{n:,}", f"{done:,}", f"{tokens:,}", said] for name, (n, done, tokens, said) in by_effort.items()]
    header = ["effort", "answers", "complete", "tokens", "drawn with"]
    return Section("The teacher's answers", lines, [(header, body)] if body else [])


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


def _absent(path: str, entry: dict[str, Any]) -> str:
    return f"`{path}` is not here; it had sha256 `{entry['sha256']}`."
