"""What a stage is trained from, kept beside its checkpoints in progress: so that nothing else is continued from them,
and so that a stage that is asked for again with all of it the same is not trained again.

Snakemake removes a job's outputs before it runs; what was finished therefore stays linked in the work folder.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from reasonlite.audit.provenance import code_of
from reasonlite.core.files import atomic_path, sha256_file, write_json
from reasonlite.core.logs import get_logger
from reasonlite.models.folders import fingerprint
from reasonlite.training.tokens import origin

log = get_logger(__name__)
MADE_FROM, FINISHED = "made_from.json", "finished"


def made_from(script: Path, named: dict[str, Any], models: Sequence[Path], data: Sequence[Path]) -> dict[str, Any]:
    """All that a stage's result depends on: what is named, the models' and data's content, and the code.

    Files of tokens say themselves what they were made from; there may be hundreds of gigabytes of them.
    """
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda path: origin(path) if path.suffix == ".arrow" else sha256_file(path), data))
    started_from = [fingerprint(model) for model in models]
    code = code_of(script, script.parent)
    return {**named, "models": started_from, "data": tables, "code": code}


def _is_from(work: Path, key: Any) -> bool:
    try:
        return bool(json.loads((work / MADE_FROM).read_text(encoding="utf-8")) == key)
    except (OSError, ValueError):
        return False


def is_finished(work: Path, key: Any, outputs: Iterable[str]) -> bool:
    """Whether the stage was trained to its end from ``key``; every process finds the same."""
    return _is_from(work, key) and all((work / FINISHED / name).exists() for name in outputs)


def clear_other(work: Path, key: Any) -> None:
    """Remove what was made from anything but ``key``, so that training does not continue from it."""
    if not _is_from(work, key):
        if work.exists():
            log.info("%s was made from other data, settings or code: training begins anew", work)
            shutil.rmtree(work)
        write_json(work / MADE_FROM, key)


def take_finished(work: Path, outputs: dict[str, Path]) -> None:
    """Put a finished stage's outputs in place again."""
    log.info("trained before from the same data, settings and code: its files are put in place again")
    for name, path in outputs.items():
        with atomic_path(path) as temporary:
            _link(work / FINISHED / name, temporary)


def keep_finished(work: Path, outputs: dict[str, Path]) -> None:
    """Remove checkpoints in progress and keep links of the outputs."""
    for path in work.iterdir():
        if path.name != MADE_FROM:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with atomic_path(work / FINISHED) as kept:
        kept.mkdir()
        for name, path in outputs.items():
            _link(path, kept / name)


def _link(source: Path, target: Path) -> None:
    """Hard links where the file system has them, else copies."""

    def one(old: str, new: str) -> None:
        try:
            os.link(old, new)
        except OSError:
            shutil.copy2(old, new)

    if source.is_dir():
        shutil.copytree(source, target, copy_function=one)
    else:
        one(str(source), str(target))
