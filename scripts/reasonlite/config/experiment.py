"""The experiment's configuration: closed models, every key described with its unit.

Knows what may be configured; does not know where things run (that is in profiles) and
never imports torch, vLLM or Polars.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from reasonlite.config.evaluation import Evaluation
from reasonlite.config.settings import (
    Adjudicator,
    AnyEngine,
    Cleaning,
    Closed,
    Effort,
    Name,
    RecordedEngine,
    Share,
    VllmEngine,
)
from reasonlite.config.sources import Model, Source
from reasonlite.config.stages import (
    DistillStage,
    GoldStage,
    Grid,
    OnPolicy,
    Probe,
    SftStage,
    Stage,
    evaluated_of,
    stages_of,
)
from reasonlite.core.errors import UserError


class Problems(Closed):
    sources: dict[Name, Source] = Field(min_length=1, description="where problems come from, by name")
    shards: int = Field(ge=1, le=100_000, description="files the problems are spread over, by a hash of the id")
    cleaning: Cleaning = Field(default_factory=lambda: Cleaning())


class TeachersEffort(Effort):
    """One way in which a teacher answers. Several teachers are efforts with models of their own."""

    model: Name | None = Field(None, description="another teacher than teacher.model, one of models")
    engine: AnyEngine | None = Field(None, description="its engine; default: teacher.engine")


class Teacher(Closed):
    model: Name = Field(description="one of models")
    engine: AnyEngine
    efforts: dict[Name, TeachersEffort] = Field(min_length=1, description="settings by effort, such as medium and high")
    commit: int = Field(
        1024, ge=1, description="replies that are put on disk together, at most; what two minutes bring in any case"
    )

    def asked(self, effort: str) -> tuple[str, AnyEngine]:
        """The model that answers at an effort, and its engine."""
        own = self.efforts[effort]
        return own.model or self.model, own.engine or self.engine


class Labels(Closed):
    min_share: Share = Field(0.9, description="share of the votes the top answer needs; ReasonLite: 0.9")
    min_votes: int = Field(4, ge=1, description="answers the top answer needs; ReasonLite: 4")
    efforts: list[Name] | None = Field(None, description="efforts whose answers vote; default: all")
    weights: dict[Name, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="what a vote of an effort counts in the share; 1 where none is given"
    )
    judge: Literal["rules", "llm", "rules_then_llm"] = Field(
        "rules",
        description="who says whether two answers are the same: rules alone; a model for what they leave undecided;"
        " or a model for every answer, as ReasonLite does",
    )
    rounding: bool = Field(
        False,
        description="an answer that a label, a decimal of three significant digits or more, is the rounding of is equal"
        " to the label; counted apart in the funnel",
    )
    adjudicator: Adjudicator = Field(default_factory=lambda: Adjudicator())


class Stratum(Closed):
    efforts: list[Name] = Field(min_length=1, description="efforts the examples come from")
    filter: str = Field(
        "correct_vote",
        description="SQL expression over the judged columns; rows where it is true are kept",
    )
    at_most: int | None = Field(None, ge=1, description="examples a problem may have, chosen by the seed; default: all")
    balanced: bool = Field(
        False, description="in each shard, no problem source gives more examples than the scarcest one"
    )
    instruction: str = Field(
        "",
        description="text after each problem on a new line, such as the one that evaluation asks with; ReasonLite's"
        " training files have none",
    )


class Environment(Closed):
    """What the jobs run in, and what happens when that changes."""

    lock: Path = Field(Path("envs/cpu.lock"), description="lock of the environment or container that jobs run in")
    changed: Literal["warn", "rerun"] = Field(
        "warn", description="a changed lock is told and outputs are kept, or all is made again"
    )


class Audit(Closed):
    """What is kept of an output, so that a later comparison can look into it when it has been replaced."""

    whole_mib: int = Field(64, ge=0, description="files up to this size are kept whole (MiB)")
    sketch_mib: int = Field(
        8192, ge=0, description="of larger weights and tables up to this size (MiB) statistics or some rows are kept"
    )
    sample_rows: int = Field(200, ge=0, description="rows kept of a large table")


class Release(Closed):
    """What the cards and the metadata of a release say; no job reads it."""

    title: str = Field("", description="default: the experiment's name")
    description: str = Field("", description="a paragraph for readers")
    license: str = Field("", description="licence of the data and models released, as an SPDX name")
    authors: list[str] = Field(default_factory=list, description="names")
    licenses: dict[Name, str] = Field(default_factory=dict, description="licence of each source and model, by name")


class Experiment(Closed):
    """One experiment that evaluates only. Results go to results/<experiment>/."""

    experiment: Name = Field(description="name of the results folder")
    seed: int = Field(ge=0, lt=2**31, description="from it every other seed is derived")
    environment: Environment = Field(default_factory=lambda: Environment())
    audit: Audit = Field(default_factory=lambda: Audit())
    models: dict[Name, Model] = Field(default_factory=dict, description="models by name")
    evaluation: Evaluation
    release: Release = Field(default_factory=lambda: Release())

    @model_validator(mode="after")
    def names_fit(self) -> Experiment:
        _check_seeds(self)
        _check_evaluation(self)
        return self


class Config(Experiment):
    """One experiment from problems to an evaluated student."""

    problems: Problems
    teacher: Teacher
    labels: Labels = Field(default_factory=lambda: Labels())
    strata: dict[Name, Stratum] = Field(min_length=1, description="training sets by name")
    probes: dict[Name, Probe] = Field(
        default_factory=dict, description="who else answers the training problems, to tell how hard they are"
    )
    stages: list[Stage] = Field(default_factory=list, description="training stages, in order")
    grid: Grid | None = Field(None, description="chains of stages over bases and seeds; its stages come after these")

    @property
    def choosing(self) -> list[OnPolicy]:
        """Stages that choose their problems by how hard those are."""
        return [stage for stage in self.stages if isinstance(stage, OnPolicy) and stage.rated]

    @model_validator(mode="before")
    @classmethod
    def grid_in_full(cls, raw: Any) -> Any:
        """Put the grid's stages and models where those written out are."""
        if not isinstance(raw, dict) or not raw.get("grid"):
            return raw
        grid = Grid.model_validate(raw["grid"])
        evaluation = dict(raw.get("evaluation") or {})
        evaluation["models"] = [*(evaluation.get("models") or []), *evaluated_of(grid)]
        return {**raw, "stages": [*(raw.get("stages") or []), *stages_of(grid)], "evaluation": evaluation}

    @model_validator(mode="after")
    def names_fit(self) -> Config:
        _check_efforts(self)
        _check_seeds(self)
        _check_stages(self)
        _check_probes(self)
        _check_evaluation(self)
        shared = set(self.evaluation.benchmarks) & set(self.problems.sources)
        if shared:
            raise ValueError(f"evaluation.benchmarks: {sorted(shared)} are also names of problem sources")
        return self


