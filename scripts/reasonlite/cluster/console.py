"""What a user sees of a run beside Snakemake's own lines: the plan for Slurm, and at the end what failed and why.

Listens to Snakemake's log events; does not import Snakemake.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonlite.cluster import checks

LAST_LINES = 12
SHOWN = 10


@dataclass(frozen=True)
class Failure:
    rule: str
    outputs: tuple[Path, ...]
    logs: tuple[Path, ...]
    slurm_job: str | None
    message: str


class Listener(logging.Handler):
    """Prints the plan after Snakemake's job counts, and gathers the jobs that failed."""

    def __init__(self, jobs: Callable[[], Iterable[Any]]) -> None:
        """``jobs`` gives those of the run that a cluster is asked to run; none where they run here."""
        super().__init__(logging.INFO)
        self._jobs = jobs
        self._plan: str | None = None
        self._failures: dict[tuple[Path, ...], Failure] = {}

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(getattr(record, "event", None), "name", "")
        if event == "RUN_INFO":
            if self._plan is None:  # a dry run counts its jobs twice, at its beginning and its end
                asked = checks.requests(self._jobs())
                self._plan = f"{checks.plan(asked)}\n" if asked else ""
            if self._plan:
                print(self._plan, file=sys.stderr)
        elif event == "JOB_ERROR" and not getattr(record, "indent", False):
            self._note(_failure(vars(record)))
        elif event == "GROUP_ERROR":
            for entry in record.job_error_info:  # type: ignore[attr-defined]
                failure = _failure(entry)
                if not _made(failure) and any(path.exists() for path in failure.logs):
                    self._note(failure)  # neither those that ended well nor those that never began

    def _note(self, failure: Failure) -> None:
        self._failures[failure.outputs] = failure  # of several tries the last

    def report(self) -> str:
        """The jobs that failed for good: rule and shard, Slurm's number, how the log ends. Empty without any."""
        failed = [failure for failure in self._failures.values() if not _made(failure)]
        if not failed:
            return ""
        lines = ["", f"{len(failed)} job{'s' if len(failed) > 1 else ''} failed:"]
        for failure in failed[:SHOWN]:
            lines += _lines(failure)
        if len(failed) > SHOWN:
            lines.append(f"and {len(failed) - SHOWN} more, in Snakemake's own log")
        lines.append("what to do: mend the cause and run the same command again; what is done is kept")
        return "\n".join(lines)


def _made(failure: Failure) -> bool:
    return all(path.exists() for path in failure.outputs)


def _failure(entry: dict[str, Any]) -> Failure:
    aux = entry.get("aux") or {}
    return Failure(
        rule=entry["rule_name"],
        outputs=tuple(Path(path) for path in entry.get("output") or ()),
        logs=tuple(Path(path) for path in entry.get("log") or () if path),
        slurm_job=aux.get("external_jobid"),
        message=str(entry.get("rule_msg") or "").split("For further error details")[0].strip(),
    )


def _lines(failure: Failure) -> list[str]:
    where = f", Slurm job {failure.slurm_job}" if failure.slurm_job else ""
    lines = [f"- {failure.rule} → {failure.outputs[0] if failure.outputs else '(no output)'}{where}"]
    if failure.message:
        lines.append(f"  {failure.message}")
    for path in failure.logs:
        try:
            text = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines.append(f"  {path} was not written: the job did not begin, or its node does not see this folder")
            continue
        lines.append(f"  {path} ends:" if text else f"  {path} is empty: the job was ended from outside")
        lines += [f"    {line[:300]}" for line in text[-LAST_LINES:]]
    return lines
