"""A run as its user sees it: a few lines at the foot of a terminal that stay up to date, or plain lines elsewhere.

Takes the state from `progress`; does not listen to Snakemake. rich draws, and follows NO_COLOR and TERM.
Colours only repeat what words say.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import time
from collections import Counter
from typing import Any, Protocol

from reasonlite.core.pace import Seen, duration
from reasonlite.workflow.progress import Job, Left, Progress

SHOWN = 8  # jobs under way
SECONDS = 1.0  # between two looks; on a cluster, whose file system others share, REMOTE_SECONDS
REMOTE_SECONDS = 5.0


class Display(Protocol):
    def start(self) -> None: ...

    def done(self, job: Job, seconds: float) -> None:
        """A job has finished."""

    def say(self, lines: list[str]) -> None:
        """Lines that stay, such as a failure's."""

    def stop(self) -> None: ...


def opened(progress: Progress, handlers: list[logging.Handler]) -> Display:
    """The display for standard error; Snakemake's own ``handlers`` write past a terminal's display."""
    terminal = sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in {"dumb", "unknown"}
    return Terminal(progress, handlers) if terminal else Lines(progress)


def left_in_words(left: Left) -> str:
    """The estimate as it is meant: without the steps whose times nobody knows it is a lower bound."""
    if left.whole:
        return f"about {duration(left.seconds)} left"
    return f"at least {duration(left.seconds)} left" if left.seconds >= 1 else ""


def pace_in_words(seen: Seen) -> str:
    note = f", {seen.note}" if seen.note else ""
    return f"{seen.done:,} of {seen.total:,} {seen.unit}{note}"


class Lines:
    """One line a finished job, for logs and pipes."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def start(self) -> None:
        self.say([f"{self._progress.total} steps: {steps_in_words(self._progress.wanted)}"])

    def done(self, job: Job, seconds: float) -> None:
        progress = self._progress
        line = f"{progress.done} of {progress.total} steps done: {job.message} ({duration(seconds)})"
        rest = left_in_words(progress.left()) if progress.done < progress.total else ""
        self.say([f"{line}; {rest}" if rest else line])

    def say(self, lines: list[str]) -> None:
        print(*lines, sep="\n", file=sys.stderr, flush=True)

    def stop(self) -> None:
        pass


def steps_in_words(wanted: dict[str, int]) -> str:
    return ", ".join(f"{rule} {count}" for rule, count in wanted.items())


class Terminal:
    """What runs now, with its pace, below everything that is printed meanwhile."""

    def __init__(self, progress: Progress, handlers: list[logging.Handler]) -> None:
        from rich.console import Console
        from rich.live import Live

        self._progress, self._handlers = progress, handlers
        self._console = Console(stderr=True, highlight=False)
        self._drawn: tuple[float, Any] | None = None
        self._live = Live(
            get_renderable=self._draw, console=self._console, refresh_per_second=1 / SECONDS, transient=True
        )
        self._streams: list[Any] = []

    def start(self) -> None:
        self._live.start()
        atexit.register(self.stop)  # whatever ends the process: the cursor comes back
        for handler in self._handlers:
            if isinstance(handler, logging.StreamHandler):
                self._streams.append((handler, handler.setStream(sys.stderr)))  # now the display's

    def done(self, job: Job, seconds: float) -> None:
        self._drawn = None

    def say(self, lines: list[str]) -> None:
        self._console.print("\n".join(lines), markup=False, soft_wrap=True)

    def stop(self) -> None:
        atexit.unregister(self.stop)
        self._live.stop()
        for handler, stream in self._streams:
            if stream is not None:
                handler.setStream(stream)
        self._streams.clear()

    def _draw(self) -> Any:
        """Drawn anew at most so often; with a cluster seldom, because each time logs are read."""
        age = REMOTE_SECONDS if self._progress.remote else SECONDS / 2
        if self._drawn is None or time.monotonic() - self._drawn[0] > age:
            self._drawn = (time.monotonic(), drawing(self._progress))
        return self._drawn[1]


def drawing(progress: Progress) -> Any:
    """The display's lines: steps and times, a bar, the jobs under way, and with a cluster a table by rule."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    parts = [f"{progress.done} of {progress.total} steps", f"{duration(progress.elapsed)} gone"]
    if rest := left_in_words(progress.left()):
        parts.append(rest)
    if failed := progress.failed.total():
        parts.append(f"{failed} failed")
    head = Text(" · ".join(parts), style="bold", no_wrap=True, overflow="ellipsis")
    bar = Table.grid(expand=True)  # a bar alone does not end its line
    bar.add_row(ProgressBar(progress.total or 1, progress.done, complete_style="bright_blue", style="dim"))
    jobs = list(progress.jobs.values())
    lines = [head, bar, _under_way(progress, jobs[:SHOWN])]
    if len(jobs) > SHOWN:
        lines.append(Text(f"  and {len(jobs) - SHOWN} more", style="dim"))
    if progress.remote:
        lines.append(_by_rule(progress, jobs))
    return Group(*lines)


def _under_way(progress: Progress, jobs: list[Job]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2), pad_edge=True)
    for name in ("job", "pace", "time"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for job in jobs:
        seen, runs = job.seen(), job.runs()
        pace = pace_in_words(seen) if seen else "" if runs else "queued"
        table.add_row(job.message, Text(pace, style="bright_blue"), duration(progress.age(job)))
    return table


def _by_rule(progress: Progress, jobs: list[Job]) -> Any:
    """Queued, running, done and failed jobs of the rules that are under way."""
    from rich.table import Table

    table = Table(box=None, pad_edge=True, header_style="dim")
    table.add_column("rule")
    for name in ("queued", "running", "done", "failed", "of"):
        table.add_column(name, justify="right")
    running = Counter(job.rule for job in jobs if job.runs())
    under_way = Counter(job.rule for job in jobs)
    for rule, wanted in progress.wanted.items():
        counts = (under_way[rule] - running[rule], running[rule], progress.finished[rule], progress.failed[rule])
        if any(counts[:2]) or counts[3] or 0 < counts[2] < wanted:
            table.add_row(rule, *(f"{count:,}" if count else "" for count in counts), f"{wanted:,}")
    return table
