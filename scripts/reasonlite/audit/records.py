"""What Snakemake and the jobs' logs say of how each output was made.

Reads Snakemake's metadata (a JSON file an output, `.snakemake/metadata`), the benchmark file
of the job, and the line in its log that tells which machine and versions it had.
"""

from __future__ import annotations

import ast
import base64
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reasonlite.core.errors import UserError
from reasonlite.core.machine import MARK

APART = {"identity", "scripts"}  # of a job's params: its settings and code, and where the code lies
FORMATS = {6}  # of the metadata: Snakemake 9.27's


def metadata_files(root: Path) -> dict[str, os.DirEntry[str]]:
    """Metadata file by output, for all outputs of the workflow that runs in ``root``."""
    folder = root / ".snakemake" / "metadata"
    if not folder.is_dir():
        raise UserError(
            "Snakemake's metadata are not here",
            where=folder,
            todo="run the audit where the workflow was run, with Snakemake's default persistence backend",
        )
    return dict(_named(folder, ""))


def _named(folder: Path, start: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    for entry in os.scandir(folder):
        if entry.is_dir():  # a name too long for one file continues in folders that begin with @
            yield from _named(Path(entry.path), start + entry.name.removeprefix("@"))
            continue
        try:
            yield base64.b64decode(start + entry.name, validate=True).decode(), entry
        except ValueError:
            continue  # not a record


def read(path: Path, root: Path, results: Path) -> dict[str, Any] | None:
    """How one output was made, from its metadata file; None where the job did not finish.

    rule, wildcards, inputs (path: SHA-256 as the job read it, or null), settings, code (hash), shell (the rule's
    command before values are put in), start (UTC), seconds; told (params besides these settings, and threads) as
    its benchmark file has them, and machine as its log tells it.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise UserError("is not Snakemake's metadata", where=path, todo="delete it; its output is made again") from None
    if record.get("incomplete") or record.get("rule") is None:
        return None
    if record.get("record_format_version") not in FORMATS:
        raise UserError(
            f"metadata of format {record.get('record_format_version')}; this version reads {sorted(FORMATS)}",
            where=path,
            todo="use the Snakemake of the lock: make setup",
        )
    identity = _identity(record.get("params") or [])
    known = {name: text.removeprefix("sha256:") for name, text in (record.get("input_checksums") or {}).items()}
    start = record["starttime"]
    made = {
        "rule": record["rule"],
        "wildcards": {},
        "inputs": {name: known.get(name) for name in sorted(record.get("input") or [])},
        "settings": identity.get("settings", {}),
        "code": identity.get("code"),
        "shell": "\n".join(line.strip() for line in (record.get("code") or "").splitlines() if line.strip()),
        **({"lock": identity["lock"]} if "lock" in identity else {}),
        "start": datetime.fromtimestamp(start, UTC).isoformat(timespec="seconds"),
        "seconds": round(max(record["endtime"] - start, 0.0), 1),
    }
    logs = record.get("log") or []
    return made | (_job(root / logs[0], root / results, made["settings"]) if logs else {})


def _identity(params: list[str]) -> dict[str, Any]:
    """The one value among a job's params that names settings and code."""
    for text in params:
        if '"code":' in text and '"settings":' in text:
            try:
                found = json.loads(ast.literal_eval(text))
            except (ValueError, SyntaxError):
                continue
            if isinstance(found, dict) and {"code", "settings"} <= set(found):
                return found
    return {}


def _told(params: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """What a job was told besides its settings, such as paths and an engine's pace.

    That is meant to leave the values as they are; where values differ and nothing else does, it is looked at.
    """
    values = {name: _parsed(value) for name, value in params.items() if name not in APART}
    return {name: _without(value, settings.get(name)) for name, value in values.items() if value != settings.get(name)}


def _parsed(value: Any) -> Any:
    """A text that is JSON as what it says."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _without(value: Any, known: Any) -> Any:
    """``value`` without the entries that ``known`` has as well."""
    if isinstance(value, dict) and isinstance(known, dict):
        return {name: _without(each, known.get(name)) for name, each in value.items() if each != known.get(name)}
    return value


def _job(log: Path, results: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Wildcards, seconds, what it was told and machine of a job, as far as its benchmark and log are still there."""
    found: dict[str, Any] = {}
    try:
        benchmark = results / "benchmarks" / log.relative_to(results / "logs").with_suffix(".jsonl")
        entry = json.loads(benchmark.read_text(encoding="utf-8").splitlines()[-1])
        found |= {"wildcards": dict(entry["wildcards"]), "seconds": round(float(entry["s"]), 1)}
        found["told"] = _told({**(entry.get("params") or {}), "threads": entry.get("threads")}, settings)
    except (OSError, ValueError, KeyError, IndexError):
        pass
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            for _, line in zip(range(50), lines, strict=False):
                if MARK in line:
                    found["machine"] = json.loads(line.split(MARK, 1)[1])
                    break
    except (OSError, ValueError):
        pass
    return found