def _one_of(key: str, value: str, choices: Any) -> None:
    if value not in choices:
        raise ValueError(f"{key}: {value!r} is not one of {', '.join(sorted(choices))}")


def root_of(config: Config, stage: Stage) -> str:
    """The model that a stage's chain of stages starts from."""
    starts = {each.name: each.start for each in config.stages}
    name = stage.start
    while name in starts:
        name = starts[name]
    return name


def _check_efforts(config: Config) -> None:
    efforts = config.teacher.efforts
    _one_of("teacher.model", config.teacher.model, config.models)
    for effort in config.labels.efforts or []:
        _one_of("labels.efforts", effort, efforts)
    for effort in config.labels.weights:
        _one_of("labels.weights", effort, efforts)
    if config.labels.adjudicator.model is not None:
        _one_of("labels.adjudicator.model", config.labels.adjudicator.model, config.models)
    for name, stratum in config.strata.items():
        for effort in stratum.efforts:
            _one_of(f"strata.{name}.efforts", effort, efforts)
    judge = config.labels.adjudicator
    judges_engine = judge.engine or config.teacher.engine
    if config.labels.judge != "rules" and isinstance(judges_engine, RecordedEngine):
        raise ValueError("labels.adjudicator.engine: the teacher's answers are recorded, so the judge needs its own")
    if config.labels.judge != "rules":
        _check_room("labels.adjudicator", judge, judges_engine)
    for name, effort_settings in efforts.items():
        model, engine = config.teacher.asked(name)
        _one_of(f"teacher.efforts.{name}.model", model, config.models)
        where = f"teacher.efforts.{name}.engine" if effort_settings.engine else "teacher.engine"
        if isinstance(engine, VllmEngine) and effort_settings.sampling.max_tokens > engine.max_model_len:
            raise ValueError(
                f"teacher.efforts.{name}.sampling.max_tokens: {effort_settings.sampling.max_tokens} is above"
                f" {where}.max_model_len, {engine.max_model_len}"
            )


