"""What all training stages share: opening the start model, following the run, the checkpoint that comes out.

Runs inside ``accelerate launch``. Does not know where examples or problems came from.
"""

from __future__ import annotations

import math
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite.cluster import interruption
from reasonlite.config.stages import DistillStage, GrpoStage, Lora, SftStage
from reasonlite.core import startup
from reasonlite.core.errors import UserError
from reasonlite.core.files import write_json, write_text
from reasonlite.core.logs import get_logger
from reasonlite.core.pace import Pace
from reasonlite.core.schemas import TRAINING_LOG, TRAINING_SPEED
from reasonlite.core.stalls import Guard
from reasonlite.core.tables import frame_of, write_table
from reasonlite.models.folders import fingerprint, write_fingerprint
from reasonlite.training import first_step, noted, rollouts, trackers
from reasonlite.training.noted import Noted
from reasonlite.training.positions import score_learned_alone
from reasonlite.training.processes import accumulation, keep_memory
from reasonlite.training.states import newest_checkpoint, prepare

log = get_logger(__name__)
# of this machine or of the moment; the rest of the resolved arguments goes into the checkpoint
LOCAL_ARGUMENTS = {
    "output_dir",
    "logging_dir",
    "local_rank",
    "deepspeed",
    "accelerator_config",
    "teacher_model_server_url",
} | trackers.ARGUMENTS
# columns of TRAINING_LOG that TRL has other names for
FROM_TRL = {
    "truncated": "completions/clipped_ratio",
    "correct": "rewards/correct/mean",
    "format": "rewards/well_formed/mean",
    "no_signal": "frac_reward_zero_std",
    "all_right": rollouts.ALL_RIGHT,
    "all_wrong": rollouts.ALL_WRONG,
    "clip_share": "clip_ratio/region_mean",
    "kl": "kl",
    "entropy": "entropy",
}


@dataclass(frozen=True)
class Job:
    """One stage to train: ``work`` holds checkpoints in progress, ``output`` gets the finished model."""

    stage: SftStage | DistillStage | GrpoStage
    start: Path
    data: list[Path]
    teacher: Path | None
    seed: int
    work: Path
    output: Path
    log_table: Path
    speed_table: Path
    learned_table: Path
    rollouts_table: Path
    trackers: list[str] = field(default_factory=list)
    tracked: Path = Path("trackers")
    teacher_server: str = ""


def settings_for(job: Job, **defaults: Any) -> dict[str, Any]:
    """Arguments of the trainer's configuration: the workflow's own, then defaults, then the stage's."""
    import torch

    own = {"output_dir": str(job.work), "seed": job.seed, "data_seed": job.seed}
    parts = accumulation(job.stage.model_dump(), processes())
    own |= {} if parts is None else {"gradient_accumulation_steps": parts}
    quiet = {"disable_tqdm": False, "logging_nan_inf_filter": False}
    own |= trackers.settings(job.trackers, job.stage.name, job.tracked)
    own["use_cpu"] = not torch.cuda.is_available() and not _deepspeed()  # which accelerate leaves out if told of CPUs
    return {**own, **quiet, **defaults, **job.stage.arguments}


def processes() -> int:
    """How many train together, as accelerate's launcher tells each of them."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def _deepspeed() -> bool:
    return os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true"


def open_model(job: Job, config: Any) -> tuple[Any, Any]:
    """The start model in the precision for training, and the one its files have.

    Trained weights are float32 whatever the arithmetic (``bf16``): steps of 1e-6 are lost in bfloat16, which has three
    digits. DeepSpeed keeps such a copy itself, and under adapters the weights stay as they are.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    saved = AutoConfig.from_pretrained(job.start).dtype or torch.float32
    as_saved = not config.use_cpu and (_deepspeed() or job.stage.lora is not None)
    kwargs = {"dtype": saved if as_saved else torch.float32, **(config.model_init_kwargs or {})}
    config.model_init_kwargs = None
    if config.use_cpu and config.device.index is not None:
        # with several processes the device is called cpu:0, and torch cannot load a checkpoint's optimizer to that
        config.__dict__["_setup_devices"] = torch.device("cpu")
    return AutoModelForCausalLM.from_pretrained(job.start, **kwargs), saved


def adapters(lora: Lora | None, model: Any, where: str) -> Any:
    """The stage's adapters in peft's terms, or None; targets that match nothing are refused by name."""
    if lora is None:
        return None
    from peft import LoraConfig

    if lora.targets != "all-linear":
        names = {name for name, _ in model.named_modules()}
        missing = [target for target in lora.targets if not any(name.endswith(target) for name in names)]
        if missing:
            kinds = sorted({name.rsplit(".", 1)[-1] for name in names if "proj" in name})
            raise UserError(
                f"no module of the model is called {', '.join(missing)}",
                where=f"{where}.lora.targets",
                todo=f"choose among {', '.join(kinds)}" if kinds else "use all-linear",
            )
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets,
        task_type="CAUSAL_LM",
    )


