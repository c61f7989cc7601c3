"""The experiment's configuration: closed models, every key described with its unit.

Knows what may be configured; does not know where things run (that is in profiles) and
never imports torch, vLLM or Polars.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from reasonlite.errors import UserError

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
Name = Annotated[str, Field(pattern=NAME)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
BOXED = "Please reason step by step, and put your final answer within \\boxed{}."


class Closed(BaseModel):
    """A model that refuses keys it does not know and values of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class PackagedModel(Closed):
    kind: Literal["package"]
    package: Name = Field(description="Python package that carries the model as one GGUF file")


class LocalModel(Closed):
    kind: Literal["local"]
    path: Path = Field(description="folder in the Hugging Face layout, with weights and tokenizer")


class HubModel(Closed):
    kind: Literal["hub"]
    repo: str = Field(description="repository on the hub, owner/name")
    revision: str = Field(description="commit hash or tag; a branch name such as main is refused")

    @field_validator("revision")
    @classmethod
    def pinned(cls, value: str) -> str:
        return _pinned(value)


def _pinned(value: str) -> str:
    if value in {"main", "master", "latest"}:
        raise ValueError(f"{value!r} moves: give a commit hash or a tag, so that a rerun reads the same")
    return value


Model = Annotated[PackagedModel | LocalModel | HubModel, Field(discriminator="kind")]


class Columns(Closed):
    """Which column of a source holds what; ReasonLite's info.jsonl needs no mapping."""

    problem: str | None = Field(None, description="problem text; default: problem, prompt or question")
    answer: str | None = Field(None, description="expected answer; default: answer or expected_answer")
    id: str | None = Field(None, description="unique id; default: id, index, or the row's number")
    answer_may_be_missing: bool = Field(False, description="keep rows whose answer is null; only votes label them")
    tests: bool = Field(False, description="HumanEval's form: prompt, test and entry_point; answers are run as code")


class GymTask(Closed):
    name: str = Field(description="task of reasoning-gym, such as chain_sum")
    size: int = Field(ge=1, description="problems to draw")
    arguments: dict[str, Any] = Field(default_factory=dict, description="the task's own arguments")


class GymSource(Closed):
    kind: Literal["reasoning_gym"]
    seed: int = Field(description="seed of the first task; task t draws with seed + 1,000,000 t")
    tasks: list[GymTask] = Field(min_length=1, description="tasks, in order")


class FileSource(Closed):
    kind: Literal["jsonl", "parquet"]
    path: Path = Field(description="local file (.jsonl, .jsonl.gz or .parquet)")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="refuse a file of another hash")
    columns: Columns = Field(default_factory=lambda: Columns())
    limit: int | None = Field(None, ge=1, description="take only the first so many rows")


class HubSource(Closed):
    kind: Literal["hub"]
    repo: str = Field(description="data set on the hub, owner/name")
    revision: str = Field(description="commit hash or tag")
    files: list[str] = Field(min_length=1, description="globs of its .parquet, .jsonl or .jsonl.gz files")
    columns: Columns = Field(default_factory=lambda: Columns())
    limit: int | None = Field(None, ge=1, description="take only the first so many rows")

    @field_validator("revision")
    @classmethod
    def pinned(cls, value: str) -> str:
        return _pinned(value)


Source = Annotated[GymSource | FileSource | HubSource, Field(discriminator="kind")]


class Problems(Closed):
    sources: dict[Name, Source] = Field(min_length=1, description="where problems come from, by name")
    shards: int = Field(ge=1, le=100_000, description="files the problems are spread over, by a hash of the id")


class Sampling(Closed):
    temperature: float = Field(ge=0.0, le=10.0, description="0 is greedy")
    top_p: float = Field(1.0, gt=0.0, le=1.0, description="nucleus mass")
    max_tokens: int = Field(ge=1, description="tokens an answer may have, thinking included")


class Example(Closed):
    problem: str = Field(description="problem of a worked example shown before the real one")
    answer: str = Field(description="the worked answer, ending in its boxed result")


class Prompt(Closed):
    instruction: str = Field(BOXED, description="text put after the problem on a new line")
    system: str | None = Field(None, description="system message; none leaves the chat template's own")
    examples: list[Example] = Field(default_factory=list, description="worked examples, shown as earlier turns")
    template_arguments: dict[str, Any] = Field(
        default_factory=dict, description="passed to the chat template, such as reasoning_effort: high"
    )


