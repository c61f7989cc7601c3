"""Supervised fine-tuning with TRL's SFTTrainer, on all weights or on adapters."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from reasonlite.config.stages import SftStage
from reasonlite.core.errors import UserError
from reasonlite.core.logs import get_logger
from reasonlite.core.schemas import CURRICULUM
from reasonlite.core.seeding import shuffle_key
from reasonlite.core.tables import read_table
from reasonlite.models.lengths import counter, open_tokenizer
from reasonlite.training import common

log = get_logger(__name__)


def train(job: common.Job) -> None:
    """Train the start model on the job's tables of examples."""
    from trl import SFTConfig, SFTTrainer

    assert isinstance(job.stage, SftStage)
    tokenizer = open_tokenizer(job.start)
    config = SFTConfig(**common.settings_for(job))
    dataset, ids = _dataset(job, job.stage, tokenizer, config)
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
    if trainer.is_world_process_zero():
        shutil.rmtree(data_folder(job.work), ignore_errors=True)  # mapped files live on until they are let go


def weighted(ids: list[str], name: str, weight: float, seed: int) -> list[int]:
    """Positions of a stratum's examples: whole repeats by its weight, and of a rest of it a sample."""
    whole, rest = divmod(weight, 1.0)
    positions = list(range(len(ids)))
    order = sorted(positions, key=lambda position: shuffle_key(seed, f"{name}:{ids[position]}")) if rest else []
    return positions * int(whole) + sorted(order[: round(len(ids) * rest)])


def _dataset(job: common.Job, stage: SftStage, tokenizer: Any, config: Any) -> tuple[Any, list[str]]:
    """The examples in TRL's form, mapped into memory from disk, and their ids; what is too long is left out whole."""
    from datasets import concatenate_datasets

    parts = []
    for name, paths in _by_stratum(job.data).items():
        if filled := [path for path in paths if read_table(path, CURRICULUM, ["answer_id"]).height]:
            part = _opened(filled, job.work)
            parts.append(part.select(weighted(part["answer_id"][:], name, stage.weights.get(name, 1.0), job.seed)))
    if not any(map(len, parts)):
        raise UserError(
            "there are no training examples",
            where=f"stage {stage.name}",
            todo="look at tables/funnel.csv: loosen the stratum's filter, or draw more answers",
        )
    dataset = concatenate_datasets(parts)
    if config.max_length is not None:
        dataset = _short_enough(dataset, job, stage, tokenizer, config.max_length)
    ids = dataset["answer_id"][:]
    if config.completion_only_loss:
        halves = {"input_columns": "messages", "remove_columns": dataset.column_names, "keep_in_memory": len(ids) < 1e4}
        return dataset.map(lambda turns: {"prompt": turns[:-1], "completion": turns[-1:]}, **halves), ids
    return dataset.select_columns("messages"), ids


def _by_stratum(data: list[Path]) -> dict[str, list[Path]]:
    """Tables by stratum: its name is the folder a table lies in."""
    found: dict[str, list[Path]] = {}
    for path in data:
        found.setdefault(path.parent.name, []).append(path)
    return found


def _opened(paths: list[Path], work: Path) -> Any:
    """Tables of examples as one data set in the hub's terms; the library keeps its form of them beside ``work``."""
    from datasets import load_dataset

    files = [str(path) for path in paths]
    return load_dataset("parquet", data_files=files, split="train", cache_dir=str(data_folder(work)))


def data_folder(work: Path) -> Path:
    """Where the examples lie while a stage trains: not in ``work``, which one process clears while others read."""
    return work.with_name(f".{work.name}.data")


def _short_enough(dataset: Any, job: common.Job, stage: SftStage, tokenizer: Any, limit: int) -> Any:
    """The examples that have at most ``limit`` tokens; how many were left out is said, or refused."""
    where = f"stage {stage.name}"
    if job.counted and None not in (known := dataset["student_tokens"][:]):
        lengths = known
    else:
        count = counter(tokenizer, where)
        batches = (dataset[first : first + 256]["messages"] for first in range(0, len(dataset), 256))
        lengths = [length for batch in batches for length in count(batch)]
    kept = [position for position, length in enumerate(lengths) if length <= limit]
    left_out = len(lengths) - len(kept)
    log.info("%d examples, %d tokens; %d longer than max_length %d left out", len(kept), sum(lengths), left_out, limit)
    if not kept or (left_out and stage.too_long == "refuse"):
        longest = max(range(len(lengths)), key=lengths.__getitem__)
        raise UserError(
            f"{left_out} of {len(lengths)} examples are longer than max_length {limit}"
            f" (the longest, {dataset[longest]['answer_id']}, has {lengths[longest]} tokens;"
            f" the shortest has {min(lengths)})",
            where=where,
            todo="raise arguments.max_length, or set too_long: drop",
        )
    return dataset.select(kept)


def _rows_of(inputs: dict[str, Any], dataset: Any, ids: list[str]) -> list[str]:
    """Ids of a batch's examples, found by their tokens; only looked for when something went wrong."""
    batch = []
    for tokens, mask in zip(inputs["input_ids"].tolist(), inputs["attention_mask"].tolist(), strict=True):
        batch.append([token for token, kept in zip(tokens, mask, strict=True) if kept])
    wanted = {tuple(tokens) for tokens in batch}
    rows = (tuple(tokens) for tokens in dataset["input_ids"])
    return [name for name, tokens in zip(ids, rows, strict=True) if tokens in wanted]
