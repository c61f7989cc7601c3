"""What a run prints: the plan, its progress, failures as they happen, and at the end what failed for good.

Listens to Snakemake's log events in place of its own lines, which all stay in its log file. Does not import Snakemake.
A logger plugin of the user's, --quiet, --verbose and a dry run leave Snakemake's own lines as they are. Of the plugins
there are (rich, snkmt; snakesee beside them) none reads a job's log for its own pace, and a plugin has to be an
installed package, which a cloned workflow is not.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from reasonlite.cluster import checks
from reasonlite.core.attempts import ATTEMPTS, note_attempt
from reasonlite.workflow import stopping
from reasonlite.workflow.display import Display, opened
from reasonlite.workflow.failures import Failures, lines_of, outputs_of
from reasonlite.workflow.progress import Progress, of_earlier_runs
from reasonlite.workflow.status import Status

OWN_HANDLER = "DefaultStreamHandler"  # Snakemake's, that writes to the terminal
# what a run shows in its own way
EVENTS = {
    *("WORKFLOW_STARTED", "RESOURCES_INFO", "RUN_INFO", "SHELLCMD", "PROGRESS"),
    *("JOB_INFO", "JOB_STARTED", "JOB_FINISHED", "JOB_ERROR", "GROUP_INFO", "GROUP_ERROR"),
}
# lines without an event that nobody reads while a run goes on
BEGINNINGS = (
    *("Assuming unrestricted shared filesystem", "Building DAG of jobs", "Using shell:", "Select jobs to execute"),
    *("Group jobs: inactive", "Conda environments: ignored", "Singularity containers: ignored"),
    *("SLURM run ID:", "'sacct' unavailable", "host: ", "Storing output in storage"),
)


class Listener(logging.Handler):
    """Shows a run by its events; before it begins and in a dry run only the plan for a cluster."""

    def __init__(self, jobs: Callable[[], Iterable[Any]], results: Path) -> None:
        """``jobs`` gives those of the run that a cluster is asked to run; none where they run here.

        In ``results`` lie Snakemake's benchmark files, from which an estimate takes earlier times, and the run's state.
        """
        super().__init__(logging.INFO)
        self._jobs, self._results = jobs, results
        self._plan: str | None = None
        self._stats: dict[str, int] = {}
        self._failures = Failures()
        self._interrupted = False
        self._progress: Progress | None = None
        self._display: Display | None = None
        self._status: Status | None = None

    def begin(self, cores: int) -> None:
        """Jobs are about to run, on ``cores`` of this machine or on a cluster."""
        known = of_earlier_runs(self._results / "benchmarks", self._stats)
        self._progress = Progress(cores, known, remote=bool(self._plan))
        self._progress.plan(self._stats)
        self._status = Status(self._results, self._progress)
        self._status.start()
        if not takes_over():
            return
        self._display = opened(self._progress, [handler for handler in _handlers() if handler.name == OWN_HANDLER])
        self._display.start()
        if signal.getsignal(signal.SIGINT) in (signal.default_int_handler, stopping.leave):
            signal.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-C: one line, instead of the jobs that it ends; then what Snakemake does of itself."""
        self._interrupted = True
        for handler in _handlers():
            if handler.name == OWN_HANDLER:
                handler.addFilter(_where_the_log_is)
        if self._display is not None:
            self._display.stop()
            self._display = None
        print(stopping.MESSAGE, file=sys.stderr, flush=True)
        signal.default_int_handler(number, frame)

    def end(self, *, well: bool) -> str:
        """The run is over, ``well`` or not; what failed for good, empty without any and after Ctrl-C."""
        if self._display is not None:
            self._display.stop()
            self._display = None
        report = "" if self._interrupted else self._failures.report()
        if self._status is not None:
            self._status.stop("done" if well else "interrupted" if self._interrupted else "failed")
            self._status = None
        return report

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(getattr(record, "event", None), "name", "")
        fields = vars(record)
        if event == "RUN_INFO":
            self._counted(fields)
        elif event in {"JOB_ERROR", "GROUP_ERROR"}:
            self._failed(event, fields)
        elif self._progress is not None:
            self._moved(event, fields)
        if self._status is not None:
            self._status.changed()

    def _counted(self, fields: dict[str, Any]) -> None:
        self._stats = dict(fields.get("stats") or {})
        if self._plan is None:  # a dry run counts its jobs twice, at its beginning and its end
            asked = checks.requests(self._jobs())
            self._plan = f"{checks.plan(asked)}\n" if asked else ""
        if self._plan:
            print(self._plan, file=sys.stderr)

    def _moved(self, event: str, fields: dict[str, Any]) -> None:
        assert self._progress is not None
        if event == "JOB_INFO":
            words = (fields["rule_name"], fields["rule_msg"] or "", [path for path in fields["log"] if path])
            self._progress.begin(fields["jobid"], *words, fields["threads"], dict(fields.get("wildcards") or {}))
        elif event == "JOB_FINISHED" and (ended := self._progress.end(fields["job_id"])) and self._display:
            self._display.done(*ended)

    def _failed(self, event: str, fields: dict[str, Any]) -> None:
        found = self._failures.note(event, fields)
        if self._progress is None:
            return
        for entry in fields["job_error_info"] if event == "GROUP_ERROR" else [fields]:
            attempt = self._progress.fail(entry["jobid"])
            if attempt and any(failure.outputs == outputs_of(entry) for failure in found):
                note_attempt(self._results / ATTEMPTS, attempt._asdict())
        if self._display is None:
            return
        for failure in found:
            self._display.say(["failed:", *lines_of(failure)])


def take_over() -> None:
    """From now on Snakemake's own lines about jobs go to its log file alone."""
    for handler in _handlers():
        if handler.name == OWN_HANDLER:
            handler.addFilter(_left_to_snakemake)


def _where_the_log_is(record: logging.LogRecord) -> bool:
    return str(record.msg).startswith("Complete log(s)")


def takes_over() -> bool:
    """Whether `take_over` was called, in this run."""
    return any(_left_to_snakemake in handler.filters for handler in _handlers())


def _left_to_snakemake(record: logging.LogRecord) -> bool:
    """Whether a line is one that Snakemake still prints itself: warnings, errors, and what is no event of a job."""
    event = getattr(getattr(record, "event", None), "name", "")
    if event in EVENTS or (event == "ERROR" and "CalledProcessError in" in str(record.msg)):
        return False  # that of a job, whose whole command is in Snakemake's log
    with contextlib.suppress(TypeError, ValueError):
        text = record.getMessage()
        return record.levelno > logging.INFO or not (
            text.startswith(BEGINNINGS) or " submitted with SLURM jobid " in text
        )
    return True


def _handlers() -> list[logging.Handler]:
    return logging.getLogger("snakemake.logging").handlers
