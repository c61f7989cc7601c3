"""Settings that jobs are given one by one: prompts, sampling, engines. Part of the config's models."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
Name = Annotated[str, Field(pattern=NAME)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
BOXED = "Please reason step by step, and put your final answer within \\boxed{}."


class Closed(BaseModel):
    """A model that refuses keys it does not know and values of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Sampling(Closed):
    temperature: float | None = Field(None, ge=0.0, le=10.0, description="0 is greedy; needed without from_model")
    top_p: float | None = Field(None, gt=0.0, le=1.0, description="nucleus mass; default: 1")
    max_tokens: int = Field(ge=1, description="tokens an answer may have, thinking included")
    from_model: bool = Field(
        False,
        description="temperature, top_p, top_k, min_p and repetition_penalty that are not said here are those of"
        " the model's generation_config.json; not with a server, whose model's files are not here",
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="further parameters by the engine's own names, such as top_k, min_p, repetition_penalty,"
        " thinking_token_budget or stop; what is not said has no effect, also on a server with defaults of its own",
    )

    @model_validator(mode="after")
    def temperature_is_known(self) -> Sampling:
        if self.temperature is None and not self.from_model:
            raise ValueError("temperature is needed, or from_model: true")
        return self


def _dated(arguments: dict[str, Any]) -> dict[str, Any]:
    if "current_date" in arguments:
        datetime.date.fromisoformat(str(arguments["current_date"]))
    return arguments


TemplateArguments = Annotated[dict[str, Any], AfterValidator(_dated)]


class Example(Closed):
    problem: str = Field(description="problem of a worked example shown before the real one")
    answer: str = Field(description="the worked answer, ending in its boxed result")


class Prompt(Closed):
    instruction: str = Field(BOXED, description="text put after the problem on a new line")
    system: str | None = Field(None, description="system message; none leaves the chat template's own")
    examples: list[Example] = Field(default_factory=list, description="worked examples, shown as earlier turns")
    template_arguments: TemplateArguments = Field(
        default_factory=dict,
        description="passed to the chat template, such as reasoning_effort: high; current_date: '2025-08-05' stands "
        "where the template (gpt-oss's, for one) would write the day's own date",
    )


class Canary(Closed):
    """Known problems at temperature 0, before an engine's first request and then after every so many."""

    every: int = Field(20_000, ge=1, description="answers between two rounds; there is always one at the start")
    accuracy: Share = Field(0.0, description="share of the easy sums that this model gets right; 0 asks for none")
    max_tokens: int = Field(512, ge=8, description="tokens an answer may have")
    reference: Path | None = Field(
        None, description="a canary.jsonl of a run that is trusted, whose log-probabilities are compared"
    )
    tolerance: float = Field(0.5, gt=0, description="mean distance of log-probabilities, in nats, that is let pass")


class VllmEngine(Closed):
    kind: Literal["vllm"] = "vllm"
    max_model_len: int = Field(ge=16, description="tokens of prompt and answer together")
    max_num_seqs: int = Field(64, ge=1, description="answers generated at once")
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    tensor_parallel_size: int = Field(1, ge=1, description="GPUs of one model copy")
    batch_invariant: bool = Field(
        False,
        description="an answer does not depend on those generated beside it: vLLM's kernels for that on a GPU, float32"
        " on a CPU; slower, and the same bytes after any interruption",
    )
    seeds: Literal["answer", "job"] | None = Field(
        None,
        description="answer: each is drawn with a seed of its own, for which vLLM leaves its fast samplers;"
        " job: one seed for all that a job draws, worked out anew when it continues; default: answer with"
        " batch_invariant, where an answer's own seed is what repeats it, else job",
    )
    canary: Canary | None = Field(
        default_factory=lambda: Canary(), description="garbage ends the job; null for models that write nothing else"
    )
    arguments: dict[str, Any] = Field(default_factory=dict, description="further arguments of vllm.LLM")
    keyed: list[Literal["tensor_parallel_size", "max_num_seqs"]] = Field(
        default_factory=list,
        description="settings of speed that count in an answer's key, because they may change answers on a GPU: with"
        " another value all are drawn again",
    )

    @property
    def seeds_answers(self) -> bool:
        """Whether each answer has a seed of its own."""
        return self.batch_invariant if self.seeds is None else self.seeds == "answer"


