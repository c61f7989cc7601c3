"""Distillation from a teacher's probabilities, on answers that the student draws (TRL's DistillationTrainer)."""

from __future__ import annotations

import os
from typing import Any

from reasonlite.config.stages import DistillStage
from reasonlite.core.errors import UserError
from reasonlite.models.encoding import open_tokenizer
from reasonlite.training import common, teachers
from reasonlite.training.prompts import prompts_of


def train(job: common.Job) -> None:
    """Bring the student's next-token distribution close to the teacher's, on answers the student draws."""
    assert isinstance(job.stage, DistillStage) and job.teacher is not None
    tokenizer = open_tokenizer(job.start)
    _check_tokenizers(tokenizer, open_tokenizer(job.teacher), job.stage)
    trainer_class, config = _served(job, tokenizer) if job.stage.served else _here(job)
    dataset = prompts_of(job, job.stage)
    model, saved_dtype = common.open_model(job, config)
    own = {} if job.stage.served else {"teacher_model": _weights(job, model.dtype if config.use_cpu else "auto")}
    trainer = common.watched(trainer_class)(
        model=model,
        args=config,
        train_dataset=dataset,
        processing_class=tokenizer,
        peft_config=common.adapters(job.stage.lora, model, f"stages.{job.stage.name}"),
        **own,
    )
    common.run(trainer, job, saved_dtype, len(dataset))


def _here(job: common.Job) -> tuple[type, Any]:
    """TRL's trainer that has the teacher's weights in this process, and its configuration."""
    from trl import DistillationConfig, DistillationTrainer

    return DistillationTrainer, DistillationConfig(**common.settings_for(job))


def _weights(job: common.Job, dtype: Any) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(job.teacher, dtype=dtype)


def _served(job: common.Job, tokenizer: Any) -> tuple[type, Any]:
    """TRL's trainer that asks a server for the teacher's probabilities, and its configuration."""
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    from trl.experimental.server_distillation import ServerDistillationConfig, ServerDistillationTrainer

    where = f"stages.{job.stage.name}"
    url = teachers.address(job.teacher_server, where)
    teachers.check_server(url, tokenizer, where)
    try:
        config = ServerDistillationConfig(**common.settings_for(job, teacher_model_server_url=url))
    except ValueError as error:  # TRL's word for what a server cannot tell, such as more than the likeliest token
        raise UserError(str(error), where=f"{where}.arguments", todo="correct it, or train without served") from None
    return ServerDistillationTrainer, config


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
