"""What the rule files ask of a config: names, settings of one job, and the closing summary.

What the rule files need of the library comes through here; Polars, for the strata's
filters, is the heaviest thing it imports.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from reasonlite.audit import manifest
from reasonlite.audit.changes import lock_lines
from reasonlite.audit.provenance import catalogue, code_id, identity
from reasonlite.audit.store import Store
from reasonlite.config.experiment import Config, parse_config
from reasonlite.config.settings import Adjudicator, Effort, VllmEngine
from reasonlite.config.sources import Source
from reasonlite.config.stages import DistillStage, SftStage, Stage
from reasonlite.core.errors import UserError
from reasonlite.models.folders import check_model_folder
from reasonlite.training.arguments import check_arguments


def open_experiment(raw: dict[str, Any]) -> Config:
    """Check the whole config before any job runs: keys, values, filters, trainer arguments, local paths."""
    config = parse_config(raw)
    for stage in config.stages:
        check_arguments(stage.method, stage.arguments, f"stages.{stage.name}.arguments")
    for name, source in _sources(config).items():
        if source.kind in {"json", "jsonl", "parquet"} and not source.path.is_file():
            raise UserError("no such file", where=source.path, todo=f"correct the path of the source {name!r}")
    for model in config.models.values():
        if model.kind == "local":
            check_model_folder(model.path)
    _check_filters(config)
    return config


def _check_filters(config: Config) -> None:
    from reasonlite.curriculum.examples import parse_filter

    for name, stratum in config.strata.items():
        parse_filter(stratum.filter, f"strata.{name}.filter")


def shard_names(config: Config) -> list[str]:
    return [f"{shard:05d}" for shard in range(config.problems.shards)]


def source_of(config: Config, name: str) -> Source:
    """A problem source or benchmark by name."""
    return _sources(config)[name]


def _sources(config: Config) -> dict[str, Source]:
    return config.problems.sources | {name: entry.source for name, entry in config.evaluation.benchmarks.items()}


def benchmark_flags(config: Config, name: str) -> str:
    """Options of fetch_problems for a benchmark; none for a source of training problems."""
    benchmark = config.evaluation.benchmarks.get(name)
    if benchmark is None:
        return ""
    return "--benchmark" + (f" --content-sha256 {benchmark.content_sha256}" if benchmark.content_sha256 else "")


def source_files(config: Config, name: str) -> list[str]:
    """Local files a source reads, so that a changed file is noticed."""
    source = source_of(config, name)
    return [str(source.path)] if source.kind in {"json", "jsonl", "parquet"} else []


def model_files(config: Config, name: str) -> list[str]:
    """Files of a local model, so that changed weights are noticed."""
    model = config.models[name]
    return sorted(str(path) for path in model.path.iterdir() if path.is_file()) if model.kind == "local" else []


def stage_of(config: Config, name: str) -> Stage:
    return next(stage for stage in config.stages if stage.name == name)


def stage_seed(config: Config, stage: Stage) -> int:
    return config.seed if stage.seed is None else stage.seed


def teachers_of(stage: Stage) -> list[str]:
    """The model whose probabilities the stage learns from, if it does."""
    return [stage.teacher] if isinstance(stage, DistillStage) else []


def data_folders(stage: Stage) -> list[str]:
    """Folders of the tables a stage reads: its strata's examples, or the cleaned problems."""
    if isinstance(stage, SftStage):
        return [f"curriculum/{stratum}" for stratum in stage.weights]
    return ["problems/shards"]


def root_of(config: Config, stage: Stage) -> str:
    """The model that a stage's chain of stages starts from."""
    starts = {each.name: each.start for each in config.stages}
    name = stage.start
    while name in starts:
        name = starts[name]
    return name


def student_of(config: Config, stratum: str) -> str | None:
    """The model whose tokenizer counts a stratum's tokens; None when no stage learns from it."""
    users = (stage for stage in config.stages if isinstance(stage, SftStage) and stratum in stage.weights)
    return config.strata[stratum].student or next((root_of(config, stage) for stage in users), None)


def counted(config: Config, stage: Stage) -> bool:
    """Whether the tables a stage reads hold its tokens already, by its own tokenizer."""
    own = root_of(config, stage)
    return isinstance(stage, SftStage) and all(student_of(config, stratum) == own for stratum in stage.weights)


def evaluation_effort(config: Config, model: str, benchmark: str) -> Effort:
    """How a model answers a benchmark's problems, in the teacher's own terms."""
    settings = config.evaluation
    entry = next(entry for entry in settings.models if entry.model == model)
    own = settings.benchmarks[benchmark]
    prompt = entry.prompt
    if own.instruction is not None:
        prompt = prompt.model_copy(update={"instruction": own.instruction})
    return Effort(
        prompt=prompt,
        sampling=entry.sampling,
        answers_per_problem=own.answers_per_problem or settings.answers_per_problem,
        first_seed=settings.first_seed,
    )


