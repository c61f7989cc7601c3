"""Distillation from the probabilities of a teacher with another tokenizer (TRL's GOLDTrainer, experimental there).

Both models read the same text, cut into their own tokens; TRL puts the tokens that cover the same bytes beside each
other and compares the probabilities there, of tokens that both vocabularies have by name and of the rest by rank.
"""

from __future__ import annotations

import os
from typing import Any

from reasonlite.config.stages import GoldStage
from reasonlite.core.errors import UserError
from reasonlite.core.logs import get_logger
from reasonlite.core.schemas import CURRICULUM
from reasonlite.core.tables import read_tables
from reasonlite.models.encoding import encoder, open_tokenizer
from reasonlite.models.folders import check_model_folder
from reasonlite.training import common

log = get_logger(__name__)


def train(job: common.Job) -> None:
    """Bring the student's probabilities close to the teacher's, on the strata's answers and on its own."""
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # the docs say that it is experimental
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl.experimental.gold import GOLDConfig, GOLDTrainer

    assert isinstance(job.stage, GoldStage) and job.teacher is not None
    where = f"stages.{job.stage.name}"
    tokenizer = open_tokenizer(job.start)
    check_tokenizers(tokenizer, _tokenizer_of(job.teacher), where)
    own = {"use_uld_loss": True, "teacher_tokenizer_name_or_path": str(job.teacher)}
    config = GOLDConfig(**common.settings_for(job, **own))
    examples = examples_of(job, tokenizer, config.max_length, where)
    model, saved_dtype = common.open_model(job, config)
    teacher = AutoModelForCausalLM.from_pretrained(job.teacher, dtype=model.dtype if config.use_cpu else "auto")
    trainer = common.watched(GOLDTrainer)(
        model=model,
        teacher_model=teacher,
        args=config,
        train_dataset=Dataset.from_list(examples),
        processing_class=tokenizer,
        peft_config=common.adapters(job.stage.lora, model, where),
    )
    common.run(trainer, job, saved_dtype, len(examples))


def _tokenizer_of(folder: Any) -> Any:
    """The teacher's tokenizer: it reads the student's rendering, so it needs no chat template of its own."""
    from transformers import AutoTokenizer

    check_model_folder(folder)
    return AutoTokenizer.from_pretrained(folder)


def check_tokenizers(student: Any, teacher: Any, where: str) -> None:
    """Refuse a pair whose tokens cannot be put beside each other, and one that needs none of this."""
    for who, tokenizer in (("the student's", student), ("the teacher's", teacher)):
        if not getattr(tokenizer, "is_fast", False):
            raise UserError(
                f"{who} tokenizer does not tell which characters a token covers (it is not a fast one)",
                where=f"{where}.teacher",
                todo="convert it to a tokenizer.json, or distil the teacher's written answers with method: sft",
            )
    if student.get_vocab() == teacher.get_vocab():
        raise UserError(
            "student and teacher have the same tokenizer",
            where=f"{where}.teacher",
            todo="use method: distill, which compares whole distributions",
        )


def examples_of(job: common.Job, tokenizer: Any, limit: int | None, where: str) -> list[dict[str, Any]]:
    """The strata's conversations; one of more than ``limit`` tokens, which TRL would cut, is left out and counted."""
    messages = read_tables(job.data, CURRICULUM, ["messages"])["messages"].to_list()
    encode = encoder(tokenizer, job.start)
    lengths = [len(tokens) for tokens in encode(messages)] if limit is not None else [0] * len(messages)
    found = [{"messages": each} for each, length in zip(messages, lengths, strict=True) if length <= (limit or 0)]
    log.info("%d examples; %d longer than max_length %s left out", len(found), len(messages) - len(found), limit)
    if not found:
        raise UserError(
            f"none of {len(messages)} examples is at most {limit} tokens long" if messages else "there are no examples",
            where=where,
            todo="raise arguments.max_length" if messages else "look at tables/funnel.csv: loosen the stratum's filter",
        )
    return found
