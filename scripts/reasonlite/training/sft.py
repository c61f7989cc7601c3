"""One stage of supervised fine-tuning with TRL's SFTTrainer.

Runs inside ``accelerate launch``. Does not know strata, stages or where the examples came from.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite import interruption
from reasonlite.errors import UserError
from reasonlite.files import write_json
from reasonlite.logs import get_logger
from reasonlite.models import check_model_folder, fingerprint, write_fingerprint
from reasonlite.tables import CURRICULUM, TRAINING_LOG, frame_of, read_tables, write_table

log = get_logger(__name__)


def train(
    *,
    stage: str,
    start: Path,
    data: list[Path],
    arguments: dict[str, Any],
    seed: int,
    work: Path,
    output: Path,
    log_table: Path,
) -> None:
    """Train ``start`` on the examples in ``data`` and write checkpoint and log table.

    Checkpoints in progress lie in ``work``; a rerun continues from the newest complete one.
    ``arguments`` are SFTConfig's own. The checkpoint appears under ``output`` only when whole.
    """
    check_model_folder(start)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(start)
    if tokenizer.chat_template is None:
        raise UserError("its tokenizer has no chat template", where=start, todo="start from an instruction-tuned model")
    config = SFTConfig(
        output_dir=str(work),
        seed=seed,
        data_seed=seed,
        use_cpu=not torch.cuda.is_available(),
        **{"report_to": "none", "disable_tqdm": False, **arguments},
    )
    dataset = _dataset(read_tables(data, CURRICULUM), tokenizer, config, stage)
    saved_dtype = AutoModelForCausalLM.from_pretrained(start, dtype="auto").dtype
    kwargs = dict(config.model_init_kwargs or {})
    kwargs.setdefault("dtype", torch.float32 if config.use_cpu else saved_dtype)
    config.model_init_kwargs = None
    model = AutoModelForCausalLM.from_pretrained(start, **kwargs)
    trainer = SFTTrainer(model=model, args=config, train_dataset=dataset, processing_class=tokenizer)
    trainer.add_callback(_stop_when_warned(TrainerCallback))
    newest = newest_checkpoint(work)
    if newest:
        log.info("continuing from %s", newest.name)
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    if trainer.control.should_training_stop and trainer.state.global_step < trainer.state.max_steps:
        interruption.hand_back(f"step {trainer.state.global_step} is kept as a checkpoint")
    history = trainer.state.log_history
    _refuse_divergence(history, stage)
    if trainer.is_world_process_zero():
        trainer.model.to(saved_dtype)
        trainer.save_model(str(output))
        (output / "training_args.bin").unlink(missing_ok=True)  # a pickle with paths of this machine
        write_json(
            output / "training.json", {"stage": stage, "arguments": arguments, "seed": seed, "examples": len(dataset)}
        )
        write_fingerprint(output, {"kind": "stage", "stage": stage, "start": fingerprint(start)})
        write_table(log_table, _log_rows(history, stage), TRAINING_LOG)


def _stop_when_warned(base: type) -> Any:
    """A callback that keeps a checkpoint and stops when any process was warned that the job's time ends."""
    import torch

    class StopWhenWarned(base):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            warned = torch.tensor(float(interruption.warned()), device=args.device)
            if torch.distributed.is_initialized():  # the signal reaches processes in different steps
                torch.distributed.all_reduce(warned, op=torch.distributed.ReduceOp.MAX)
            if warned.item():
                control.should_save = True
                control.should_training_stop = True

    return StopWhenWarned()


def newest_checkpoint(work: Path) -> Path | None:
    """The newest complete checkpoint in ``work``: the trainer writes trainer_state.json last."""
    complete = [
        (int(path.name.rsplit("-", 1)[1]), path)
        for path in work.glob("checkpoint-*")
        if path.name.rsplit("-", 1)[1].isdigit() and (path / "trainer_state.json").is_file()
    ]
    return max(complete)[1] if complete else None


def _dataset(examples: pl.DataFrame, tokenizer: Any, config: Any, stage: str) -> Any:
    """The examples in TRL's form, without those longer than max_length, which are counted."""
    from datasets import Dataset

    messages = examples["messages"].to_list()
    if not messages:
        raise UserError(
            "there are no training examples",
            where=f"stage {stage}",
            todo="look at tables/funnel.csv: loosen the stratum's filter, or draw more answers",
        )
    if config.max_length is not None:
        lengths = [len(tokenizer.apply_chat_template(item, return_dict=True)["input_ids"]) for item in messages]
        kept = [item for item, length in zip(messages, lengths, strict=True) if length <= config.max_length]
        log.info(
            "%d examples, %d tokens; %d longer than max_length %d left out",
            len(kept),
            sum(lengths),
            len(messages) - len(kept),
            config.max_length,
        )
        if not kept:
            raise UserError(
                f"every example is longer than max_length {config.max_length} (the shortest has {min(lengths)} tokens)",
                where=f"stage {stage}",
                todo="raise arguments.max_length",
            )
        messages = kept
    if config.completion_only_loss:
        return Dataset.from_list([{"prompt": item[:-1], "completion": item[-1:]} for item in messages])
    return Dataset.from_list([{"messages": item} for item in messages])


def _refuse_divergence(history: list[dict[str, Any]], stage: str) -> None:
    for entry in history:
        if "loss" in entry and not math.isfinite(entry["loss"]):
            raise UserError(
                f"the loss is {entry['loss']} at step {entry['step']}",
                where=f"stage {stage}",
                todo="lower arguments.learning_rate, or set arguments.max_grad_norm",
            )


def _log_rows(history: list[dict[str, Any]], stage: str) -> pl.DataFrame:
    rows = [
        {
            "stage": stage,
            "step": entry["step"],
            "epoch": entry.get("epoch"),
            "loss": entry["loss"],
            "learning_rate": entry.get("learning_rate"),
            "grad_norm": entry.get("grad_norm"),
            "tokens": entry.get("num_tokens"),
            "mean_token_accuracy": entry.get("mean_token_accuracy"),
        }
        for entry in history
        if "loss" in entry
    ]
    return frame_of(rows, TRAINING_LOG)