class VllmEngine(Closed):
    kind: Literal["vllm"] = "vllm"
    max_model_len: int = Field(ge=16, description="tokens of prompt and answer together")
    max_num_seqs: int = Field(64, ge=1, description="answers generated at once")
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    tensor_parallel_size: int = Field(1, ge=1, description="GPUs of one model copy")
    arguments: dict[str, Any] = Field(default_factory=dict, description="further arguments of vllm.LLM")


class ServerEngine(Closed):
    kind: Literal["server"]
    url: str = Field(pattern="^https?://", description="base address of an OpenAI-compatible server, ending in /v1")
    model: str = Field(description="name under which the server knows the model")
    concurrency: int = Field(8, ge=1, le=4096, description="requests under way at once")
    attempts: int = Field(5, ge=1, le=100, description="tries per request before it is recorded as failed")
    timeout_seconds: float = Field(600.0, gt=0, description="seconds to wait for one reply")
    api_key_variable: str | None = Field(None, description="environment variable that holds the key")


Engine = Annotated[VllmEngine | ServerEngine, Field(discriminator="kind")]


class Effort(Closed):
    prompt: Prompt = Field(default_factory=lambda: Prompt())
    sampling: Sampling
    answers_per_problem: int = Field(ge=1, description="answers drawn for every problem")
    first_seed: int | None = Field(
        None, ge=0, description="seed of every problem's first answer, the next has one more; default: derived seeds"
    )


class Teacher(Closed):
    model: Name = Field(description="one of models")
    engine: Engine
    efforts: dict[Name, Effort] = Field(min_length=1, description="settings by effort, such as medium and high")
    chunk: int = Field(1024, ge=1, description="requests between two commits of the journal")


class Adjudicator(Closed):
    """The model that is asked whether two answers are the same, with the problem in the prompt."""

    model: Name | None = Field(None, description="one of models; default: the teacher")
    engine: Engine | None = Field(None, description="default: the teacher's engine")
    sampling: Sampling = Field(default_factory=lambda: Sampling(temperature=0.0, max_tokens=4096))
    template_arguments: dict[str, Any] = Field(
        default_factory=dict, description="passed to the chat template, such as reasoning_effort: low"
    )
    attempts: int = Field(3, ge=1, description="requests for one pair before a malformed reply leaves it undecided")
    sample: int = Field(
        20, ge=0, description="pairs a shard that the rules decided and the model is asked too, for the agreement table"
    )


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
    adjudicator: Adjudicator = Field(default_factory=lambda: Adjudicator())


class Stratum(Closed):
    efforts: list[Name] = Field(min_length=1, description="efforts the examples come from")
    filter: str = Field(
        "correct_vote",
        description="SQL expression over the judged columns; rows where it is true are kept",
    )


class Stage(Closed):
    name: Name
    method: Literal["sft"] = Field("sft", description="supervised fine-tuning")
    start: Name = Field(description="one of models, or an earlier stage")
    data: list[Name] = Field(min_length=1, description="strata to train on")
    arguments: dict[str, Any] = Field(
        default_factory=dict, description="arguments of TRL's SFTConfig under their own names"
    )


class Benchmark(Closed):
    """A held-out problem set."""

    source: Source
    instruction: str | None = Field(None, description="text after each of its problems, instead of the model's own")
    answers_per_problem: int | None = Field(None, ge=1, description="answers drawn here; default: as for all")
    content_sha256: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="hash of its problems and answers as read, so that a changed copy is refused; the log tells it",
    )

    @property
    def runs_code(self) -> bool:
        """Whether answers are programs, judged by tests."""
        return not isinstance(self.source, GymSource) and self.source.columns.tests


class Evaluated(Closed):
    model: Name = Field(description="one of models or stages")
    prompt: Prompt = Field(default_factory=lambda: Prompt())
    sampling: Sampling
    parameters: float | None = Field(None, gt=0, description="parameters in billions, for accuracy against compute")
    layers: int = Field(0, ge=0, description="layers, for the attention's share of the compute; 0 leaves it out")
    attention_width: int = Field(0, ge=0, description="attention heads times their size, for the same")
    published: str | None = Field(None, description="the model's name in config/published, to put it beside")


