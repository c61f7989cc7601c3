"""Supervised fine-tuning with TRL's SFTTrainer, on all weights or on adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reasonlite.config.stages import SftStage
from reasonlite.core.errors import UserError
from reasonlite.core.logs import get_logger
from reasonlite.core.seeding import shuffle_key
from reasonlite.models.encoding import open_tokenizer
from reasonlite.training import common, first_step, noted
from reasonlite.training.packing import Packed
from reasonlite.training.padding import leave_mask_out
from reasonlite.training.tokens import Examples, check_tokenizer

log = get_logger(__name__)


def train(job: common.Job) -> None:
    """Train the start model on the job's files of tokens."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    assert isinstance(job.stage, SftStage)
    tokenizer = open_tokenizer(job.start)
    # tokens and labels are made already, and nothing is longer than max_length: TRL has nothing to prepare
    # and every column is one that the collator takes
    ready = {"dataset_kwargs": {"skip_prepare_dataset": True}, "remove_unused_columns": False}
    if job.stage.tokens is not None:
        ready["num_train_epochs"] = 1  # of what is chosen up to them
    config = SFTConfig(**common.settings_for(job, **ready))
    examples = examples_of(job, job.stage, tokenizer, config)
    if config.padding_free and not config.packing:
        config.max_length = None  # or TRL refuses, because it does not cut there
    model, saved_dtype = common.open_model(job, config)
    if config.process_index == 0:
        first_step.check_device(model, examples[0]["input_ids"], f"stage {job.stage.name}", bf16=config.bf16)
    learned = Packed(examples, config.max_length, job.seed) if config.packing else examples
    trainer = _with_known_lengths(common.watched(SFTTrainer))(
        model=model,
        args=config,
        train_dataset=Dataset.from_list([learned[0]]),  # TRL takes the hub's kind alone; its trainer takes any
        processing_class=tokenizer,
        peft_config=common.adapters(job.stage.lora, model, f"stages.{job.stage.name}"),
    )
    leave_mask_out(trainer.model)  # of adapters too, which call what is inside past its hooks
    trainer.train_dataset, trainer.written = learned, True
    trainer.data_collator = noted.Collator(trainer.data_collator)
    trainer.named = lambda place: (examples.stratum(place), examples.name(place))
    if not config.packing:
        trainer.name_rows = lambda inputs: _names_of(inputs, examples)
    common.run(trainer, job, saved_dtype, len(examples))


def _with_known_lengths(trainer_class: type) -> type:
    """The trainer, which otherwise reads every example for its length before it groups them.

    Its own sampler also forgets in which epoch it is when training continues from a checkpoint.
    """
    import torch
    from transformers.trainer_pt_utils import get_length_grouped_indices

    class Grouped(torch.utils.data.Sampler):
        def __init__(self, lengths: list[int], size: int, seed: Callable[[], int]) -> None:
            self._lengths, self._size, self._seed = lengths, size, seed

        def __len__(self) -> int:
            return len(self._lengths)

        def __iter__(self) -> Iterator[int]:
            generator = torch.Generator().manual_seed(self._seed())
            return iter(get_length_grouped_indices(self._lengths, self._size, generator=generator))

    class Grouping(trainer_class):
        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            dataset = self.train_dataset if train_dataset is None else train_dataset
            if self.args.train_sampling_strategy != "group_by_length":
                return super()._get_train_sampler(train_dataset)
            # of all processes, so that with batch_size the order is the same however many there are
            size = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
            return Grouped(dataset.lengths.tolist(), size, lambda: self.args.data_seed + int(self.state.epoch or 0))

    return Grouping


def weighted(ids: Sequence[Any], name: str, weight: float, seed: int) -> np.ndarray:
    """Positions of a stratum's examples: whole repeats by its weight, and of a rest of it a sample."""
    whole, rest = divmod(weight, 1.0)
    positions = np.arange(len(ids))
    order = sorted(positions, key=lambda place: shuffle_key(seed, f"{name}:{ids[int(place)]}")) if rest else []
    sample = np.array(sorted(order[: round(len(ids) * rest)]), positions.dtype)
    return np.concatenate([np.tile(positions, int(whole)), sample])


