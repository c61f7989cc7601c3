"""Computer algebra on pairs of answers, in a worker process that can be killed.

math-verify decides; it stops itself by a signal on the main thread only, and some pairs
hang all the same. Here a pair runs in a process of its own with limits that the kernel
enforces: CPU time (so a slow machine decides the same pairs) and memory. A pair that hits a
limit is undecided, with the reason, and the next pair gets a new worker.
"""

from __future__ import annotations

import atexit
import functools
import multiprocessing
import resource
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection

CPU_SECONDS = 5.0  # per pair
WALL_SECONDS = 120.0  # per pair; only reached by a worker that waits without computing
START_SECONDS = 900.0  # importing sympy took minutes on a bad day
MEMORY_BYTES = 2 * 2**30  # address space of the worker

Answer = tuple[bool | None, str]  # equal or not, None if undecided; and what decided


def equal(first: str, second: str) -> Answer:
    """Whether two answers are equal as mathematics, by the process's own worker."""
    return _worker().ask(first, second)


@functools.cache
def _worker() -> Worker:
    worker = Worker()
    atexit.register(worker.stop)
    return worker


class Worker:
    """One worker process, started when it is first needed and again after it was killed."""

    def __init__(self, cpu_seconds: float = CPU_SECONDS) -> None:
        self._cpu_seconds = cpu_seconds
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None

    def ask(self, first: str, second: str) -> Answer:
        """Equal, different, or undecided with the reason; a RuntimeError if no worker can be started."""
        connection = self._running()
        try:
            connection.send((first, second))
            if connection.poll(WALL_SECONDS):
                return connection.recv()
            reason = "stopped at the time limit"
        except (EOFError, OSError):
            reason = self._cause_of_death()
        self.stop()
        return None, reason

    def _running(self) -> Connection:
        if self._connection is None:
            context = multiprocessing.get_context("spawn")  # a fork would copy Polars' locked threads
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._cpu_seconds), daemon=True)
            self._process.start()
            theirs.close()
            try:
                started = self._connection.poll(START_SECONDS) and self._connection.recv() == "ready"
            except EOFError:
                started = False
            if not started:
                self.stop()
                raise RuntimeError("the algebra worker did not start")
        return self._connection

    def _cause_of_death(self) -> str:
        if self._process is not None:
            self._process.join(10)
            if self._process.exitcode == -signal.SIGPROF:
                return "stopped at the CPU limit"
        return "the worker died"

    def stop(self) -> None:
        """End the worker, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None


def _serve(connection: Connection, cpu_seconds: float) -> None:
    """The worker: import once, then answer pairs until the connection closes."""
    from math_verify import parse, verify

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # the kernel ends the process; no Python code is needed
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection.send("ready")
    while True:
        try:
            first, second = connection.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        answer = _decide(first, second, parse, verify)
        signal.setitimer(signal.ITIMER_PROF, 0)
        connection.send(answer)


def _decide(first: str, second: str, parse: Callable, verify: Callable) -> Answer:
    """Asked both ways round; math-verify takes 11a+c for 7 = 11a+c, but not the reverse."""
    try:
        parsed = [parse(f"\\boxed{{{text}}}", parsing_timeout=None, raise_on_error=True) for text in (first, second)]
        if not all(parsed):
            return None, "not understood"
        forth, back = (bool(verify(a, b, timeout_seconds=None, raise_on_error=True)) for a, b in (parsed, parsed[::-1]))
    except (Exception, RecursionError) as error:  # whatever sympy raises
        return None, f"algebra failed: {type(error).__name__}"
    return (forth, "algebra") if forth == back else (None, "depends on the order")
