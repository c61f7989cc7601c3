"""What a run says of itself in ``logs/run.json`` while it goes on, for whoever looks at its results meanwhile.

Written by the run's main process, whole each time, as often as the display looks at most, and at least every
BEAT_SECONDS, so that a run that was killed shows by its silence.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from reasonlite.core.machine import boot_id
from reasonlite.core.pace import RUN_FILE, RUN_VERSION
from reasonlite.workflow.display import REMOTE_SECONDS, SECONDS
from reasonlite.workflow.progress import Progress

BEAT_SECONDS = 15.0


class Status:
    """Keeps the file up to date from a thread of its own until `stop`."""

    def __init__(self, results: Path, progress: Progress) -> None:
        self._path, self._progress = results / RUN_FILE, progress
        self._changed, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name="status", daemon=True)
        self._began = time.time()

    def start(self) -> None:
        self._write(None)
        self._thread.start()

    def changed(self) -> None:
        """A job began or ended."""
        self._changed.set()

    def stop(self, how: str) -> None:
        """The run is over: done, failed or interrupted."""
        self._over.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join()
        self._write(how)

    def _beat(self) -> None:
        while not self._over.is_set():
            self._changed.wait(BEAT_SECONDS)
            self._changed.clear()
            if not self._over.is_set():
                self._write(None)
                self._over.wait(REMOTE_SECONDS if self._progress.remote else SECONDS)

    def _write(self, ended: str | None) -> None:
        """Not synced to disk: after a crash of the machine nobody asks how far the run was."""
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):  # a full disk ends the run in other ways
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self._state(ended)), encoding="utf-8")
            temporary.replace(self._path)

    def _state(self, ended: str | None) -> dict[str, Any]:
        progress, now = self._progress, time.time()
        left = progress.left()
        jobs = [
            {
                "rule": job.rule,
                "message": job.message,
                "logs": [str(log) for log in job.logs],
                "since": now - progress.age(job),
                "runs": job.runs(),
            }
            for job in list(progress.jobs.values())
        ]
        return {
            **{"version": RUN_VERSION, "process": os.getpid(), "boot": boot_id(), "began": self._began, "seen": now},
            **{"ended": ended, "remote": progress.remote, "total": progress.total, "wanted": progress.wanted},
            **{"finished": dict(progress.finished), "failed": dict(progress.failed), "jobs": jobs},
            "left": {"seconds": left.seconds, "whole": left.whole},
        }
