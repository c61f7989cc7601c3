"""Supervised fine-tuning with TRL's SFTTrainer, on all weights or on adapters."""

from __future__ import annotations

from typing import Any

import polars as pl

from reasonlite.errors import UserError
from reasonlite.logs import get_logger
from reasonlite.seeding import shuffle_key
from reasonlite.stages import SftStage
from reasonlite.tables import CURRICULUM, read_tables
from reasonlite.training import common

log = get_logger(__name__)


def train(job: common.Job) -> None:
    """Train the start model on the job's tables of examples."""
    from trl import SFTConfig, SFTTrainer

    assert isinstance(job.stage, SftStage)
    tokenizer = common.open_tokenizer(job.start)
    config = SFTConfig(**common.settings_for(job))
    examples = weighted(_examples(job), job.stage.weights, job.seed)
    dataset, ids = _dataset(examples, tokenizer, config, job.stage)
    model, saved_dtype = common.open_model(job.start, config)
    trainer = common.watched(SFTTrainer)(
        model=model,
        args=config,
        train_dataset=dataset,
        processing_class=tokenizer,
        peft_config=common.adapters(job.stage.lora, model, f"stages.{job.stage.name}"),
    )
    if not config.packing:
        trainer.name_rows = lambda inputs: _rows_of(inputs, trainer.train_dataset, ids)
    common.run(trainer, job, saved_dtype, len(dataset))


def _examples(job: common.Job) -> dict[str, pl.DataFrame]:
    """Examples by stratum: its name is the folder a table lies in."""
    found: dict[str, list[Any]] = {}
    for path in job.data:
        found.setdefault(path.parent.name, []).append(path)
    return {name: read_tables(paths, CURRICULUM) for name, paths in found.items()}


def weighted(examples: dict[str, pl.DataFrame], weights: dict[str, float], seed: int) -> pl.DataFrame:
    """All strata as one table: whole repeats by each weight, and of a rest of it a sample without replacement."""
    parts = []
    for name, frame in examples.items():
        whole, rest = divmod(weights.get(name, 1.0), 1.0)
        parts += [frame] * int(whole)
        if rest:
            order = sorted(range(frame.height), key=lambda row: shuffle_key(seed, f"{name}:{frame['answer_id'][row]}"))
            parts.append(frame[sorted(order[: round(frame.height * rest)])])
    return pl.concat(parts) if parts else pl.DataFrame(schema=CURRICULUM)


def _dataset(examples: pl.DataFrame, tokenizer: Any, config: Any, stage: SftStage) -> tuple[Any, list[str]]:
    """The examples in TRL's form and their ids; none is cut: what is too long is left out or refused."""
    from datasets import Dataset

    where = f"stage {stage.name}"
    messages, ids = examples["messages"].to_list(), examples["answer_id"].to_list()
    if not messages:
        raise UserError(
            "there are no training examples",
            where=where,
            todo="look at tables/funnel.csv: loosen the stratum's filter, or draw more answers",
        )
    if config.max_length is not None:
        lengths = [_length(item, tokenizer, where) for item in messages]
        kept = [position for position, length in enumerate(lengths) if length <= config.max_length]
        left_out = len(lengths) - len(kept)
        log.info("%d examples, %d tokens; %d longer than max_length %d left out", len(kept), sum(lengths), left_out,
                 config.max_length)  # fmt: skip
        if not kept or (left_out and stage.too_long == "refuse"):
            longest = max(range(len(lengths)), key=lengths.__getitem__)
            raise UserError(
                f"{left_out} of {len(lengths)} examples are longer than max_length {config.max_length}"
                f" (the longest, {ids[longest]}, has {lengths[longest]} tokens; the shortest has {min(lengths)})",
                where=where,
                todo="raise arguments.max_length, or set too_long: drop",
            )
        messages, ids = [messages[position] for position in kept], [ids[position] for position in kept]
    if config.completion_only_loss:
        rows = [{"prompt": item[:-1], "completion": item[-1:]} for item in messages]
    else:
        rows = [{"messages": item} for item in messages]
    return Dataset.from_list(rows), ids


def _length(messages: list[dict[str, str]], tokenizer: Any, where: str) -> int:
    try:
        return len(tokenizer.apply_chat_template(messages, return_dict=True)["input_ids"])
    except Exception as error:  # templates are programs of their own and raise what they like
        roles = ", ".join(dict.fromkeys(message["role"] for message in messages))
        raise UserError(
            f"the start model's chat template does not take the roles {roles}: {error}",
            where=where,
            todo="start from another model, or mend its chat_template.jinja",
        ) from None


def _rows_of(inputs: dict[str, Any], dataset: Any, ids: list[str]) -> list[str]:
    """Ids of a batch's examples, found by their tokens; only looked for when something went wrong."""
    batch = []
    for tokens, mask in zip(inputs["input_ids"].tolist(), inputs["attention_mask"].tolist(), strict=True):
        batch.append([token for token, kept in zip(tokens, mask, strict=True) if kept])
    wanted = {tuple(tokens) for tokens in batch}
    rows = (tuple(tokens) for tokens in dataset["input_ids"])
    return [name for name, tokens in zip(ids, rows, strict=True) if tokens in wanted]
