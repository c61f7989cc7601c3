"""Training stages as configuration: what a stage is, and grids of chains of them.

Part of the config's models; does not know how anything is trained.
"""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from reasonlite.config.settings import Closed, Effort, Name, Prompt, Sampling, Share, VllmEngine


class Lora(Closed):
    """Low-rank adapters instead of all weights; merged into the weights when the stage ends."""

    rank: int = Field(16, ge=1, description="rank of the adapters")
    alpha: int = Field(32, ge=1, description="scale: an adapter counts alpha / rank")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout before the adapters")
    targets: Literal["all-linear"] | list[str] = Field(
        "all-linear", description="modules that get one, by the end of their names"
    )


class _Stage(Closed):
    name: Name
    start: Name = Field(description="one of models, or an earlier stage")
    lora: Lora | None = Field(None, description="adapters; default: all weights are trained")
    seed: int | None = Field(None, ge=0, lt=2**31, description="of shuffling and sampling; default: the experiment's")
    batch_size: int | None = Field(
        None,
        ge=1,
        description="examples (grpo: answers) of one optimizer step, however many processes share them: "
        "gradient_accumulation_steps follows from it; default: what TRL's arguments make of the processes there are",
    )
    arguments: dict[str, Any] = Field(default_factory=dict, description="arguments of TRL's own, by TRL's names")

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.batch_size is not None and "gradient_accumulation_steps" in self.arguments:
            raise ValueError("batch_size and arguments.gradient_accumulation_steps: give one of them")
        return self


class SftStage(_Stage):
    """Supervised fine-tuning on written answers; on a teacher's answers it is distillation of traces."""

    method: Literal["sft"]
    data: list[Name] | dict[Name, Annotated[float, Field(gt=0)]] = Field(
        min_length=1, description="strata; with numbers, how often an example of each is seen in an epoch"
    )
    too_long: Literal["drop", "refuse"] = Field(
        "drop", description="examples longer than max_length: left out and counted, or the stage is refused"
    )

    tokens: int | None = Field(
        None,
        ge=1,
        description="tokens of examples, prompts included, that the stage learns from: passes over all of them, each in"
        " an order of its own, up to the last example that fits; instead of num_train_epochs",
    )

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        for name in ("num_train_epochs", "max_steps"):
            if self.tokens is not None and name in self.arguments:
                raise ValueError(f"tokens and arguments.{name}: give one of them")
        return self

    @property
    def weights(self) -> dict[str, float]:
        return self.data if isinstance(self.data, dict) else dict.fromkeys(self.data, 1.0)


class OnPolicy(_Stage):
    data: list[Name] = Field(min_length=1, description="problem sources whose problems are the prompts")
    prompt: Prompt = Field(default_factory=lambda: Prompt())
    filter: str | None = Field(
        None,
        description="SQL expression over how hard a problem was, such as pass_rate BETWEEN 0.1 AND 0.9; problems where"
        " it is true are kept; default: all",
    )
    weight: str | None = Field(
        None,
        description="SQL expression over the same columns, not below 0: how often a problem is seen beside the others;"
        " their mean is made 1",
    )
    verdicts: Name = Field("teacher", description="whose answers say how hard a problem was: teacher, or a probe")

    @property
    def rated(self) -> bool:
        """Whether it asks how hard problems are."""
        return self.filter is not None or self.weight is not None


class Probe(Effort):
    """Answers of a model or an earlier stage to the training problems, judged like the teacher's, without a vote."""

    model: Name | None = Field(
        None, description="one of models or stages; default: what each stage that uses it starts from"
    )
    engine: VllmEngine | None = Field(None, description="default: the evaluation's engine")

    def asked(self, start: str) -> str:
        """The model that answers for a stage with this start."""
        return self.model or start


class DistillStage(OnPolicy):
    """The student answers; a teacher with the same tokenizer says how likely each of its tokens is."""

    method: Literal["distill"]
    teacher: Name = Field(description="one of models, or an earlier stage, with the student's tokenizer")
    served: bool = Field(
        False,
        description="a vLLM server that runs already has the teacher, and the resource teacher_server of the rule train"
        " has its address; the loss then knows the likeliest tokens alone, as many as TRL's loss_top_k says",
    )


