"""A release run again: its own workflow and config in a folder of their own, and its outputs beside the new ones.

What cannot be run here is not tried: models and problems that come from a hub, and what an archive does not hold.
"""

from __future__ import annotations

import csv
import shutil
import tarfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from reasonlite.audit import manifest as manifests
from reasonlite.audit import release
from reasonlite.core.errors import UserError
from reasonlite.core.files import write_text

KINDS = ("same bytes", "same values", "within the interval", "different", "not run")
HERE = {"package", "random", "reasoning_gym"}  # kinds of models and problems that need no hub and no file of the user's
INTERVAL = {"results.csv": ("value", "low", "high"), "arms.csv": ("value", "low", "high")}

# a config of which nothing is run but what needs none: the figures and the table of published numbers
TASKS = [{"name": "chain_sum", "size": 1}]
BARE: dict[str, Any] = {
    "seed": 0,
    "models": {"none": {"kind": "package", "package": "none"}},
    "evaluation": {
        "engine": {"kind": "vllm", "max_model_len": 16},
        "benchmarks": {"none": {"source": {"kind": "reasoning_gym", "seed": 0, "tasks": TASKS}}},
        "answers_per_problem": 1,
        "pass_at": [1],
        "baseline": "none",
        "models": [{"model": "none", "sampling": {"temperature": 0, "max_tokens": 1}}],
    },
}


@dataclass(frozen=True)
class Unpacked:
    """A release's workflow in ``folder``, ready to be run; ``released``: its manifest; ``texts``: its tables."""

    folder: Path
    config: str  # path in the folder; where something is lacking, of one that asks for the published figures alone
    experiment: str
    released: dict[str, Any]
    texts: dict[str, str]
    lacking: list[str]  # what the config asks for that is not here
    lock: Path  # of the environment that it ran in, in the folder

    @property
    def targets(self) -> list[str]:
        return ["published"] if self.lacking else ["all"]


def unpack(archive: Path, folder: Path) -> Unpacked:
    """Take the workflow out of a release whose sums fit; nothing is written outside ``folder``."""
    if folder.exists():
        raise UserError("is there already", where=folder, todo="name a folder that is not")
    _, faults = release.verify(archive)
    if faults:
        first = f"{faults[0].path}: {faults[0].what}"
        raise UserError(f"has {len(faults)} faults, such as {first}", where=archive, todo="fetch it again")
    texts: dict[str, str] = {}
    with tarfile.open(archive, "r:gz") as opened:
        for member in opened:
            name = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            content = opened.extractfile(member)
            assert content is not None  # verified: plain files, inside
            if name.parts[0] == "workflow" or (name.parts[0] == "config" and name.suffix == ".yaml"):
                target = folder / name.relative_to("workflow") if name.parts[0] == "workflow" else folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    shutil.copyfileobj(content, file)
            elif name.as_posix() == manifests.NAME or name.parts[0] == "tables":
                texts[name.as_posix()] = content.read().decode("utf-8", "replace")
    return _opened(archive, folder, texts)


def _opened(archive: Path, folder: Path, texts: dict[str, str]) -> Unpacked:
    for script in (folder / "envs").glob("*.sh"):
        script.chmod(0o755)
    configs = [path for path in (folder / "config").glob("*.yaml") if "experiment" in (_yaml(path) or {})]
    if len(configs) != 1 or not (folder / "Snakefile").is_file() or not (folder / "Makefile").is_file():
        todo = "make the release anew with this version"
        raise UserError("does not hold its workflow, or not one config", where=archive, todo=todo)
    raw = _yaml(configs[0])
    lock = Path((raw.get("environment") or {}).get("lock") or "envs/cpu.lock")
    released = manifests.parse(texts[manifests.NAME], archive)
    absent = sorted(set(lacking(raw)))
    config = configs[0].relative_to(folder).as_posix()
    if absent:  # a config whose files are not there is refused before anything is planned
        config = "config/published-alone.yaml"
        write_text(folder / config, yaml.safe_dump(BARE | {"experiment": str(raw["experiment"])}))
    return Unpacked(folder, config, str(raw["experiment"]), released, texts, absent, lock)


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return None