def watched(trainer_class: type) -> type:
    """The trainer, stopped at a loss that is no number and at the scheduler's warning, with its speed noted."""
    import torch

    class Watched(trainer_class):
        name_rows: Callable[[dict[str, Any]], list[str]] = staticmethod(lambda inputs: [])
        speeds: list[dict[str, Any]]
        pace: Pace
        guard: Guard
        noted: Noted
        # stratum and id of an example by its place, where those are noted
        named: Callable[[int], tuple[str, str]] = staticmethod(lambda place: ("", ""))
        written = False  # whether it learns from written answers, whose first step can be looked at
        looked = False
        was_warned = False
        note = ""  # the newest loss or reward, in words

        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            # SFTTrainer counts tokens anew when it resumes; the state's own count is kept with the checkpoint
            if getattr(self, "_total_train_tokens", None) == 0:
                self._total_train_tokens = self.state.num_input_tokens_seen
            self.noted.take(self.state.global_step + 1, inputs)
            first = self.written and self.state.global_step == 0 and not self.looked
            if first:
                first_step.check_batch(inputs, "training")
            loss = super().training_step(model, inputs, num_items_in_batch)
            if first:
                self._check_first(model, inputs, float(loss), num_items_in_batch)
            self.state.num_input_tokens_seen = getattr(self, "_total_train_tokens", self.state.num_input_tokens_seen)
            if not torch.isfinite(loss):
                rows = self.name_rows(inputs)
                raise UserError(
                    f"the loss is {loss.item()} at step {self.state.global_step + 1}"
                    + (f", examples {', '.join(rows)}" if rows else ""),
                    where="training",
                    todo="lower arguments.learning_rate or set arguments.max_grad_norm; checkpoints before it are kept",
                )
            return loss

        def _check_first(self, model: Any, inputs: Any, loss: float, items: Any) -> None:
            self.looked = True
            parts, ranks = self.current_gradient_accumulation_steps, self.args.world_size
            size = self.accelerator.unwrap_model(model).config.get_text_config().vocab_size
            first_step.check_loss(first_step.mean_loss(loss, inputs["labels"], items, parts, ranks), size, "training")

        def log(self, logs: dict[str, float], *rest: Any, **named: Any) -> None:
            super().log(logs, *rest, **named)
            if self.written:
                first_step.check_gradient(logs.get("grad_norm"), "training")
            self.speeds.append({"step": self.state.global_step, "at": time.monotonic(), "memory": _peak_memory()})
            said = ((name, logs.get(name)) for name in ("loss", "reward"))
            known = [f"{name} {value:.4g}" for name, value in said if isinstance(value, (int, float))]
            self.note = ", ".join(known) or self.note

        def _maybe_log_save_evaluate(self, *rest: Any, **named: Any) -> None:
            self._stop_when_warned()
            if self.state.global_step >= self.state.max_steps:  # the log ends with the last step, whatever its interval
                self.control.should_log = True
            super()._maybe_log_save_evaluate(*rest, **named)
            self.guard.beat()
            if self.is_world_process_zero():
                self.pace.tell(self.state.global_step, self.state.max_steps, self.note)

        def _save_rng_state(self, output_dir: str) -> None:
            super()._save_rng_state(output_dir)
            self.noted.write(Path(output_dir), self.args.process_index)
            # the file that says that a checkpoint is whole comes next, and not before every rank's part is there
            self.accelerator.wait_for_everyone()

        def _stop_when_warned(self) -> None:
            warned = torch.tensor(float(interruption.warned()), device=self.args.device)
            if torch.distributed.is_initialized():  # the signal reaches processes in different steps
                torch.distributed.all_reduce(warned, op=torch.distributed.ReduceOp.MAX)
            self.was_warned = bool(warned.item())
            if self.was_warned:
                self.control.should_save = True
                self.control.should_training_stop = True

    return Watched


