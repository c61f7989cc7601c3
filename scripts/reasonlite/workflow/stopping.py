"""Ctrl-C while a run is planned: one line instead of a traceback. While jobs run, `console` answers it."""

from __future__ import annotations

import signal

MESSAGE = "interrupted: what is done is kept; the same command goes on"


def with_one_line() -> None:
    """From now on end the process with a line; a handler that somebody else has set is left alone."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)


def leave(*_: object) -> None:
    """The handler: Snakemake lets go of its lock on the way out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(MESSAGE)