def _check_room(where: str, judge: Adjudicator, engine: AnyEngine) -> None:
    """A judge's reply has to fit into its engine."""
    if isinstance(engine, VllmEngine) and judge.sampling.max_tokens > engine.max_model_len:
        raise ValueError(
            f"{where}.sampling.max_tokens: {judge.sampling.max_tokens} is above its engine's"
            f" max_model_len, {engine.max_model_len}"
        )


def _check_seeds(experiment: Experiment) -> None:
    """A first seed is the seed of an answer."""
    evaluation = experiment.evaluation
    asked: list[tuple[str, int | None, Any]] = [("evaluation", evaluation.first_seed, evaluation.engine)]
    if isinstance(experiment, Config):
        teacher = experiment.teacher
        asked += [
            (f"teacher.efforts.{name}", each.first_seed, teacher.asked(name)[1])
            for name, each in teacher.efforts.items()
        ]
        asked += [
            (f"probes.{name}", each.first_seed, each.engine or evaluation.engine)
            for name, each in experiment.probes.items()
        ]
    for where, first, engine in asked:
        if first is not None and isinstance(engine, VllmEngine) and not engine.seeds_answers:
            own = where.split(".")[0]
            engine_of = f"{own}.engine.seeds" if own != "probes" else "its engine's seeds"
            raise ValueError(f"{where}.first_seed: needs {engine_of}: answer")


def _check_stages(config: Config) -> None:
    if not config.stages:
        raise ValueError("stages: at least one is needed, here or by a grid")
    known = dict.fromkeys(config.models)
    for position, stage in enumerate(config.stages):
        if stage.name in known:
            raise ValueError(f"stages[{position}].name: {stage.name!r} is taken by a model or an earlier stage")
        _one_of(f"stages[{position}].start", stage.start, known)
        if isinstance(stage, DistillStage | GoldStage):
            _one_of(f"stages[{position}].teacher", stage.teacher, known)
        if isinstance(stage, OnPolicy):
            _check_verdicts(config, f"stages[{position}]", stage, known)
        choices = config.strata if isinstance(stage, SftStage | GoldStage) else config.problems.sources
        for name in stage.data:
            _one_of(f"stages[{position}].data", name, choices)
        known[stage.name] = None


def _check_verdicts(config: Config, where: str, stage: OnPolicy, earlier: dict[str, None]) -> None:
    """The verdicts that a stage chooses its problems by exist before it is trained."""
    _one_of(f"{where}.verdicts", stage.verdicts, {"teacher", *config.probes})
    if not stage.rated:
        if stage.verdicts != "teacher":
            raise ValueError(f"{where}.verdicts: used by filter and weight alone, and there is neither")
        return
    model = None if stage.verdicts == "teacher" else config.probes[stage.verdicts].asked(stage.start)
    if model is not None and model not in earlier:
        raise ValueError(
            f"{where}.verdicts: the probe {stage.verdicts!r} asks {model!r}, which is not there before"
            f" {stage.name!r} is trained"
        )


def _check_probes(config: Config) -> None:
    known = {*config.models, *(stage.name for stage in config.stages)}
    for name, probe in config.probes.items():
        if name == "teacher":
            raise ValueError("probes.teacher: the teacher's own answers have this name; take another")
        if probe.model is not None:
            _one_of(f"probes.{name}.model", probe.model, known)
        engine = probe.engine or config.evaluation.engine
        if engine is None:
            raise ValueError(f"probes.{name}.engine: needed, because the evaluation has none")
        if probe.sampling.max_tokens > engine.max_model_len:
            raise ValueError(
                f"probes.{name}.sampling.max_tokens: {probe.sampling.max_tokens} is above its engine's"
                f" max_model_len, {engine.max_model_len}"
            )