def _peak_memory() -> float:
    """Peak memory in MB: of the GPU where there is one, else of the process."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(trainer: Any, job: Job, saved_dtype: Any, examples: int) -> None:
    """Train from the newest complete checkpoint to the end, and write model, tables and card."""
    trainer.speeds, trainer.pace, trainer.noted = [], Pace("steps"), Noted()
    newest = newest_checkpoint(job.work)
    if newest:
        log.info("continuing from %s", newest.name)
        prepare(trainer, newest, job.stage.batch_size)
        if trainer.is_world_process_zero():
            trainer.noted.read(newest)
            rollouts.forget_after(job.work, int(newest.name.rsplit("-", 1)[1]))
    startup.done()
    if trainer.args.use_cpu:
        keep_memory()
        score_learned_alone()
    with Guard("training step") as trainer.guard:
        trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    if trainer.is_world_process_zero():
        trainer.pace.tell(trainer.state.global_step, trainer.state.max_steps, trainer.note, now=True)
    if trainer.control.should_training_stop and trainer.state.global_step < trainer.state.max_steps:
        if not trainer.was_warned:
            step, last = trainer.state.global_step, trainer.state.max_steps
            raise UserError(
                f"ended at step {step} of {last}: {examples} examples do not fill one batch",
                where=f"stages.{job.stage.name}",
                todo="choose more of them, or lower per_device_train_batch_size or batch_size",
            )
        interruption.hand_back(f"step {trainer.state.global_step} is kept as a checkpoint")
    learned = trainer.noted.gathered()
    model = trainer.accelerator.unwrap_model(trainer.model)
    if job.stage.lora is not None:
        trainer.model = trainer.model_wrapped = model = model.merge_and_unload()
    model.to(saved_dtype)
    trainer.save_model(str(job.output))
    if trainer.is_world_process_zero():
        noted.write(job.learned_table, learned, trainer.named)
        rollouts.gather(job.work, job.rollouts_table)
        _finish(trainer, job, examples)


def _finish(trainer: Any, job: Job, examples: int) -> None:
    stage, history = job.stage, trainer.state.log_history
    (job.output / "training_args.bin").unlink(missing_ok=True)  # a pickle with paths of this machine
    resolved = {name: value for name, value in trainer.args.to_dict().items() if name not in LOCAL_ARGUMENTS}
    summary = {"stage": stage.model_dump(mode="json"), "seed": job.seed, "examples": examples}
    summary |= {"processes": trainer.args.world_size, "resolved": resolved}
    write_json(job.output / "training.json", _plain(summary))
    rows = frame_of([_row(entry, stage.name) for entry in history if "loss" in entry], TRAINING_LOG)
    lineage = {"kind": "stage", "stage": stage.name, "start": fingerprint(job.start)}
    if job.teacher is not None:
        lineage["teacher"] = fingerprint(job.teacher)
    write_text(job.output / "README.md", card(job, rows, examples, lineage))
    write_fingerprint(job.output, lineage)
    write_table(job.log_table, rows, TRAINING_LOG)
    write_table(job.speed_table, _speeds(trainer.speeds, rows, stage.name), TRAINING_SPEED)


def _plain(value: Any) -> Any:
    """JSON without infinities, and without objects that have no JSON form."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _row(entry: dict[str, Any], stage: str) -> dict[str, Any]:
    return {
        "stage": stage,
        "step": entry["step"],
        "epoch": entry.get("epoch"),
        "loss": entry["loss"],
        "learning_rate": entry.get("learning_rate"),
        "grad_norm": entry.get("grad_norm"),
        "tokens": entry.get("num_tokens"),
        "mean_token_accuracy": entry.get("mean_token_accuracy"),
        "reward": entry.get("reward"),
        "reward_std": entry.get("reward_std"),
        "completion_length": entry.get("completions/mean_length"),
        **{column: entry.get(name) for column, name in FROM_TRL.items()},
    }


def _speeds(noted: list[dict[str, Any]], rows: pl.DataFrame, stage: str) -> pl.DataFrame:
    """Seconds and tokens a second between log entries of this try; a try that was resumed begins anew."""
    tokens = dict(rows.select("step", "tokens").iter_rows())
    found = []
    for before, after in zip(noted, noted[1:], strict=False):
        seconds, seen = after["at"] - before["at"], tokens.get(after["step"])
        since = seen - (tokens.get(before["step"]) or 0) if seen is not None else None
        speed = since / seconds if since and seconds > 0 else None
        found.append({"stage": stage, "step": after["step"], "seconds": seconds, "tokens_per_second": speed,
                      "peak_memory_mb": after["memory"]})  # fmt: skip
    return frame_of(found, TRAINING_SPEED)


def card(job: Job, rows: pl.DataFrame, examples: int, lineage: dict[str, Any]) -> str:
    """A model card in the hub's form: what was trained from what, with which settings, how the loss went."""
    stage = job.stage
    weights = stage.data if isinstance(stage.data, dict) else {}
    data = [f"{name} x {weights[name]:g}" if name in weights else name for name in stage.data]
    lines = [
        *("---", "library_name: transformers", "pipeline_tag: text-generation", "tags: [reasonlite, trl]", "---", ""),
        *(f"# {stage.name}", "", f"Trained from `{stage.start}` by `{stage.method}` with TRL.", ""),
        *("| | |", "| --- | --- |"),
        f"| data | {', '.join(data)} |",
        f"| examples or problems | {examples:,} |",
        f"| seed | {job.seed} |",
        f"| weights | {'adapters of rank ' + str(stage.lora.rank) + ', merged' if stage.lora else 'all'} |",
        *(f"| {name} | {str(value).replace('|', chr(92) + '|')} |" for name, value in sorted(stage.arguments.items())),
    ]
    if rows.height:
        first, last = rows.row(0, named=True), rows.row(-1, named=True)
        lines.append(f"| loss | {first['loss']:.4f} at first, {last['loss']:.4f} at step {last['step']} |")
        if last["reward"] is not None:
            lines.append(f"| reward | {first['reward']:.4f}, then {last['reward']:.4f} |")
    lines += ["", "Lineage (fingerprints over the files' hashes):", ""]
    lines += [f"- {name}: `{value}`" for name, value in lineage.items()]
    return "\n".join([*lines, ""])