class Evaluation(Closed):
    engine: VllmEngine
    benchmarks: dict[Name, Benchmark] = Field(min_length=1, description="held-out problem sets")
    answers_per_problem: int = Field(ge=1, description="answers drawn for every problem: the n of avg@n")
    first_seed: int | None = Field(
        None, ge=0, description="seed of every problem's first answer, the next has one more; default: derived seeds"
    )
    pass_at: list[int] = Field(min_length=1, description="the k of pass@k; none above answers_per_problem")
    models: list[Evaluated] = Field(min_length=1, description="what is compared, in the table's order")
    baseline: Name = Field(description="the model that the others are compared with")
    resamples: int = Field(10_000, ge=100, description="bootstrap draws over problems for the intervals")


class Config(Closed):
    """One experiment. Results go to results/<experiment>/."""

    experiment: Name = Field(description="name of the results folder")
    seed: int = Field(ge=0, lt=2**31, description="from it every other seed is derived")
    models: dict[Name, Model] = Field(min_length=1, description="models by name")
    problems: Problems
    teacher: Teacher
    labels: Labels = Field(default_factory=lambda: Labels())
    strata: dict[Name, Stratum] = Field(min_length=1, description="training sets by name")
    stages: list[Stage] = Field(min_length=1, description="training stages, in order")
    evaluation: Evaluation

    @model_validator(mode="after")
    def names_fit(self) -> Config:
        _check_efforts(self)
        _check_stages(self)
        _check_evaluation(self)
        return self


def _one_of(key: str, value: str, choices: Any) -> None:
    if value not in choices:
        raise ValueError(f"{key}: {value!r} is not one of {', '.join(sorted(choices))}")


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
    room = judges_engine.max_model_len if isinstance(judges_engine, VllmEngine) else judge.sampling.max_tokens
    if config.labels.judge != "rules" and judge.sampling.max_tokens > room:
        raise ValueError(
            f"labels.adjudicator.sampling.max_tokens: {judge.sampling.max_tokens} is above its engine's"
            f" max_model_len, {room}"
        )
    if isinstance(config.teacher.engine, VllmEngine):
        for name, effort_settings in efforts.items():
            limit = config.teacher.engine.max_model_len
            if effort_settings.sampling.max_tokens > limit:
                raise ValueError(
                    f"teacher.efforts.{name}.sampling.max_tokens: {effort_settings.sampling.max_tokens} is above"
                    f" teacher.engine.max_model_len, {limit}"
                )


def _check_stages(config: Config) -> None:
    known = dict.fromkeys(config.models)
    for position, stage in enumerate(config.stages):
        if stage.name in known:
            raise ValueError(f"stages[{position}].name: {stage.name!r} is taken by a model or an earlier stage")
        _one_of(f"stages[{position}].start", stage.start, known)
        for stratum in stage.data:
            _one_of(f"stages[{position}].data", stratum, config.strata)
        known[stage.name] = None


def _check_evaluation(config: Config) -> None:
    evaluation = config.evaluation
    known = {*config.models, *(stage.name for stage in config.stages)}
    for position, entry in enumerate(evaluation.models):
        _one_of(f"evaluation.models[{position}].model", entry.model, known)
    names = [entry.model for entry in evaluation.models]
    if len(set(names)) != len(names):
        raise ValueError("evaluation.models: a model is listed twice")
    _one_of("evaluation.baseline", evaluation.baseline, names)
    for k in evaluation.pass_at:
        if not 1 <= k <= evaluation.answers_per_problem:
            raise ValueError(
                f"evaluation.pass_at: {k} is not between 1 and answers_per_problem, {evaluation.answers_per_problem}"
            )
    shared = set(evaluation.benchmarks) & set(config.problems.sources)
    if shared:
        raise ValueError(f"evaluation.benchmarks: {sorted(shared)} are also names of problem sources")


def parse_config(raw: Any, where: object = "config") -> Config:
    """Check a plain mapping and return the config; a `UserError` names key, value and choices."""
    if not isinstance(raw, dict):
        raise UserError("is not a mapping of keys to values", where=where, todo="see config/demo.yaml for the form")
    try:
        return Config.model_validate(raw)
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


def load_config(path: Path) -> Config:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError("no such file", where=path, todo="give an existing config, such as config/demo.yaml") from None
    except yaml.YAMLError as error:
        raise UserError(f"is not valid YAML: {error}", where=path) from None
    return parse_config(raw, path)


def schema_yaml() -> str:
    """The JSON schema of the config as YAML; config/schema.yaml is this text."""
    return yaml.safe_dump(Config.model_json_schema(), sort_keys=True, allow_unicode=True, width=100)
