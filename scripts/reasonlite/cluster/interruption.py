"""The scheduler's warning that a job's time is nearly over: work asks for it between its steps.

Slurm sends it with ``--signal=URG@SECONDS`` to everything in the job's step; Snakemake, the shell
and vLLM's workers ignore that signal unless told otherwise. Does not know what the work is.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from reasonlite.core.errors import TRY_AGAIN
from reasonlite.core.logs import get_logger

log = get_logger(__name__)

WARNING = signal.SIGURG
_warned = False


def watch() -> None:
    """From now on note the warning; without this call it is ignored."""
    signal.signal(WARNING, _note)


def _note(*_: object) -> None:
    global _warned
    _warned = True


def warned() -> bool:
    """Whether the scheduler has said that the job's time is nearly over."""
    return _warned


def hand_back(done: str, *, wait_seconds: float = 120) -> None:
    """Put this Slurm job back into the queue, as it is, and wait to be ended; ``done`` says what is kept.

    Where Slurm cannot be asked (in a container, or requeueing is switched off) the process ends
    with status 75, and Snakemake's next try continues.
    """
    log.info("the job's time is nearly over: %s; it continues when the job runs again", done)
    job = os.environ.get("SLURM_JOB_ID")
    if job and _requeued(job):
        time.sleep(wait_seconds)  # Slurm ends this process long before
    sys.exit(TRY_AGAIN)


def _requeued(job: str) -> bool:
    try:
        asked = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        log.info("Slurm could not be asked to requeue the job: %s", error)
        return False
    if asked.returncode:
        log.info("Slurm did not requeue the job: %s", asked.stderr.strip())
    return asked.returncode == 0
