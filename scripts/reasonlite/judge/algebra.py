"""Computer algebra on pairs of answers, in a worker process that can be killed.

math-verify decides; it stops itself by a signal on the main thread only, and some pairs
hang all the same. Here a pair runs in a process of its own with limits that the kernel
enforces: CPU time (so a slow machine decides the same pairs) and memory. A pair that hits a
limit is undecided, with the reason, and the next pair gets a new worker.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import json
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

CPU_SECONDS = 5.0  # per pair
WALL_SECONDS = 120.0  # per pair; only reached by a worker that waits without computing
START_SECONDS = 900.0  # importing sympy took minutes on a bad day
MEMORY_BYTES = 2 * 2**30  # address space of the worker
FAR = 1e-3  # relatively; math-verify lets numbers pass that agree to six digits
PAIRS, REPLIES = "pairs", "replies"  # what a worker is asked
_POINT = 0.3718  # where series converge

Answer = tuple[bool | None, str]  # equal or not, None if undecided; and what decided


def equal(first: str, second: str) -> Answer:
    """Whether two answers are equal as mathematics, by the process's own worker."""
    return _worker(PAIRS).ask(first, second) if _is_installed() else (None, "computer algebra is not installed")


def whole_reply(label: str, reply: str) -> Answer:
    """math-verify's own verdict on a whole reply beside a label, read by its own extraction as elsewhere."""
    return _worker(REPLIES).ask(label, reply) if _is_installed() else (None, "math-verify is not installed")


@functools.cache
def _is_installed() -> bool:
    """The workflow always has it; a program that has only the judge need not."""
    return importlib.util.find_spec("math_verify") is not None


@functools.cache
def _worker(asked: str) -> Worker:
    worker = Worker(asked=asked)
    atexit.register(worker.stop)
    return worker


class Worker:
    """One worker process, started when it is first needed and again after it was killed.

    It is a program of its own, not a fork or spawn of this process: a fork would copy locked
    threads, and a spawn would run the caller's main module again. One JSON line a pair and an answer.
    """

    def __init__(self, cpu_seconds: float = CPU_SECONDS, asked: str = PAIRS) -> None:
        self._arguments = [str(cpu_seconds), asked]
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, first: str, second: str) -> Answer:
        """Equal, different, or undecided with the reason; a RuntimeError if no worker can be started."""
        process = self._running()
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps([first, second]).encode("ascii") + b"\n")
            process.stdin.flush()
            line = self._line(WALL_SECONDS)
            if line:
                same, method = json.loads(line)
                return same, method
            reason = "stopped at the time limit" if line is None else self._cause_of_death()
        except (BrokenPipeError, ConnectionError):
            reason = self._cause_of_death()
        self.stop()
        return None, reason

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            if self._line(START_SECONDS) != b"ready\n":
                self.stop()
                raise RuntimeError("the algebra worker did not start; try: python -c 'import math_verify'")
        return self._process

    def _line(self, seconds: float) -> bytes | None:
        """The worker's next line; b"" at its end, None when it stays silent for so long."""
        assert self._process is not None and self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        return self._process.stdout.readline() if ready else None

    def _cause_of_death(self) -> str:
        if self._process is not None and self._process.wait(10) == -signal.SIGPROF:
            return "stopped at the CPU limit"
        return "the worker died"

    def stop(self) -> None:
        """End the worker, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process = None


def _serve(cpu_seconds: float, asked: str) -> None:
    """The worker: import once, then answer pairs of answers (PAIRS), or of a label and a reply (REPLIES)."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what sympy prints is no answer
    from math_verify import parse, verify

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # the kernel ends the process; no Python code is needed
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    known = functools.lru_cache(maxsize=256)(  # a label stands beside many answers
        lambda text: parse(f"\\boxed{{{text}}}", parsing_timeout=None, raise_on_error=True)
    )
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        first, second = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        answer = _decide(first, second, known, verify) if asked == PAIRS else _verified(first, second, parse, verify)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps(answer), file=answers, flush=True)


def _decide(first: str, second: str, read: Callable[[str], list[Any]], verify: Callable) -> Answer:
    """Asked both ways round; math-verify takes 11a+c for 7 = 11a+c, but not the reverse."""
    try:
        parsed = [read(first), read(second)]
        if not all(parsed):
            return None, "not understood"
        if _apart(*map(_only, parsed)):
            return False, "algebra"
        forth, back = (bool(verify(a, b, timeout_seconds=None, raise_on_error=True)) for a, b in (parsed, parsed[::-1]))
    except (Exception, RecursionError) as error:  # whatever sympy raises
        return None, f"algebra failed: {type(error).__name__}"
    return (forth, "algebra") if forth == back else (None, "depends on the order")


def _verified(label: str, reply: str, parse: Callable, verify: Callable) -> Answer:
    """As in math-verify's own examples: the label as a formula, the reply as it is."""
    try:
        gold, found = (parse(text, parsing_timeout=None) for text in (f"${label}$", reply))
        return bool(verify(gold, found, timeout_seconds=None)), "math-verify"
    except (Exception, RecursionError) as error:  # whatever sympy raises
        return None, f"math-verify failed: {type(error).__name__}"


def _only(parsed: list[Any]) -> Any:
    """The one thing that math-verify has read, the value where it is given a name; None if there are several."""
    import sympy

    found = [each for each in parsed if isinstance(each, sympy.Basic)]
    if len(found) == 1 and isinstance(found[0], sympy.Eq) and isinstance(found[0].lhs, sympy.Symbol):
        return found[0].rhs
    return found[0] if len(found) == 1 else None


def _apart(first: Any, second: Any) -> bool:
    """Whether it can be seen that a scalar is not the other side: by their unknowns, or by far at one point.

    math-verify simplifies for seconds before it says the same of a series beside a number.
    """
    import sympy

    if first is None or second is None:
        return False
    scalars = [isinstance(each, sympy.Expr) for each in (first, second)]
    if any(scalars) and first.free_symbols != second.free_symbols:
        return True
    if not all(scalars):
        return False
    point = {symbol: _POINT + place / 7 for place, symbol in enumerate(sorted(first.free_symbols, key=str))}
    try:
        left, right = (complex(each.evalf(15, subs=point)) for each in (first, second))
    except (TypeError, ValueError, ArithmeticError):  # no number there
        return False
    return abs(left - right) > FAR * max(abs(left), abs(right))


if __name__ == "__main__":
    _serve(float(sys.argv[1]), sys.argv[2])