def evaluation_efforts(config: Config, model: str) -> list[Effort]:
    """How a model answers each benchmark's problems, in the order of the benchmarks."""
    return [evaluation_effort(config, model, benchmark) for benchmark in config.evaluation.benchmarks]


def benchmarks(config: Config, *, code: bool) -> list[str]:
    """Benchmarks whose answers are programs, or those whose answers are not."""
    return [name for name, entry in config.evaluation.benchmarks.items() if entry.runs_code == code]


def voting_efforts(config: Config) -> list[str]:
    return config.labels.efforts or list(config.teacher.efforts)


def adjudicator(config: Config) -> Adjudicator:
    """Who is asked about pairs of answers, with the teacher where nothing else is said."""
    settings, teacher = config.labels.adjudicator, config.teacher
    return settings.model_copy(
        update={"model": settings.model or teacher.model, "engine": settings.engine or teacher.engine}
    )


def gpus_by_rule(config: Config) -> dict[str, int]:
    """GPUs that one model copy of each rule with an engine is spread over."""
    engines = {
        "generate_answers": config.teacher.engine,
        "adjudicate": adjudicator(config).engine,
        "evaluate_answers": config.evaluation.engine,
    }
    return {rule: engine.tensor_parallel_size for rule, engine in engines.items() if isinstance(engine, VllmEngine)}


def lock_of(config: Config, root: Path) -> str:
    """Hash of the environment's lock where a changed one is to rerun; else nothing."""
    environment = config.environment
    return manifest.read_lock(root / environment.lock)[0] if environment.changed == "rerun" else ""


def rule_identity(scripts: Sequence[Path], settings: dict[str, Any], lock: str) -> str:
    """The identity of a rule that runs ``scripts``."""
    return identity(scripts, {name: _plain(value) for name, value in settings.items()}, lock)


def note_run(config: Config, results: Path, scripts: Iterable[tuple[Path, ...]]) -> list[str]:
    """Keep what a later audit needs to name causes; a line for each thing that changed since the last manifest.

    Called when jobs are about to run, with the scripts of each rule.
    """
    store = Store(results)
    for each in scripts:
        store.save_once(f"code/{code_id(each)}.json", catalogue(each))
    digest, packages = manifest.read_lock(config.environment.lock)
    store.save_once(f"locks/{digest}.json", packages)
    old = manifest.current(results) or {}
    if config.environment.changed == "rerun" or old.get("lock", digest) == digest:
        return []
    lines = lock_lines(old["locks"].get(old["lock"]) or {}, packages) or "other lines, same versions"
    return [
        f"{config.environment.lock} changed since the last manifest: {lines}\n"
        "  what to do: nothing, to keep what there is; environment.changed: rerun to make all again"
    ]


def note_success(config: Config, results: Path, root: Path) -> list[str]:
    """Bring the manifest up to date; lines for the user."""
    if not manifest.write(results, root, lock=config.environment.lock):
        return []
    return [f"what changed and why: python scripts/audit.py diff {results}"] if Store(results).history() else []


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def existing_parts(config: Config, folder: Path) -> set[str]:
    """What a results folder holds whole, so that tables and figures can be made of it and nothing else is run.

    results: every judged benchmark; labels: votes, judged answers and curriculum of every shard;
    training: every stage's log.
    """
    evaluation, shards = config.evaluation, shard_names(config)
    wanted = {
        "results": [f"evaluation/{e.model}/{b}/judged" for e in evaluation.models for b in evaluation.benchmarks],
        "labels": [f"{part}/{shard}" for part in _label_folders(config) for shard in shards],
        "training": [f"training/{stage.name}" for stage in config.stages],
    }
    return {part for part, paths in wanted.items() if all((folder / f"{path}.parquet").is_file() for path in paths)}


def _label_folders(config: Config) -> list[str]:
    judged = [f"judged/{effort}" for effort in config.teacher.efforts]
    return ["votes", "problems/shards", *judged, *(f"curriculum/funnel/{stratum}" for stratum in config.strata)]


def image_complaints(image: Path) -> list[str]:
    """A container that jobs are to run in and that is not there."""
    if image.is_file():
        return []
    todo = f"apptainer build {image} envs/ROLE.def (ROLE: cpu, cuda or rocm)"
    return [f"{image}: no such container\n  what to do: {todo}"]


def summary(folder: Path) -> list[str]:
    """Lines that show the results table and say where everything lies; empty before there is any."""
    table = folder / "tables" / "results.md"
    if not table.is_file():
        return []
    return [
        "",
        table.read_text(encoding="utf-8"),
        f"tables    {folder / 'tables'}/",
        f"figures   {folder / 'figures'}/",
        f"models    {folder / 'checkpoints'}/",
        f"manifest  {folder / 'manifest.json'}",
        f"report    make report, or: snakemake --report {folder / 'report.html'}",
    ]