def examples_of(job: common.Job, stage: SftStage, tokenizer: Any, config: Any) -> Examples:
    """The stage's examples, each as often as its stratum's weight says; what is too long is left out whole."""
    where = f"stage {stage.name}"
    by_stratum = _by_stratum(job.data)
    for paths in by_stratum.values():
        check_tokenizer(paths, tokenizer, where)
    examples = Examples(job.data, answers_only=bool(config.completion_only_loss))
    counts = dict(zip(job.data, examples.counts, strict=True))
    chosen, first = [], 0
    for name, paths in by_stratum.items():
        places = range(first, first + sum(counts[path] for path in paths))
        weight = stage.weights.get(name, 1.0)
        ids = [examples.name(place) for place in places] if weight % 1 else places
        chosen.append(first + weighted(ids, name, weight, job.seed))
        first = places.stop
    examples.choose(np.concatenate(chosen))
    if not len(examples):
        raise UserError(
            "there are no training examples",
            where=where,
            todo="look at tables/funnel.csv: loosen the stratum's filter, or draw more answers",
        )
    if config.max_length is not None:
        _leave_long_ones_out(examples, stage, config.max_length)
    if stage.tokens is not None:
        examples.choose(up_to(stage.tokens, examples.lengths, job.seed, where))
        log.info("%d examples, some of them repeated, of %d tokens", len(examples), int(examples.lengths.sum()))
    return examples


def up_to(tokens: int, lengths: np.ndarray, seed: int, where: str) -> np.ndarray:
    """Positions of examples, one pass after the other and each shuffled, until the next would be more than ``tokens``.

    ``lengths``: tokens of each example. Two stages of one budget so differ by less than an example.
    """
    total, whole = 0, int(lengths.sum(dtype=np.int64))
    chosen: list[np.ndarray] = []
    while True:
        order = np.random.default_rng([seed, len(chosen)]).permutation(len(lengths))
        if total + whole > tokens:
            break
        chosen.append(order)
        total += whole
    fitting = np.cumsum(lengths[order], dtype=np.int64) <= tokens - total
    chosen.append(order[fitting])
    found = np.concatenate(chosen)
    if not len(found):
        said = f"{tokens} tokens hold no example; the shortest has {lengths.min()}"
        raise UserError(said, where=f"{where}.tokens", todo="raise it")
    return found


def _by_stratum(data: list[Path]) -> dict[str, list[Path]]:
    """Files by stratum: its name is the folder that a file lies in."""
    found: dict[str, list[Path]] = {}
    for path in data:
        found.setdefault(path.parent.name, []).append(path)
    return found


def _leave_long_ones_out(examples: Examples, stage: SftStage, limit: int) -> None:
    """Keep the examples that have at most ``limit`` tokens; how many were left out is said, or refused."""
    lengths = examples.lengths
    fitting = np.flatnonzero(lengths <= limit)
    left_out, tokens = len(lengths) - len(fitting), int(lengths.sum(dtype=np.int64))
    log.info("%d examples, %d tokens; %d longer than max_length %d left out", len(fitting), tokens, left_out, limit)
    if not len(fitting) or (left_out and stage.too_long == "refuse"):
        longest = int(lengths.argmax())
        raise UserError(
            f"{left_out} of {len(lengths)} examples are longer than max_length {limit}"
            f" (the longest, {examples.name(longest)}, has {lengths[longest]} tokens;"
            f" the shortest has {lengths.min()})",
            where=f"stage {stage.name}",
            todo="raise arguments.max_length, or set too_long: drop",
        )
    examples.choose(fitting)


def _names_of(inputs: dict[str, Any], examples: Examples) -> list[str]:
    """Ids of a batch's examples, found by their tokens; only looked for when something went wrong."""
    if "attention_mask" not in inputs:  # one row of several examples
        return []
    rows = zip(inputs["input_ids"], inputs["attention_mask"], strict=True)
    return [name for tokens, mask in rows for name in examples.named(tokens[mask.bool()].tolist())[:1]]
