"""A manifest's outputs as the jobs that made them. Knows the manifest's form, not what the jobs do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any


@dataclass
class Job:
    """One run of a rule. ``inputs``: names as the workflow has them, with the hashes read, None for folders;
    ``outputs``: names in the results folder, with their hashes."""

    rule: str
    wildcards: dict[str, str]
    start: str  # ISO 8601; empty where it is not known
    seconds: float
    settings: dict[str, Any]
    code: str
    machine: dict[str, Any]
    inputs: dict[str, str | None]
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The rule with the job's wildcards."""
        return "/".join([self.rule, *map(str, self.wildcards.values())])

    @property
    def end(self) -> str:
        if not self.start:
            return ""
        return (datetime.fromisoformat(self.start) + timedelta(seconds=self.seconds)).isoformat(timespec="seconds")


def jobs_of(manifest: dict[str, Any]) -> list[Job]:
    """Every job of which an output is there, in the order in which they began."""
    found: dict[str, Job] = {}
    for path, entry in sorted(manifest["outputs"].items()):
        if not entry.get("rule"):
            continue
        wildcards = {name: str(value) for name, value in (entry.get("wildcards") or {}).items()}
        key = json.dumps([entry["rule"], wildcards, entry.get("start")], sort_keys=True)
        if key not in found:
            found[key] = Job(
                entry["rule"],
                wildcards,
                entry.get("start") or "",
                float(entry.get("seconds") or 0),
                entry.get("settings") or {},
                str(entry.get("code") or ""),
                entry.get("machine") or {},
                dict(entry.get("inputs") or {}),
            )
        found[key].outputs[path] = entry["sha256"]
    return sorted(found.values(), key=lambda job: (job.start, job.name))


def inside(name: str, experiment: str) -> str:
    """An input's name as outputs of the results folder have theirs; a source's name stays."""
    return name.removeprefix(f"results/{experiment}/")


def experiment_of(manifest: dict[str, Any]) -> str:
    """The results folder's name when the jobs ran, as their inputs tell it; a release may be unpacked anywhere.

    Jobs may read another experiment's results too: the name is that under which most inputs are outputs here.
    """
    names: Counter[str] = Counter()
    for entry in manifest["outputs"].values():
        for name in entry.get("inputs", {}):
            parts = PurePosixPath(name).parts
            if len(parts) > 2 and parts[0] == "results":
                names[parts[1]] += 1 + ("/".join(parts[2:]) in manifest["outputs"]) * 1_000_000
    return max(names, key=lambda name: (names[name], name)) if names else "unknown"


def settings_of(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Settings as pairs of a dotted name and a text; lists stay whole, as JSON, and what is not set is left out."""
    if isinstance(value, dict):
        for name in sorted(value):
            yield from settings_of(value[name], f"{path}.{name}" if path else name)
    elif value not in (None, [], ""):
        yield path, value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
