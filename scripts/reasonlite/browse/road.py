"""The steps of a run in their order: how many files each made, in what time, and what state it is in."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from reasonlite.browse import live
from reasonlite.browse.folder import Folder

# steps as readers know them: name, folders of their outputs, rules that fill them, the view that shows more
STEPS = (
    ("models", ("models",), ("fetch_model",), None),
    ("problems", ("problems",), ("fetch_problems", "shard_problems"), "problems"),
    ("answers", ("answers",), ("generate_answers",), "problems"),
    ("groups", ("groups",), ("group_answers", "adjudicate", "settle_groups"), "problems"),
    ("votes and verdicts", ("votes", "judged"), ("vote_and_judge",), "problems"),
    ("how hard problems are", ("probes", "difficulty"), ("draw_probe", "judge_probe", "rate_problems"), None),
    ("training files", ("curriculum", "tokens"), ("curate", "tokenize_examples"), "training"),
    ("training", ("checkpoints", "training"), ("train",), "training"),
    (
        "evaluation",
        ("evaluation",),
        (
            *("evaluate_answers", "gather_answers", "take_answers", "evaluate_groups", "evaluate_judge"),
            *("evaluate_code", "grade_by_model", "grade_answers"),
        ),
        "benchmarks",
    ),
    ("tables", ("tables",), ("tabulate_",), None),
    ("figures", ("figures",), ("plot_",), None),
)


@dataclass(frozen=True)
class Step:
    """``state``: done, running, failed, waiting, stopped; there (some files, and nobody says whether all), or none."""

    name: str
    files: int
    bytes: int
    seconds: float
    state: str
    told: str  # of the run under way: 3 of 8 done
    view: str | None


def steps(folder: Folder, run: live.Run | None) -> list[Step]:
    """The steps that there is anything of, and those that a run under way still has to make."""
    there = folder.at_times("sizes", lambda: _sizes(folder.path))
    manifest = folder.manifest()
    lacking = {name.split("/", 1)[0] for name in (manifest["outputs"] if manifest else ()) if name not in there}
    sizes: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, bytes_ in there.items():
        first = sizes[name.split("/", 1)[0]]
        first[0], first[1] = first[0] + 1, first[1] + bytes_
    seconds = folder.at_times("times", lambda: _times(folder))
    found = []
    for name, parts, rules, view in STEPS:
        files, size = (sum(sizes[part][position] for part in parts if part in sizes) for position in (0, 1))
        spent = sum(value for rule, value in seconds.items() if rule.startswith(rules))
        whole = manifest is not None and not lacking & set(parts)
        state, told = _state(run, rules, files, whole=whole)
        if files or told:
            found.append(Step(name, files, size, spent, state, told, view))
    return found


def _state(run: live.Run | None, rules: tuple[str, ...], files: int, *, whole: bool) -> tuple[str, str]:
    """``whole``: every output of the step that the manifest names is there."""
    own = [entry for entry in run.rules if entry[0].startswith(rules)] if run else []
    wanted, finished = sum(entry[1] for entry in own), sum(entry[2] for entry in own)
    running, failed = sum(entry[3] for entry in own), sum(entry[4] for entry in own)
    if wanted and finished >= wanted and files:
        return "done", ""
    if run is None or not wanted or run.state == "done":
        return ("done" if whole else "there") if files else "none", ""
    told = f"{finished:,} of {wanted:,} steps done"
    if failed or run.state == "failed":
        return ("failed" if failed else "waiting"), told
    if run.state != "runs":
        return "stopped" if running else "waiting", told
    return ("running" if running else "waiting"), told


def _sizes(root: Path) -> dict[str, int]:
    """Bytes of each output by its path; what is still written (hidden) and work in progress left out."""
    found = {}
    for base, folders, names in os.walk(root):
        inside = os.path.relpath(base, root)
        folders[:] = [name for name in folders if not name.startswith(".") and name != "work"]
        if inside == ".":
            folders[:] = [name for name in folders if name not in {"logs", "benchmarks", "journals"}]
            continue
        for name in names:
            if not name.startswith("."):
                try:
                    found[f"{inside}/{name}"] = os.lstat(f"{base}/{name}").st_size
                except OSError:
                    continue
    return found


def _times(folder: Folder) -> dict[str, float]:
    """Seconds that each rule's jobs took together, by Snakemake's benchmark files."""
    found: dict[str, float] = defaultdict(float)
    for path in folder.files("benchmarks/**/*.jsonl"):
        rule = path.relative_to(folder.path / "benchmarks").parts[0].removesuffix(".jsonl")
        found[rule] += folder.remembered(path, "seconds", _seconds) or 0.0
    return dict(found)


def _seconds(path: Path) -> float:
    lines = path.read_text(encoding="utf-8").splitlines()
    return float(json.loads(lines[-1])["s"]) if lines else 0.0
