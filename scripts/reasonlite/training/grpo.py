"""Reinforcement learning by GRPO: answers earn a reward by our own verdict (TRL's GRPOTrainer)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from reasonlite.answers.transcripts import final_answer, split_reply
from reasonlite.config.stages import GrpoStage
from reasonlite.core.errors import UserError
from reasonlite.judge.equivalence import compare
from reasonlite.judge.graders import text_of
from reasonlite.judge.verdicts import Verdict
from reasonlite.models.encoding import open_tokenizer
from reasonlite.training import common, rollouts
from reasonlite.training.prompts import prompts_of


def train(job: common.Job) -> None:
    """Reward answers that are right, group by group."""
    from trl import GRPOConfig, GRPOTrainer

    assert isinstance(job.stage, GrpoStage)
    tokenizer = open_tokenizer(job.start)
    rewards = job.stage.rewards
    config = GRPOConfig(**common.settings_for(job, reward_weights=[rewards.correct, rewards.format]))
    dataset = prompts_of(job, job.stage)
    model, saved_dtype = common.open_model(job, config)
    trainer = rollouts.kept(common.watched(GRPOTrainer))(
        model=model,
        reward_funcs=[correct, well_formed],
        args=config,
        train_dataset=dataset,
        processing_class=tokenizer,
        peft_config=common.adapters(job.stage.lora, model, f"stages.{job.stage.name}"),
    )
    needed = trainer.args.generation_batch_size // trainer.num_generations
    if len(dataset) < needed:
        raise UserError(
            f"{len(dataset)} problems are chosen, and one generation takes {needed}",
            where=f"stages.{job.stage.name}",
            todo="loosen the filter, or lower per_device_train_batch_size, batch_size or steps_per_generation",
        )
    trainer.rollouts = rollouts.Rollouts(
        job.work / rollouts.FOLDER,
        trainer.num_generations,
        job.stage.rollouts,
        job.seed,
        (rewards.correct, rewards.format),
    )
    common.run(trainer, job, saved_dtype, len(dataset))


def correct(
    completions: list[Any], answer: list[str], log_extra: Callable[[str, list[Any]], None] | None = None, **_: Any
) -> list[float]:
    """1 for a final answer equal to the label by the same rules that judge answers, else 0.

    What the rules leave undecided earns nothing. Computer algebra runs in a process that is
    ended at its limits, so no answer can hold up the training. ``log_extra``: TRL's, which gets the verdicts.
    """
    finals = [_final(completion) for completion in completions]
    verdicts = [None if found is None else _verdict(found, label) for found, label in zip(finals, answer, strict=True)]
    if log_extra is not None:
        log_extra("answer", finals)
        log_extra("verdict", [verdict and verdict.verdict for verdict in verdicts])
        log_extra("method", [verdict and verdict.method for verdict in verdicts])
    return [float(verdict is not None and verdict.verdict == "equal") for verdict in verdicts]


@functools.lru_cache(maxsize=4096)
def _verdict(answer: str, label: str) -> Verdict:
    """Remembered, because a group often ends in one answer, and a pair may take computer algebra seconds."""
    return compare(answer, label)


def well_formed(completions: list[Any], **_: Any) -> list[float]:
    """1 for a reply that closes its reasoning, if it opened it, and puts its final answer into a box."""
    return [float(_is_well_formed(text_of(completion))) for completion in completions]


def _is_well_formed(text: str) -> bool:
    return text.count("<think>") == text.count("</think>") <= 1 and "\\boxed{" in text and bool(_final(text))


def _final(completion: Any) -> str | None:
    return final_answer(split_reply(text_of(completion), "stop"))