def lacking(raw: dict[str, Any]) -> list[str]:
    """What a config asks for that a release does not bring: by kind and name, such as hub: gpt-oss-120b."""
    benchmarks = {name: each.get("source", {}) for name, each in raw["evaluation"]["benchmarks"].items()}
    parts = (raw.get("models") or {}, (raw.get("problems") or {}).get("sources") or {}, benchmarks)
    found = [f"{each.get('kind')}: {name}" for part in parts for name, each in part.items()]
    teacher = raw.get("teacher") or {}
    efforts = {name: each.get("engine") or {} for name, each in (teacher.get("efforts") or {}).items()}
    engines = {"teacher": teacher.get("engine") or {}, **efforts}
    found += [f"{each['kind']}: {name}" for name, each in engines.items() if each.get("kind", "vllm") != "vllm"]
    found += [f"recorded: {entry['model']}" for entry in raw["evaluation"]["models"] if entry.get("recorded")]
    return [each for each in found if each.partition(":")[0] not in HERE]


def compare(unpacked: Unpacked) -> dict[str, str]:
    """How each output of the release stands beside the one made here: one of KINDS, by path."""
    results = unpacked.folder / "results" / unpacked.experiment
    path = results / manifests.NAME
    made = manifests.read(path)["outputs"] if path.is_file() else {}
    return {
        name: _kind(name, entry, made.get(name), unpacked.texts.get(name), results / name)
        for name, entry in unpacked.released["outputs"].items()
    }


def _kind(name: str, old: dict[str, Any], new: dict[str, Any] | None, text: str | None, file: Path) -> str:
    if new is None or not file.is_file():
        return "not run"
    if old["sha256"] == new["sha256"]:
        return "same bytes"
    if old.get("content") is not None and old.get("content") == new.get("content"):
        return "same values"
    columns = INTERVAL.get(PurePosixPath(name).name)
    if columns and text is not None and _inside(text, file.read_text(encoding="utf-8"), *columns):
        return "within the interval"
    return "different"


def _inside(released: str, made: str, value: str, low: str, high: str) -> bool:
    """Whether two tables have the same rows by name, and each value made lies in the interval that was released."""
    old, new = (
        [row for row in csv.DictReader(text.splitlines()) if not row.get("metric", "").startswith("tokens p")]
        for text in (released, made)
    )  # whose value, low and high are three percentiles

    def key(row: dict[str, str]) -> tuple[str, ...]:
        return tuple(row[name] for name in ("base", "arm", "model", "benchmark", "metric") if name in row)

    known = {key(row): row for row in old}
    if [key(row) for row in new] != list(known):
        return False
    return all(float(known[key(row)][low]) <= float(row[value]) <= float(known[key(row)][high]) for row in new)


def report(unpacked: Unpacked, kinds: dict[str, str]) -> str:
    """Counts, then every output that is not the same to the byte."""
    counts = Counter(kinds.values())
    lines = [", ".join(f"{counts[kind]:,} {kind}" for kind in KINDS if counts[kind])]
    if unpacked.lacking:
        lines.append(f"not tried, because it is not here: {', '.join(unpacked.lacking)}")
    for kind in KINDS[1:]:
        named = sorted(name for name, found in kinds.items() if found == kind)
        lines += [f"  {kind:20s} {name}" for name in named[:200]]
        lines += [f"  … and {len(named) - 200} more"] if len(named) > 200 else []
    return "\n".join(lines) + "\n"


def write(unpacked: Unpacked, output: Path) -> dict[str, str]:
    """Compare, and keep the report beside the folder's results."""
    kinds = compare(unpacked)
    write_text(output, report(unpacked, kinds))
    return kinds
