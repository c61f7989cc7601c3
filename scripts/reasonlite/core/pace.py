"""How far a job is, as a line in its log that people read and the run's display looks for.

Only counts and times; does not know what is counted.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from reasonlite.core.logs import get_logger

log = get_logger("progress")
FIRST_SECONDS, LAST_SECONDS = 2.0, 60.0  # between two lines: at first, and of a job of hours
# from when on a job's pace tells how long it will take: an engine starts for half a minute, then answers come in heaps
EARLY_SHARE, EARLY_SECONDS = 0.05, 600.0
TAIL_BYTES = 65_536  # of a log, in which its last line of this kind is looked for: an engine that starts says much
# what a run says of itself, in its results: written by workflow/status.py, read by browse/live.py
RUN_FILE, RUN_VERSION = "logs/run.json", 1
_LINE = re.compile(r"progress: (\d+) of (\d+) (\w+)(?:, (.*?))?(?:, about \d.* left)?$", re.MULTILINE)


class Seen(NamedTuple):
    """What a log says of its job: ``done`` of ``total`` ``unit``, and ``note`` on its speed or loss."""

    done: int
    total: int
    unit: str
    note: str


class Pace:
    """Says how far a job is: when first told, then every two seconds, and less often the longer it runs."""

    def __init__(self, unit: str, clock: Callable[[], float] = time.monotonic) -> None:
        """``unit``: what is counted, in the plural."""
        self._unit, self._clock = unit, clock
        self._started = clock()
        self._told: float | None = None
        self._first = 0

    def tell(self, done: int, total: int, note: str = "", *, now: bool = False) -> None:
        """Write a line, if the last one is long enough ago or ``now``."""
        at = self._clock()
        elapsed = at - self._started
        if self._told is None:
            self._first = done  # of an earlier try
        elif not now and at - self._told < min(max(elapsed / 30, FIRST_SECONDS), LAST_SECONDS):
            return
        self._told = at
        parts = [f"{done} of {total} {self._unit}", note]
        rest = seconds_left(done - self._first, total - self._first, elapsed)
        if rest:
            parts.append(f"about {duration(rest)} left")
        log.info("%s", ", ".join(part for part in parts if part))


def seconds_left(done: int, total: int, elapsed: float) -> float | None:
    """How long the rest takes at the pace so far; None while too little is done to tell."""
    if not done or (done < EARLY_SHARE * total and elapsed < EARLY_SECONDS):
        return None
    return elapsed * (total - done) / done


def seen_in(path: Path) -> Seen | None:
    """The last line of this kind near the end of a log; None without any, and while the log cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - TAIL_BYTES, 0))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return None
    found = _LINE.findall(text.replace("\r", "\n"))
    return Seen(int(found[-1][0]), int(found[-1][1]), *found[-1][2:]) if found else None


def duration(seconds: float) -> str:
    """Seconds in words that are short enough for a line: 40 s, 3 min 20 s, 2 h 05 min."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
