"""Where models and problems come from. Part of the config's models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from reasonlite.config.settings import Closed, Name


class PackagedModel(Closed):
    kind: Literal["package"]
    package: Name = Field(description="Python package that carries the model as one GGUF file")


class RandomModel(Closed):
    """Random weights, for tries and measurements: a real architecture at any size."""

    kind: Literal["random"]
    architecture: str = Field(pattern="^[a-z0-9_]+$", description="model type of transformers, such as qwen2 or qwen3")
    tokenizer: Name = Field(description="Python package with a tokenizer: in its GGUF file, or mistral_common's Tekken")
    settings: dict[str, Any] = Field(default_factory=dict, description="arguments of its configuration, such as layers")
    vocabulary: int | None = Field(
        None, ge=300, description="keep the tokenizer's first so many tokens: steps of a small model get far cheaper"
    )
    seed: int = Field(0, description="seed of the weights")


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


Model = Annotated[PackagedModel | LocalModel | HubModel | RandomModel, Field(discriminator="kind")]


class Columns(Closed):
    """Which column of a source holds what; ReasonLite's info.jsonl needs no mapping."""

    problem: str | None = Field(None, description="problem text; default: problem, prompt or question")
    answer: str | None = Field(None, description="expected answer; default: answer or expected_answer")
    id: str | None = Field(None, description="unique id; default: id, index, or the row's number")
    missing: Literal["refuse", "drop", "keep"] = Field(
        "refuse",
        description="a row without an answer ends the run, or is dropped and counted, or labelled by votes",
    )
    tests: bool = Field(False, description="HumanEval's form: prompt, test and entry_point; answers are run as code")


class GymTask(Closed):
    name: str = Field(description="task of reasoning-gym, such as chain_sum")
    size: int = Field(ge=1, description="problems to draw")
    arguments: dict[str, Any] = Field(default_factory=dict, description="the task's own arguments")


class GymSource(Closed):
    kind: Literal["reasoning_gym"]
    seed: int = Field(description="seed of the first task; task t draws with seed + 1,000,000 t")
    tasks: list[GymTask] = Field(min_length=1, description="tasks, in order")


class _Rows(Closed):
    columns: Columns = Field(default_factory=lambda: Columns())
    drop: dict[str, str] = Field(
        default_factory=dict,
        description="rows to drop and count: reasons, and SQL expressions over the source's columns",
    )
    repeats: bool = Field(
        False, description="a problem stands in several rows, one for each of its solutions; the first one counts"
    )
    limit: int | None = Field(None, ge=1, description="take only the first so many problems")


class FileSource(_Rows):
    kind: Literal["json", "jsonl", "parquet"]
    path: Path = Field(description="local file: .json (a list), .jsonl, .parquet; JSON also packed (.gz)")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="refuse a file of another hash")


class HubSource(_Rows):
    kind: Literal["hub"]
    repo: str = Field(description="data set on the hub, owner/name")
    revision: str = Field(description="commit hash or tag")
    files: list[str] = Field(min_length=1, description="globs of its .parquet, .json or .jsonl files; JSON also packed")

    @field_validator("revision")
    @classmethod
    def pinned(cls, value: str) -> str:
        return _pinned(value)


Source = Annotated[GymSource | FileSource | HubSource, Field(discriminator="kind")]
