"""The plan of an experiment: what its config means for each job, as plain values.

Made once by the main process from the checked config; the rule files and every job's own Snakemake
read it without knowing the config's models. Does not know Snakemake's rules.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reasonlite.audit import manifest
from reasonlite.config.evaluation import Evaluated
from reasonlite.config.experiment import Config, Experiment, root_of
from reasonlite.config.settings import Adjudicator, Effort, VllmEngine
from reasonlite.config.sources import FileSource, Source
from reasonlite.config.stages import DistillStage, GoldStage, OnPolicy, SftStage, Stage
from reasonlite.exchange.logs import lighteval, lm_eval


def plan_of(config: Experiment, root: Path) -> dict[str, Any]:
    """Everything the rule files ask of a config; JSON can hold it.

    ``root``: the folder of the workflow's own files, where the environment's lock lies.
    """
    lock = lock_file(config, root)
    return {
        "experiment": config.experiment,
        "seed": config.seed,
        # the environment's lock, and its hash where a changed one makes everything anew
        "lock_file": str(lock),
        "lock": manifest.read_lock(lock)[0] if config.environment.changed == "rerun" else "",
        "audit": config.audit.model_dump(),
        "sources": {name: _source(config, name) for name in all_sources(config)},
        "benchmarks": {
            "answers": [name for name, entry in config.evaluation.benchmarks.items() if not entry.runs_code],
            "code": [name for name, entry in config.evaluation.benchmarks.items() if entry.runs_code],
            "all": list(config.evaluation.benchmarks),
        },
        "models": {name: {"source": _plain(model), "files": _files(model)} for name, model in config.models.items()},
        "evaluation": _plain(config.evaluation),
        # benchmarks that a model has answers to; how those drawn here are asked for; logs of those recorded elsewhere
        "evaluated": {entry.model: config.evaluation.answered(entry) for entry in config.evaluation.models},
        "drawn": {
            entry.model: [_plain(evaluation_effort(config, entry, name)) for name in config.evaluation.benchmarks]
            for entry in config.evaluation.models
            if entry.recorded is None
        },
        # whose weights answer under a name
        "weights": {entry.model: entry.weights for entry in config.evaluation.models if entry.recorded is None},
        "recorded": {
            entry.model: {name: _recorded(log) for name, log in entry.recorded.items()}
            for entry in config.evaluation.models
            if entry.recorded is not None
        },
        "gpus_by_rule": gpus_by_rule(config),
        "compares_compute": any(entry.parameters for entry in config.evaluation.models),
        **(_road(config) if isinstance(config, Config) else NO_ROAD),
    }


# of an experiment that evaluates only; its Snakefile leaves the rules out that need more
NO_ROAD: dict[str, Any] = {
    "teacher": None,
    "shards": [],
    "strata": {},
    "stages": {},
    "grid": None,
    "probes": {},
    "rated": [],
}


def _road(config: Config) -> dict[str, Any]:
    """What an experiment has that trains."""
    return {
        "shards": [f"{shard:05d}" for shard in range(config.problems.shards)],
        "training_sources": list(config.problems.sources),
        "cleaning": _plain(config.problems.cleaning),
        "teacher": _plain(config.teacher)
        | {"efforts": {name: _effort(config, name) for name in config.teacher.efforts}},
        "labels": _plain(config.labels) | {"efforts": config.labels.efforts or list(config.teacher.efforts)},
        "adjudicator": _plain(adjudicator(config)),
        "strata": {name: _plain(stratum) for name, stratum in config.strata.items()},
        "probes": dict(_probe(config, stage) for stage in config.choosing if stage.verdicts != "teacher"),
        # whose verdicts say to some stage how hard problems are
        "rated": sorted({asked_by(config, stage) for stage in config.choosing}),
        "stages": {stage.name: _stage(config, stage) for stage in config.stages},
        "grid": _plain(config.grid) if config.grid else None,
    }


def _plain(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = model.model_dump(mode="json")
    return found


def lock_file(config: Experiment, root: Path) -> Path:
    """The environment's lock: of the working folder where it has one of that name, else of the workflow."""
    own = config.environment.lock
    return own if own.is_file() else root / own


def all_sources(config: Experiment) -> dict[str, Source]:
    """Problem sources and benchmarks by name."""
    own = config.problems.sources if isinstance(config, Config) else {}
    return own | {name: entry.source for name, entry in config.evaluation.benchmarks.items()}


def _source(config: Experiment, name: str) -> dict[str, Any]:
    """A source, its local files (so that a changed one is noticed), and the options of a benchmark."""
    source, benchmark = all_sources(config)[name], config.evaluation.benchmarks.get(name)
    options = "" if benchmark is None else "--benchmark"
    if benchmark is not None and benchmark.content_sha256:
        options += f" --content-sha256 {benchmark.content_sha256}"
    files = [str(source.path)] if isinstance(source, FileSource) else []
    return {"source": _plain(source), "files": files, "options": options}


def _files(model: Any) -> list[str]:
    """Files of a local model, so that changed weights are noticed."""
    return sorted(str(path) for path in model.path.iterdir() if path.is_file()) if model.kind == "local" else []


