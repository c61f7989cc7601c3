"""Checkpoints in progress: which one is the newest, by how many processes, and what it takes to go on with others."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from reasonlite.core.errors import UserError
from reasonlite.core.files import atomic_path, write_text
from reasonlite.core.logs import get_logger

log = get_logger(__name__)
UNIVERSAL = "latest_universal"  # DeepSpeed's name for the file that names the folder


def newest_checkpoint(work: Path) -> Path | None:
    """The newest complete checkpoint in ``work``: the trainer writes trainer_state.json last."""
    complete = [
        (int(path.name.rsplit("-", 1)[1]), path)
        for path in work.glob("checkpoint-*")
        if path.name.rsplit("-", 1)[1].isdigit() and (path / "trainer_state.json").is_file()
    ]
    return max(complete)[1] if complete else None


def written_by(checkpoint: Path) -> int:
    """How many processes wrote a checkpoint: each leaves the state of its random numbers; 0 if none was asked to."""
    return len(list(checkpoint.glob("rng_state*.pth")))


def prepare(trainer: Any, checkpoint: Path, batch_size: int | None) -> None:
    """Make a checkpoint fit for as many processes as train now; refused where they would make other batches of it."""
    before, now = written_by(checkpoint), trainer.args.world_size
    if before in (0, now):
        return
    if batch_size is None:
        raise UserError(
            f"was written by {before} processes, and {now} would make other batches",
            where=checkpoint,
            todo=f"train with {before} processes again, or remove {checkpoint.parent} to begin anew; "
            "a stage with batch_size goes on with any number",
        )
    log.info("%s was written by %d processes, and %d go on", checkpoint.name, before, now)
    if trainer.is_deepspeed_enabled:
        if trainer.is_world_process_zero() and not (checkpoint / UNIVERSAL).is_file():
            _to_universal(checkpoint)
        trainer.accelerator.wait_for_everyone()
        # ZeRO's parts of the optimizer's state belong to as many processes; only this form may be cut anew
        trainer.accelerator.deepspeed_plugin.deepspeed_config["checkpoint"] = {"load_universal": True}


def _to_universal(checkpoint: Path) -> None:
    """Put DeepSpeed's universal form beside ZeRO's parts of the optimizer's state."""
    parts = checkpoint / (checkpoint / "latest").read_text(encoding="utf-8").strip()
    whole = parts.with_name(f"{parts.name}_universal")
    shutil.rmtree(whole, ignore_errors=True)  # DeepSpeed would take one that is not named for a whole one
    with atomic_path(whole) as folder:
        command = [sys.executable, "-m", "deepspeed.checkpoint.ds_to_universal", "--inject_missing_state"]
        command += ["--input_folder", str(parts), "--output_folder", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise UserError(
                f"DeepSpeed could not put its parts together: {done.stderr.strip()[-2000:]}",
                where=checkpoint,
                todo="train with as many processes as wrote it, or remove it to go on from the one before",
            )
    write_text(checkpoint / UNIVERSAL, whole.name)
