"""Distillation from a teacher's probabilities, on answers that the student draws (TRL's DistillationTrainer)."""

from __future__ import annotations

from typing import Any

from reasonlite.config.stages import DistillStage
from reasonlite.core.errors import UserError
from reasonlite.models.encoding import open_tokenizer
from reasonlite.training import common
from reasonlite.training.prompts import prompts_of


def train(job: common.Job) -> None:
    """Bring the student's next-token distribution close to the teacher's, on answers the student draws."""
    from transformers import AutoModelForCausalLM
    from trl import DistillationConfig, DistillationTrainer

    assert isinstance(job.stage, DistillStage) and job.teacher is not None
    tokenizer = open_tokenizer(job.start)
    _check_tokenizers(tokenizer, open_tokenizer(job.teacher), job.stage)
    config = DistillationConfig(**common.settings_for(job))
    dataset = prompts_of(job, job.stage)
    model, saved_dtype = common.open_model(job, config)
    teacher = AutoModelForCausalLM.from_pretrained(job.teacher, dtype=model.dtype if config.use_cpu else "auto")
    trainer = common.watched(DistillationTrainer)(
        model=model,
        teacher_model=teacher,
        args=config,
        train_dataset=dataset,
        processing_class=tokenizer,
        peft_config=common.adapters(job.stage.lora, model, f"stages.{job.stage.name}"),
    )
    common.run(trainer, job, saved_dtype, len(dataset))


def _check_tokenizers(student: Any, teacher: Any, stage: DistillStage) -> None:
    """Refuse a teacher whose tokens are not the student's: their probabilities could not be compared."""
    own, theirs = student.get_vocab(), teacher.get_vocab()
    if own != theirs:
        different = sum(own.get(token) != number for token, number in theirs.items())
        raise UserError(
            f"student and teacher have other tokenizers ({different} of the teacher's tokens differ)",
            where=f"stages.{stage.name}.teacher",
            todo="take a teacher of the student's family, or distil its written answers with method: sft",
        )
