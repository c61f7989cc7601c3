"""Ends a process in which nothing moves any more, with the stacks of what it waits in: its next try goes on.

An engine, a rank or a collective that hangs would otherwise hold its GPUs until the job's time is over. Does not know
what the work is.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import resource
import signal
import sys
import threading
import time

from reasonlite.core.errors import TRY_AGAIN
from reasonlite.core.pace import duration

FLOOR_SECONDS = 20 * 60.0  # never less between two beats
FIRST_SECONDS = 60 * 60.0  # until the first one: weights are read, kernels compiled
FACTOR = 10  # times the longest pause so far
FIRST_FACTOR = 3  # times the first one, which also set everything up
OWN = "REASONLITE_STALL_SECONDS"  # the environment's own floor, for both
OTHERS_SECONDS = 15.0  # in which the other ranks find the same and write their stacks, before a launcher ends them
DEAF_SECONDS = 60.0  # after which the interpreter itself, if it cannot run this thread, is ended from outside of it
LOOK_SECONDS = 2.0
SUSPENDED_SECONDS = 20.0  # late by so much, this thread was not run because the job was not


class Guard:
    """Watches for ``beat``; ``what`` is counted, in the singular: step, reply.

    The limit is FACTOR times the longest pause between two beats so far or FIRST_FACTOR times that before the first,
    and never less than FLOOR_SECONDS. Time in which the whole process was suspended does not count.
    """

    def __init__(self, what: str) -> None:
        own = os.environ.get(OWN)
        self._what = what
        self._floor = float(own) if own else FLOOR_SECONDS
        self._limit = self._floor if own else FIRST_SECONDS
        self._longest = self._first = 0.0
        self._beats = 0
        self._last = time.monotonic()
        self._armed = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stall guard", daemon=True)

    def __enter__(self) -> Guard:
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))  # the ended workers leave stacks, not gigabytes
        faulthandler.enable(file=2)  # workers that are forked from here say where they were, too
        self._last = time.monotonic()
        self._arm()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        faulthandler.cancel_dump_traceback_later()
        self._thread.join()

    def beat(self) -> None:
        """Something moved."""
        now = time.monotonic()
        if self._beats:
            self._longest = max(self._longest, now - self._last)
        else:
            self._first = now - self._last
        self._beats += 1
        self._limit = max(self._floor, FACTOR * self._longest, FIRST_FACTOR * self._first)
        self._last = now
        if now > self._armed + LOOK_SECONDS:
            self._arm()

    def _arm(self) -> None:
        """Have the C library's own thread end the process, should ours not be run: it needs the interpreter's lock."""
        self._armed = time.monotonic()
        faulthandler.dump_traceback_later(self._limit + DEAF_SECONDS, exit=True, file=2)

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(LOOK_SECONDS):
            now = time.monotonic()
            if now - before > LOOK_SECONDS + SUSPENDED_SECONDS:
                self._last += now - before
                self._arm()
            before = now
            if now > self._last + self._limit:
                self._end()

    def _end(self) -> None:
        said = f"stalled: no {self._what} for {duration(time.monotonic() - self._last)}"
        said += f" ({self._beats} before, at most {duration(self._longest)} apart)"
        todo = f"the next try goes on by itself; if this is only slow, set {OWN} to more seconds than {self._limit:.0f}"
        print(f"{said}; stacks of all threads follow\n  what to do: {todo}", file=sys.__stderr__, flush=True)
        faulthandler.dump_traceback(file=2, all_threads=True)
        for process in _started():
            with contextlib.suppress(OSError):  # Python's own handler writes its stack (devices.prepare asks for it)
                os.kill(process, signal.SIGABRT)
        time.sleep(OTHERS_SECONDS)
        os._exit(TRY_AGAIN)


def _started() -> list[int]:
    """Processes that this one started, and those that they did."""
    import psutil

    return [process.pid for process in psutil.Process().children(recursive=True)]