def _recorded(log: Any) -> dict[str, Any]:
    """A log's settings and its files, those of a folder one by one, so that a changed one is noticed."""
    files = [path for given in log.paths for path in (sorted(given.rglob("*.jsonl")) if given.is_dir() else [given])]
    beside = {"lm_eval": lm_eval.results_of, "lighteval": lighteval.results_of}.get(log.kind)
    found = [beside(path) for path in log.paths] if beside else []
    files += [path for path in found if path is not None and path.is_file()]
    return {"log": _plain(log), "files": [str(path) for path in files]}


def _effort(config: Config, name: str) -> dict[str, Any]:
    """Who answers at an effort, by which engine, with which settings."""
    model, engine = config.teacher.asked(name)
    settings = config.teacher.efforts[name].model_dump(mode="json", exclude={"model", "engine"})
    return {"model": model, "engine": _plain(engine), "settings": settings}


def asked_by(config: Config, stage: OnPolicy) -> str:
    """Whose verdicts a stage chooses by: the teacher, a probe, or a probe's answers of the stage's own start."""
    probe = config.probes.get(stage.verdicts)
    return stage.verdicts if probe is None or probe.model is not None else f"{stage.verdicts}-{stage.start}"


def _probe(config: Config, stage: OnPolicy) -> tuple[str, dict[str, Any]]:
    """What a stage's probe draws, and under which name."""
    probe = config.probes[stage.verdicts]
    settings = _plain(probe.model_copy(update={"engine": probe.engine or config.evaluation.engine}))
    del settings["model"]
    drawn = {"model": probe.asked(stage.start), "engine": settings.pop("engine"), "settings": settings}
    return asked_by(config, stage), drawn


def _stage(config: Config, stage: Stage) -> dict[str, Any]:
    """A stage's settings and what follows from the whole config: its seed and its inputs."""
    return {
        "settings": _plain(stage),
        "seed": config.seed if stage.seed is None else stage.seed,
        # the model whose probabilities it learns from, if it does
        "teachers": [stage.teacher] if isinstance(stage, DistillStage | GoldStage) else [],
        "data": _data(config, stage),
        "suffix": "arrow" if isinstance(stage, SftStage) else "parquet",
    }


def _data(config: Config, stage: Stage) -> list[str]:
    """Folders of what a stage reads: its strata as tokens of the model that its chain begins with, or as texts; the
    cleaned problems, and how hard they were where the stage asks that."""
    if isinstance(stage, SftStage):
        return [f"tokens/{root_of(config, stage)}/{name}" for name in stage.weights]
    if isinstance(stage, GoldStage):
        return [f"curriculum/{name}" for name in stage.data]
    return ["problems/shards", *([f"difficulty/{asked_by(config, stage)}"] if stage.rated else [])]


def evaluation_effort(config: Experiment, entry: Evaluated, benchmark: str) -> Effort:
    """How a model that is drawn here answers a benchmark's problems, in the teacher's own terms."""
    settings = config.evaluation
    if entry.sampling is None:
        raise ValueError(f"{entry.model} has no sampling")
    own = settings.benchmarks[benchmark]
    prompt, sampling = entry.prompt, entry.sampling
    if entry.thinking is not None:
        arguments = {**sampling.arguments, "thinking_token_budget": entry.thinking}
        sampling = sampling.model_copy(update={"arguments": arguments})
    if own.instruction is not None:
        prompt = prompt.model_copy(update={"instruction": own.instruction})
    return Effort(
        prompt=prompt,
        sampling=sampling,
        answers_per_problem=own.answers_per_problem or settings.answers_per_problem,
        first_seed=settings.first_seed,
    )


def adjudicator(config: Config) -> Adjudicator:
    """Who is asked about pairs of answers, with the teacher where nothing else is said."""
    settings, teacher = config.labels.adjudicator, config.teacher
    return settings.model_copy(
        update={"model": settings.model or teacher.model, "engine": settings.engine or teacher.engine}
    )


def gpus_by_rule(config: Experiment) -> dict[str, int]:
    """GPUs that one model copy of each rule with an engine is spread over."""
    engines: dict[str, Any] = {"evaluate_answers": config.evaluation.engine}
    if config.evaluation.llm is not None:
        engines["grade_by_model"] = config.evaluation.llm.engine
    if isinstance(config, Config):
        asked = [config.teacher.asked(name)[1] for name in config.teacher.efforts]
        teachers = [engine for engine in asked if isinstance(engine, VllmEngine)]
        if teachers:
            engines["generate_answers"] = max(teachers, key=lambda engine: engine.tensor_parallel_size)
        engines["adjudicate"] = adjudicator(config).engine
        probes = [each for probe in config.probes.values() if (each := probe.engine or config.evaluation.engine)]
        if probes:
            engines["draw_probe"] = max(probes, key=lambda engine: engine.tensor_parallel_size)
    return {rule: engine.tensor_parallel_size for rule, engine in engines.items() if isinstance(engine, VllmEngine)}
