"""What is evaluated: benchmarks, models, and answers drawn here or recorded elsewhere. Part of the config's models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from reasonlite.config.recorded import Log
from reasonlite.config.settings import Adjudicator, Closed, Name, Prompt, Sampling, VllmEngine
from reasonlite.config.sources import GymSource, HubSource, Source

LEFT_OUT = ("thinking_budgets", "published", "claimed")  # what is said of the answers without a budget
Grader = Literal["math_verify", "equality", "own", "llm"]


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

    hub_dataset: str | None = Field(
        None,
        pattern="^[^/ ]+/[^/ ]+$",
        description="the data set on the hub, owner/name, for cards; default: the source's",
    )
    hub_task: str = Field("default", description="its task on the hub, for .eval_results")

    @property
    def runs_code(self) -> bool:
        """Whether answers are programs, judged by tests."""
        return not isinstance(self.source, GymSource) and self.source.columns.tests

    def on_hub(self) -> tuple[str, str | None] | None:
        """The data set on the hub that it is, and its revision where that is known; None if it is none."""
        if isinstance(self.source, HubSource):
            return self.hub_dataset or self.source.repo, self.source.revision
        return (self.hub_dataset, None) if self.hub_dataset else None


class Evaluated(Closed):
    model: Name = Field(description="one of models or stages; any name where its answers are recorded, or with `of`")
    of: Name | None = Field(
        None, description="the model or stage that answers, where `model` is one more name for it with other settings"
    )
    prompt: Prompt = Field(default_factory=lambda: Prompt())
    sampling: Sampling | None = Field(None, description="needed unless its answers are recorded")
    thinking: int | None = Field(
        None, ge=1, description="tokens of reasoning after which the engine ends it and asks for the answer"
    )
    thinking_budgets: list[Annotated[int, Field(ge=1)]] = Field(
        default_factory=list, description="evaluated once more with each of these as `thinking`, named <model>-think<n>"
    )
    recorded: dict[Name, Log] | None = Field(
        None, description="by benchmark, the log of another program that holds its answers; the engine draws none then"
    )
    parameters: float | None = Field(None, gt=0, description="parameters in billions, for accuracy against compute")
    layers: int = Field(0, ge=0, description="layers, for the attention's share of the compute; 0 leaves it out")
    attention_width: int = Field(0, ge=0, description="attention heads times their size, for the same")
    claimed: dict[Name, float] = Field(
        default_factory=dict, description="by benchmark, the score in per cent that was published for these answers"
    )
    published: str | None = Field(None, description="the model's name in config/published, to put it beside")

    @model_validator(mode="after")
    def thinking_is_drawn(self) -> Evaluated:
        if self.recorded is not None and (self.thinking is not None or self.thinking_budgets):
            raise ValueError("thinking and thinking_budgets are for answers drawn here, not recorded ones")
        return self

    @property
    def weights(self) -> str:
        """The model or stage that answers."""
        return self.of or self.model


class Evaluation(Closed):
    engine: VllmEngine | None = Field(None, description="needed unless all answers are recorded")
    engines: int = Field(
        1,
        ge=1,
        description="jobs, an engine each, that share the answers of a model; with another number all are drawn again",
    )
    benchmarks: dict[Name, Benchmark] = Field(min_length=1, description="held-out problem sets")
    answers_per_problem: int = Field(ge=1, description="answers drawn for every problem: the n of avg@n")
    first_seed: int | None = Field(
        None, ge=0, description="seed of every problem's first answer, the next has one more; default: derived seeds"
    )
    pass_at: list[int] = Field(min_length=1, description="the k of pass@k; none above answers_per_problem")
    rounding: bool = Field(False, description="as labels.rounding, counted apart as by rounding in the results")
    models: list[Evaluated] = Field(min_length=1, description="what is compared, in the table's order")
    baseline: Name = Field(description="the model that the others are compared with")
    resamples: int = Field(10_000, ge=100, description="bootstrap draws over problems for the intervals")
    graders: list[Grader] = Field(
        default_factory=list,
        description="who else judges the same answers, in tables/graders; own: the log's verdict",
    )

    llm: Adjudicator | None = Field(None, description="the model that the grader llm asks, and its engine")

    @model_validator(mode="before")
    @classmethod
    def budgets_in_full(cls, raw: Any) -> Any:
        """Put an entry for each budget of thinking after the one that lists them."""
        if not isinstance(raw, dict) or not isinstance(raw.get("models"), list):
            return raw
        found: list[Any] = []
        for entry in raw["models"]:
            budgets = entry.get("thinking_budgets") if isinstance(entry, dict) else None
            if not isinstance(budgets, list) or not budgets or not isinstance(entry.get("model"), str):
                found.append(entry)
                continue
            plain = {name: value for name, value in entry.items() if name not in LEFT_OUT}
            found.append({**entry, "thinking_budgets": []})
            found += [
                plain | {"model": f"{entry['model']}-think{n}", "of": entry.get("of") or entry["model"], "thinking": n}
                for n in budgets
            ]
        return {**raw, "models": found}

    def answered(self, entry: Evaluated) -> list[str]:
        """The benchmarks that a model has answers to: all that are drawn, or those that are recorded."""
        return [name for name in self.benchmarks if entry.recorded is None or name in entry.recorded]