class ServerEngine(Closed):
    kind: Literal["server"]
    url: str = Field(pattern="^https?://", description="base address of an OpenAI-compatible server, ending in /v1")
    model: str = Field(description="name under which the server knows the model")
    concurrency: int = Field(8, ge=1, le=4096, description="requests under way at once")
    attempts: int = Field(5, ge=1, le=100, description="times a request is sent while the server is away or busy")
    timeout_seconds: float = Field(600.0, gt=0, description="seconds to wait for one reply")
    api_key_variable: str | None = Field(None, description="environment variable that holds the key")
    canary: Canary | None = Field(
        default_factory=lambda: Canary(), description="garbage ends the job; null for models that write nothing else"
    )


class RecordedEngine(Closed):
    """Answers drawn elsewhere, such as ReasonLite's own, taken in by scripts/exchange.py."""

    kind: Literal["recorded"]
    folder: Path = Field(description="where they lie, <effort>/<shard>.parquet, with as many shards as problems.shards")


Engine = Annotated[VllmEngine | ServerEngine, Field(discriminator="kind")]
AnyEngine = Annotated[VllmEngine | ServerEngine | RecordedEngine, Field(discriminator="kind")]


class Cleaning(Closed):
    """What is too much alike, and what becomes of it."""

    similarity: Share = Field(
        0.6, description="with equal numbers and labels, from here two problems are one: 2 x tokens in common / all"
    )
    ngram: int = Field(8, ge=2, description="tokens in a row that are looked for in benchmarks")
    overlap: Share = Field(
        0.5, description="share of the shorter problem's n-grams in a benchmark problem from which it is dropped"
    )
    variants: Literal["keep", "drop"] = Field(
        "keep",
        description="problems that differ from a benchmark's by numbers alone; all are in problems/noticed.parquet",
    )
    uncheckable: Literal["keep", "drop"] = Field(
        "drop", description="problems that ask for a proof, and answers that nothing can be compared with"
    )


class Effort(Closed):
    prompt: Prompt = Field(default_factory=lambda: Prompt())
    sampling: Sampling
    answers_per_problem: int = Field(ge=1, description="answers drawn for every problem")
    attempts: int = Field(
        3, ge=1, description="requests for one answer, with other seeds, before an empty reply is recorded as failed"
    )
    first_seed: int | None = Field(
        None, ge=0, description="seed of every problem's first answer, the next has one more; default: derived seeds"
    )
    problems: tuple[Share, Share] = Field(
        (0.0, 1.0),
        description="which problems are answered: those whose place, a hash of the id between 0 and 1, is not below the"
        " first number and below the second",
    )

    @model_validator(mode="after")
    def some_problems(self) -> Effort:
        if self.problems[0] >= self.problems[1]:
            raise ValueError(f"problems: from {self.problems[0]} to {self.problems[1]} there is nothing")
        return self


class Adjudicator(Closed):
    """The model that is asked whether two answers are the same, with the problem in the prompt."""

    model: Name | None = Field(None, description="one of models; default: the teacher")
    engine: Engine | None = Field(None, description="default: the teacher's engine")
    sampling: Sampling = Field(default_factory=lambda: Sampling(temperature=0.0, max_tokens=4096))
    template_arguments: TemplateArguments = Field(
        default_factory=dict, description="passed to the chat template, such as reasoning_effort: low"
    )
    attempts: int = Field(3, ge=1, description="requests for one pair before a malformed reply leaves it undecided")
    sample: int = Field(
        20, ge=0, description="pairs a shard that the rules decided and the model is asked too, for the agreement table"
    )