def _check_evaluation(experiment: Experiment) -> None:
    evaluation = experiment.evaluation
    stages = experiment.stages if isinstance(experiment, Config) else []
    known = {*experiment.models, *(stage.name for stage in stages)}
    for position, entry in enumerate(evaluation.models):
        where = f"evaluation.models[{position}]"
        if entry.recorded is None:
            _one_of(f"{where}.{'of' if entry.of else 'model'}", entry.weights, known)
            if entry.of is not None and entry.model in known:
                raise ValueError(f"{where}.model: {entry.model!r} is a model or stage; give another name beside `of`")
            if entry.sampling is None:
                raise ValueError(f"{where}.sampling: needed, because its answers are drawn here")
            if evaluation.engine is None:
                raise ValueError(f"evaluation.engine: needed, because the answers of {entry.model} are drawn here")
        if entry.thinking is not None:
            _check_thinking(where, entry.thinking, evaluation)
        for name in entry.recorded or {}:
            _one_of(f"{where}.recorded", name, evaluation.benchmarks)
        for name in entry.claimed:
            _one_of(f"{where}.claimed", name, evaluation.answered(entry))
    names = [entry.model for entry in evaluation.models]
    if len(set(names)) != len(names):
        raise ValueError("evaluation.models: a model is listed twice")
    _one_of("evaluation.baseline", evaluation.baseline, names)
    for name in evaluation.benchmarks:
        if not any(name in evaluation.answered(entry) for entry in evaluation.models):
            raise ValueError(f"evaluation.benchmarks.{name}: no model has answers to it")
    _check_graders(experiment)
    for k in evaluation.pass_at:
        if not 1 <= k <= evaluation.answers_per_problem:
            raise ValueError(
                f"evaluation.pass_at: {k} is not between 1 and answers_per_problem, {evaluation.answers_per_problem}"
            )


def _check_thinking(where: str, budget: int, evaluation: Evaluation) -> None:
    """The engine can only end the reasoning of a model whose marks it knows."""
    engine = evaluation.engine
    if engine is not None and not {"reasoning_config", "reasoning_parser"} & set(engine.arguments):
        raise ValueError(
            f"{where}.thinking: {budget} needs evaluation.engine.arguments to say how reasoning begins and ends, as in"
            " {reasoning_config: {reasoning_start_str: <think>, reasoning_end_str: </think>}}"
        )


def _check_graders(experiment: Experiment) -> None:
    evaluation = experiment.evaluation
    if evaluation.graders and all(benchmark.runs_code for benchmark in evaluation.benchmarks.values()):
        raise ValueError("evaluation.graders: programs are judged by their tests, and there is no other benchmark")
    if "llm" not in evaluation.graders:
        return
    judge = evaluation.llm
    if judge is None or judge.engine is None:
        raise ValueError("evaluation.llm: needed with an engine, because llm is among the graders")
    if isinstance(judge.engine, VllmEngine):
        _one_of("evaluation.llm.model", str(judge.model), experiment.models)
    _check_room("evaluation.llm", judge, judge.engine)


ROAD = ("problems", "teacher", "labels", "strata", "stages", "grid")  # keys of experiments that train


def parse_config(raw: Any, where: object = "config") -> Experiment:
    """Check a plain mapping and return the config; a `UserError` names key, value and choices.

    With none of the keys of ROAD it is an experiment that evaluates only.
    """
    if not isinstance(raw, dict):
        raise UserError("is not a mapping of keys to values", where=where, todo="see config/demo.yaml for the form")
    try:
        return (Config if any(raw.get(key) for key in ROAD) else Experiment).model_validate(raw)
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors()]
        raise UserError(
            "the configuration cannot be used\n  " + "\n  ".join(lines),
            where=where,
            todo="correct the keys named above; config/schema.yaml describes every key",
        ) from None


def _explain(item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"])
    message = re.sub(r"^Value error, ", "", item["msg"])
    if item["type"] == "extra_forbidden":
        return f"{place}: no such key"
    given = item.get("input")
    shown = "" if isinstance(given, dict) or item["type"] in {"missing", "value_error"} else f" (given: {given!r})"
    return f"{place}: {message}{shown}" if place else message


def load_config(path: Path) -> Experiment:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError("no such file", where=path, todo="give an existing config, such as config/demo.yaml") from None
    except yaml.YAMLError as error:
        raise UserError(f"is not valid YAML: {error}", where=path) from None
    return parse_config(raw, path)


def schema_yaml() -> str:
    """The JSON schema of the config as YAML; config/schema.yaml is this text."""
    schema = TypeAdapter(Config | Experiment).json_schema()
    return yaml.safe_dump(schema, sort_keys=True, allow_unicode=True, width=100)
