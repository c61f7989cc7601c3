"""How far a run is: its steps by rule, the jobs under way with their own pace, and an estimate of the time left.

Fed with Snakemake's log events; does not import Snakemake and prints nothing.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from reasonlite.core.pace import Seen, seconds_left, seen_in

READ = 12  # logs of jobs under way that are looked into at a time; a shared file system is asked for no more


@dataclass
class Job:
    """A job that was started here or handed to the cluster."""

    rule: str
    message: str
    logs: tuple[Path, ...]
    threads: int
    since: float
    before: tuple[tuple[int, int] | None, ...] = ()  # what its logs were like when it was handed on
    wildcards: dict[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    begun: float | None = None  # when it was first seen to run

    def runs(self) -> bool:
        """Whether it has begun: its command writes its log anew. A job without a log counts as begun."""
        marks = zip(self.logs, self.before, strict=True)
        if self.begun is None and (not self.logs or any(_mark(log) != mark for log, mark in marks)):
            self.begun = self.clock()
        return self.begun is not None

    def seen(self) -> Seen | None:
        """How far it is, by its log."""
        return next(filter(None, map(seen_in, self.logs if self.runs() else ())), None)


class Failed(NamedTuple):
    """A try that ended badly; ``seconds``: since it was started, or first seen to run; 0 if it never was."""

    rule: str
    wildcards: dict[str, str]
    seconds: float


class Known(NamedTuple):
    """What a job of a rule took."""

    seconds: float
    threads: int


class Left(NamedTuple):
    """Seconds a run will still take; ``whole`` unless some steps' times are not known yet and left out."""

    seconds: float
    whole: bool


class Progress:
    """The state of one run."""

    def __init__(
        self, cores: int, earlier: Mapping[str, Known], *, remote: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``earlier``: what a rule's jobs took in an earlier run; ``remote``: a cluster runs them."""
        self.remote, self._cores, self._earlier, self._clock = remote, max(cores, 1), earlier, clock
        self.started = clock()
        self.wanted: dict[str, int] = {}
        self.total = 0
        self.finished, self.failed = Counter[str](), Counter[str]()
        self.jobs: dict[int, Job] = {}
        self._took: dict[str, list[Known]] = defaultdict(list)

    @property
    def done(self) -> int:
        return self.finished.total()

    @property
    def elapsed(self) -> float:
        return self._clock() - self.started

    def age(self, job: Job) -> float:
        """Seconds since a job was started or submitted."""
        return self._clock() - job.since

    def plan(self, stats: Mapping[str, int]) -> None:
        """Steps by rule, as Snakemake counts them."""
        self.wanted = {rule: count for rule, count in stats.items() if rule != "total"}
        self.total = sum(self.wanted.values())

    def begin(
        self, number: int, rule: str, message: str, logs: list[str], threads: int, wildcards: Mapping[str, Any] = {}
    ) -> None:
        paths = tuple(map(Path, logs))
        marks = tuple(map(_mark, paths))
        told = {name: str(value) for name, value in wildcards.items()}
        self.jobs[number] = Job(rule, message or rule, paths, threads, self._clock(), marks, told, self._clock)

    def end(self, number: int) -> tuple[Job, float] | None:
        """Note that a job is done; the job and its seconds, from when it was started or submitted."""
        job = self.jobs.pop(number, None)
        if job is None:
            return None
        seconds = self.age(job)
        self.finished[job.rule] += 1
        self._took[job.rule].append(Known(seconds, job.threads))
        return job, seconds

    def fail(self, number: int) -> Failed | None:
        """Note that a try of a job ended badly."""
        job = self.jobs.pop(number, None)
        if job is None:
            return None
        self.failed[job.rule] += 1
        began = job.begun if self.remote else job.since
        return Failed(job.rule, job.wildcards, self._clock() - began if began is not None else 0.0)

    def left(self) -> Left:
        """How long the rest takes at the pace so far: spread over this machine, or over the jobs a cluster runs now."""
        jobs, work, longest, whole = list(self.jobs.values()), 0.0, 0.0, True
        running = Counter(job.rule for job in jobs)
        at_once = max(sum(job.runs() for job in jobs), 1) if self.remote else 0
        for position, job in enumerate(jobs):
            rest = self._rest(job, look=position < READ)
            if rest is None:
                whole = False
            else:
                longest, work = max(longest, rest), work + rest * self._share(job.threads, at_once)
        for rule, wanted in self.wanted.items():
            waiting = wanted - self.finished[rule] - running[rule]
            known = self._known(rule)
            if waiting > 0 and known is None:
                whole = False
            elif waiting > 0 and known is not None:
                work += waiting * known.seconds * self._share(known.threads, at_once)
        return Left(max(work, longest), whole)

    def _rest(self, job: Job, *, look: bool) -> float | None:
        elapsed, seen, known = self.age(job), job.seen() if look else None, self._known(job.rule)
        rest = seconds_left(seen.done, seen.total, elapsed) if seen else None
        if rest is not None:
            return rest
        return max(known.seconds - elapsed, 0.0) if known else None

    def _known(self, rule: str) -> Known | None:
        took = self._took.get(rule)
        if took:
            return Known(statistics.fmean(each.seconds for each in took), took[-1].threads)
        return self._earlier.get(rule)

    def _share(self, threads: int, at_once: int) -> float:
        """The part of all that runs at once which one job is; ``at_once`` jobs of a cluster, 0 for this machine."""
        return 1 / at_once if at_once else min(threads, self._cores) / self._cores


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def of_earlier_runs(benchmarks: Path, rules: Mapping[str, int]) -> dict[str, Known]:
    """What the wanted rules' jobs took when they last ran, by Snakemake's benchmark files of this experiment."""
    found = {}
    for rule in rules:
        files = [benchmarks / f"{rule}.jsonl", *sorted((benchmarks / rule).rglob("*.jsonl"))[:READ]]
        if took := [known for file in files for known in _benchmarks(file)]:
            found[rule] = Known(statistics.fmean(each.seconds for each in took), took[0].threads)
    return found


def _benchmarks(file: Path) -> list[Known]:
    try:
        rows: list[dict[str, Any]] = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return [Known(float(row["s"]), int(row.get("threads") or 1)) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # none, or cut off: an estimate can do without
