"""One form of log line for every script: time, module, message, on standard error."""

from __future__ import annotations

import logging
import sys

from reasonlite.core import machine
from reasonlite.core.attempts import restarts
from reasonlite.core.files import canonical_json


def get_logger(name: str) -> logging.Logger:
    return logging.getLogger(name)


def set_up() -> None:
    """Called once by a script's main; Snakemake sends the stream to the job's log file."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("reasonlite").info("machine: %s", canonical_json(machine.describe()))
    if again := restarts():
        logging.getLogger("reasonlite").info("restarted by Slurm: %d", again)