class GoldStage(_Stage):
    """A teacher of any tokenizer says how likely texts are: the strata's, and answers that the student draws."""

    method: Literal["gold"]
    data: list[Name] = Field(min_length=1, description="strata; arguments.lmbda says how often the student answers")
    teacher: Name = Field(description="one of models, or an earlier stage; its tokenizer tells places in a text")


class Rewards(Closed):
    """What an answer earns: the weighted sum of these."""

    correct: float = Field(1.0, ge=0, description="final answer equal to the data set's label, by the rules")
    format: float = Field(0.0, ge=0, description="ended by itself with a final answer in the form asked for")


class GrpoStage(OnPolicy):
    """Reinforcement learning: groups of answers to a problem, each compared with its group."""

    method: Literal["grpo"]
    rewards: Rewards = Field(default_factory=lambda: Rewards())
    rollouts: Share = Field(1.0, description="share of the groups whose answers are kept, with verdicts and rewards")


Stage = Annotated[SftStage | DistillStage | GoldStage | GrpoStage, Field(discriminator="method")]


class Grid(Closed):
    """Chains of recipes over bases and seeds. Each arm becomes stages; a beginning that arms share is trained once."""

    bases: dict[Name, Name] = Field(min_length=1, description="models to start from, by short name")
    seeds: list[int] = Field(min_length=1, description="each arm is trained once a seed")
    recipes: dict[Name, dict[str, Any]] = Field(min_length=1, description="stages without name, start and seed")
    arms: dict[Name, list[Name]] = Field(min_length=1, description="chains of recipes, by name")
    reference: Name | None = Field(
        None, description="arm that the others are compared with, seed by seed, in tables/arms; default: the base"
    )
    sampling: Sampling = Field(description="how the bases and the arms' last stages are evaluated")
    prompt: Prompt = Field(default_factory=lambda: Prompt())


class Arm(Closed):
    """One trained chain: its base, its place in the grid, and the stage whose model it is."""

    base: Name
    arm: Name
    seed: int
    model: Name


def stage_name(base: str, chain: list[str], seed: int) -> str:
    """The name of a chain's last stage: the same for every arm that begins like this."""
    return f"{base}-{'-'.join(chain)}-s{seed}"


def arms(grid: Grid) -> list[Arm]:
    """Every arm of the grid once a base and seed, in the order of the config."""
    return [
        Arm(base=base, arm=arm, seed=seed, model=stage_name(base, chain, seed))
        for base, (arm, chain), seed in itertools.product(grid.bases, grid.arms.items(), grid.seeds)
    ]


def stages_of(grid: Grid) -> list[dict[str, Any]]:
    """The grid's stages as plain config, each once, every stage after the one it starts from."""
    found: dict[str, dict[str, Any]] = {}
    if grid.reference not in (None, *grid.arms):
        raise ValueError(f"grid.reference: {grid.reference!r} is not one of {', '.join(sorted(grid.arms))}")
    for base, chain, seed in itertools.product(grid.bases, grid.arms.values(), grid.seeds):
        start = grid.bases[base]
        for length, recipe in enumerate(chain, 1):
            if recipe not in grid.recipes:
                raise ValueError(f"grid.arms: {recipe!r} is not one of {', '.join(sorted(grid.recipes))}")
            name = stage_name(base, chain[:length], seed)
            found.setdefault(name, {**grid.recipes[recipe], "name": name, "start": start, "seed": seed})
            start = name
    return list(found.values())


def evaluated_of(grid: Grid) -> list[dict[str, Any]]:
    """The bases and the arms' models as entries of evaluation.models."""
    names = [*grid.bases.values(), *dict.fromkeys(arm.model for arm in arms(grid))]
    shared = {"sampling": grid.sampling.model_dump(), "prompt": grid.prompt.model_dump()}
    return [{"model": name, **shared} for name in names]
