"""Which jobs failed and how their logs end, from Snakemake's log events. Does not import Snakemake."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAST_LINES = 12
SHOWN = 10


@dataclass(frozen=True)
class Failure:
    rule: str
    outputs: tuple[Path, ...]
    logs: tuple[Path, ...]
    slurm_job: str | None
    message: str


class Failures:
    """Gathers the jobs that failed, of several tries the last."""

    def __init__(self) -> None:
        self._by_outputs: dict[tuple[Path, ...], Failure] = {}

    def note(self, event: str, fields: dict[str, Any]) -> list[Failure]:
        """The jobs that failed by this event of Snakemake's."""
        if event == "JOB_ERROR":
            found = [] if fields.get("indent") else [_failure(fields)]
        else:  # of a group, neither those that ended well nor those that never began
            entries = [_failure(entry) for entry in fields["job_error_info"]]
            found = [each for each in entries if not _made(each) and any(path.exists() for path in each.logs)]
        self._by_outputs |= {failure.outputs: failure for failure in found}
        return found

    def report(self) -> str:
        """The jobs that failed for good: rule and shard, Slurm's number, how the log ends. Empty without any."""
        failed = [failure for failure in self._by_outputs.values() if not _made(failure)]
        if not failed:
            return ""
        lines = ["", f"{len(failed)} job{'s' if len(failed) > 1 else ''} failed:"]
        for failure in failed[:SHOWN]:
            lines += lines_of(failure)
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
        outputs=outputs_of(entry),
        logs=tuple(Path(path) for path in entry.get("log") or () if path),
        slurm_job=aux.get("external_jobid"),
        message=str(entry.get("rule_msg") or "").split("For further error details")[0].strip(),
    )


def outputs_of(entry: dict[str, Any]) -> tuple[Path, ...]:
    """What the job of an event makes, by which jobs are told apart."""
    return tuple(Path(path) for path in entry.get("output") or ())


def lines_of(failure: Failure) -> list[str]:
    """Rule, output, Slurm's number, the scheduler's word, and the last lines of the logs."""
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
