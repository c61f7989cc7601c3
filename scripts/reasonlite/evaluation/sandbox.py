"""Untrusted programs in a sandbox: bubblewrap, no network, nothing of the user's, hard limits.

Each process sees a read-only system without /etc, /home and /root, an empty writable /work
of a few megabytes, its own process table and no network. It runs as a user of its own with
limits on CPU time, memory, processes, file size and open files, and everything in it is
killed as a whole at the time limit or when this process ends. Without bubblewrap nothing runs.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reasonlite.core.errors import UserError
from reasonlite.evaluation.sandboxed import harness

HARNESS = Path(harness.__file__)
Status = Literal["passed", "failed", "timeout"]


@dataclass(frozen=True)
class Limits:
    """What one program may use."""

    wall_seconds: float = 15.0
    cpu_seconds: int = 10
    memory_bytes: int = 1 << 30  # address space of each process
    processes: int = 16
    file_bytes: int = 1 << 24

    def as_json(self, uid: int) -> str:
        return json.dumps(
            {
                "uid": uid,
                "CPU": self.cpu_seconds,
                "AS": self.memory_bytes,
                "NPROC": self.processes,
                "FSIZE": self.file_bytes,
                "NOFILE": 64,
                "CORE": 0,
            }
        )


@dataclass(frozen=True)
class Outcome:
    status: Status
    detail: str


def run_tests(code: str, entry_point: str, prompt: str, test: str, limits: Limits | None = None) -> Outcome:
    """Whether ``entry_point`` as ``code`` defines it passes ``test``, which defines check(candidate).

    The form is HumanEval's (Chen et al. 2021): ``prompt`` holds helpers that the tests may use. The
    code and the tests run in two sandboxes; a UserError says so where there is none.
    """
    check_available()
    return _run(code, entry_point, prompt, test, limits or Limits())


def _run(code: str, entry_point: str, prompt: str, test: str, limits: Limits) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
        programs = {
            "candidate": {"code": code, "entry_point": entry_point},
            "tester": {"entry_point": entry_point, "prompt": prompt, "test": test},
        }
        for role, program in programs.items():
            path = Path(folder) / f"{role}.json"
            path.write_text(json.dumps(program), encoding="ascii")
            path.chmod(0o644)
        Path(folder).chmod(0o755)
        return _run_pair(Path(folder), limits)


def _run_pair(folder: Path, limits: Limits) -> Outcome:
    """Candidate and tester with their streams crossed; the tester's error stream is the verdict."""
    calls_in, calls_out = os.pipe()
    results_in, results_out = os.pipe()
    with contextlib.ExitStack() as stack:
        candidate = stack.enter_context(_started("candidate", folder, limits, calls_in, results_out, None))
        tester = stack.enter_context(_started("tester", folder, limits, results_in, calls_out, subprocess.PIPE))
        for descriptor in (calls_in, calls_out, results_in, results_out):
            os.close(descriptor)
        try:
            _, report = tester.communicate(timeout=limits.wall_seconds)
        except subprocess.TimeoutExpired:
            return Outcome("timeout", f"stopped after {limits.wall_seconds:g} s")
        lines = report.decode("utf-8", "replace").strip().splitlines()
        ended = candidate.poll()
    try:
        verdict = json.loads(lines[-1])
        return Outcome(verdict["status"], str(verdict["detail"]))
    except (ValueError, KeyError, IndexError, TypeError):
        detail = lines[-1][:300] if lines else f"no verdict (exit {tester.returncode}, candidate {ended})"
        return Outcome("failed", detail)


@contextlib.contextmanager
def _started(
    role: str, folder: Path, limits: Limits, stdin: int, stdout: int, stderr: int | None
) -> Iterator[subprocess.Popen[bytes]]:
    uid = _user(role)
    program = f"/program/{role}.json"
    command = [
        *_bubblewrap(),
        *("--ro-bind", str(HARNESS), "/program/harness.py", "--ro-bind", str(folder / f"{role}.json"), program),
        *("--remount-ro", "/dev", "--remount-ro", "/"),
        *(_interpreter(), "-I", "-S", "-B", "/program/harness.py", role, limits.as_json(uid), program),
    ]
    process = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr or subprocess.DEVNULL,
        start_new_session=True,
        env={},  # bubblewrap's own could be read in /proc
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # bubblewrap, and with it the namespace's first process
        process.wait()


def _user(role: str) -> int:
    """A user id that nobody has, so that the limit on processes counts this sandbox alone; nobody's where none is."""
    wanted = 2_000_000_000 + os.getpid() % 1_000_000 * 2 + (role == "tester")
    ranges = [line.split() for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()]
    return wanted if any(int(first) <= wanted < int(first) + int(count) for first, _, count in ranges) else 65534


@functools.cache
def _interpreter() -> str:
    """This Python inside the sandbox; its own folder appears as /python unless it is the system's."""
    path, base = Path(os.path.realpath(sys.executable)), Path(os.path.realpath(sys.base_prefix))
    return str(path if path.is_relative_to("/usr") else Path("/python") / path.relative_to(base))


@functools.cache
def _bubblewrap() -> tuple[str, ...]:
    """The command up to the program: what is seen, and what is not."""
    found = shutil.which("bwrap")
    if found is None:
        raise UserError(
            "code is only run in a sandbox, and bubblewrap is not installed",
            where="bwrap",
            todo="on Debian: apt-get install bubblewrap; or leave benchmarks with grading: code out",
        )
    options = ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox", "--as-pid-1"]
    options += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.getuid() == 0:  # the harness gives root up itself, so that the limit on processes holds
        options += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        options += ["--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    options += ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib32", "lib64", "sbin"):
        path = Path("/", name)
        if path.is_symlink():
            options += ["--symlink", str(path.readlink()), str(path)]
        elif path.exists():
            options += ["--ro-bind", str(path), str(path)]
    base = Path(os.path.realpath(sys.base_prefix))
    if not base.is_relative_to("/usr"):
        options += ["--ro-bind", str(base), "/python"]
    options += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--proc", "/proc", "--dev", "/dev"]
    options += ["--perms", "1777", "--size", str(1 << 24), "--tmpfs", "/work", "--chdir", "/work"]
    options += ["--setenv", "PATH", "/usr/bin", "--setenv", "LANG", "C.UTF-8", "--setenv", "HOME", "/work"]
    return (found, *options)


@functools.cache
def check_available() -> None:
    """Run a program that passes, once; a UserError with what was said instead where no sandbox can be had."""
    done = subprocess.run([*_bubblewrap(), _interpreter(), "-I", "-S", "-c", "pass"], capture_output=True, text=True)
    detail = done.stderr.strip()[:300]
    if not done.returncode:
        outcome = _run(
            "def f(): return 1", "f", "", "def check(candidate):\n    assert candidate() == 1\n", Limits(120)
        )
        if outcome.status == "passed":
            return
        detail = outcome.detail
    raise UserError(
        f"no sandbox can be started: {detail}",
        where="bwrap",
        todo="allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1), or run elsewhere",
    )
