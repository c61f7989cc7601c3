"""What differs between two manifests, and the first things upstream that differ: why.

An output is compared by its values where the manifest has a hash of them, else by its bytes.
Does not open any file; the look inside a change is `reasonlite.audit.inside`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

Manifest = dict[str, Any]
# in the order in which they are told
KINDS = ("added", "removed", "changed", "rewritten")
# what a reader looks at first, then back to where the data come from
PARTS = ("tables", "figures", "evaluation", "training", "checkpoints", "curriculum", "judged", "votes", "groups")

# steps that give the same values from the same input, settings and code, on one machine; not those that draw, train,
# run programs, or ask computer algebra with a limit of time
EXACT = {"shard_problems", "vote_and_judge", "curate", "tokenize_examples", "rate_problems", "evaluate_judge"}
EXACT |= {"settle_groups", "gather_answers", "take_answers"}


@dataclass(frozen=True, order=True)
class Cause:
    """One first difference: where, what, and its kind (source, setting, code, rule, lock, machine, …).

    ``perhaps``: something else differs too, so it is not known whether this changed anything of its own.
    """

    kind: str
    where: str
    what: str
    perhaps: bool = False

    def __str__(self) -> str:
        told = f"{self.kind} {self.where}: {self.what}" if self.where else f"{self.kind}: {self.what}"
        return f"{told} (perhaps: something else differs too)" if self.perhaps else told


@dataclass(frozen=True)
class Change:
    """One output that is not as it was. ``rewritten``: the same values in other bytes."""

    path: str
    kind: str
    rule: str | None
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Difference:
    changes: list[Change]
    unchanged: int
    notes: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Change]:
        return [change for change in self.changes if change.kind == kind]


def compare(old: Manifest, new: Manifest) -> Difference:
    """All outputs that differ, in the order of kinds and paths, each with its root causes."""
    before, after = old["outputs"], new["outputs"]
    causes = _Causes(old, new)
    changes, unchanged = [], 0
    for path in sorted(before.keys() | after.keys()):
        kind = _kind(before.get(path), after.get(path))
        if kind is None:
            unchanged += 1
            continue
        rule = (after.get(path) or before[path]).get("rule")
        changes.append(Change(path, kind, rule, tuple(sorted(causes.of(path)))))
    changes.sort(key=lambda change: (KINDS.index(change.kind), _rank(change.path), change.path))
    return Difference(changes, unchanged, list(_notes(old, new)))


def _rank(path: str) -> int:
    part = path.split("/", 1)[0]
    return PARTS.index(part) if part in PARTS else len(PARTS)


def _kind(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str | None:
    if before is None or after is None:
        return "added" if before is None else "removed"
    if before["sha256"] == after["sha256"]:
        return None
    same = before.get("content") is not None and before.get("content") == after.get("content")
    return "rewritten" if same else "changed"


class _Causes:
    """Root causes by output; each output is looked at once."""

    def __init__(self, old: Manifest, new: Manifest) -> None:
        self._old, self._new = old, new
        self._known: dict[str, frozenset[Cause]] = {}
        self._folders: dict[str, list[str]] = defaultdict(list)
        for path in sorted(old["outputs"].keys() | new["outputs"].keys()):
            for folder in PurePosixPath(path).parents:
                self._folders[str(folder)].append(path)

    def of(self, path: str) -> frozenset[Cause]:
        if path not in self._known:
            self._known[path] = frozenset()  # a graph has no cycles; this ends a damaged one
            self._known[path] = frozenset(self._find(path))
        return self._known[path]

    def _find(self, path: str) -> set[Cause]:
        before, after = self._old["outputs"].get(path), self._new["outputs"].get(path)
        if after is None:
            return {Cause("config", "", "no longer asked for, or not yet made again")}
        rule = after.get("rule")
        if rule is None:
            return {Cause("by hand", path, "no job of the workflow made this file")}
        if before is None:
            upstream = self._upstream(after["inputs"], after["inputs"])
            return upstream or {Cause("config", rule, "newly asked for")}
        if before.get("rule") is not None and _same_job(before, after):
            return {Cause("by hand", path, "altered after the job that made it")}
        found = set(_settings(rule, before.get("settings"), after.get("settings")))
        made_by = set(self._lock(before.get("lock"), after.get("lock")))
        made_by |= set(self._code(before.get("code"), after.get("code")))
        made_by |= set(self._shell(rule, before.get("shell"), after.get("shell")))
        above = self._upstream(before.get("inputs", {}), after["inputs"])
        if found or above:  # a new program is not the only thing that may have changed the values
            made_by = {replace(cause, perhaps=True) for cause in made_by}
        return _certain(found | above | made_by) or set(_chance(rule, before, after))

    def _upstream(self, before: dict[str, Any], after: dict[str, Any]) -> set[Cause]:
        found: set[Cause] = set()
        for name in sorted(before.keys() | after.keys()):
            old, new = self._old["sources"].get(name), self._new["sources"].get(name)
            if (old or new) and _kind(old, new) is not None:
                found.add(Cause("source", name, _told(old, new)))
            for output in self._outputs_under(name):
                kind = _kind(self._old["outputs"].get(output), self._new["outputs"].get(output))
                if kind is not None and kind != "rewritten":
                    found |= self.of(output)
        return found

    def _outputs_under(self, name: str) -> list[str]:
        """Outputs that an input names: itself, or the files of a folder."""
        relative = _inside(name)
        if relative is None:
            return []
        if relative in self._old["outputs"] or relative in self._new["outputs"]:
            return [relative]
        return self._folders.get(relative, [])

    def _code(self, before: str | None, after: str | None) -> Iterator[Cause]:
        if before == after:
            return
        old, new = self._old["code"].get(before) or {}, self._new["code"].get(after) or {}
        if not old or not new:
            yield Cause("code", "", "differs; its parts were not recorded")
            return
        for file in sorted(old.keys() | new.keys()):
            if file not in old or file not in new:
                yield Cause("code", file, "no longer used" if file in old else "newly used")
            elif old[file] != new[file]:
                left = self._old.get("functions", {}).get(old[file]) or {}
                right = self._new.get("functions", {}).get(new[file]) or {}
                names = sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
                yield Cause("code", file, ", ".join(names) or "differs")

    def _shell(self, rule: str, before: str | None, after: str | None) -> Iterator[Cause]:
        if before != after:
            old = self._old.get("shells", {}).get(before, "").splitlines()
            new = self._new.get("shells", {}).get(after, "").splitlines()
            lines = [f"- {line}" for line in old if line not in new] + [f"+ {line}" for line in new if line not in old]
            yield Cause("rule", rule, "; ".join(lines) or "its command's lines stand in another order")

    def _lock(self, before: str | None, after: str | None) -> Iterator[Cause]:
        if before != after:
            old = self._old.get("locks", {}).get(before) or {}
            new = self._new.get("locks", {}).get(after) or {}
            yield Cause("lock", "", lock_lines(old, new) or "other lines, same versions")


def _certain(causes: set[Cause]) -> set[Cause]:
    """The causes, without a doubtful one where the same is known to have changed something above."""
    return {cause for cause in causes if not cause.perhaps or replace(cause, perhaps=False) not in causes}


def _inside(name: str) -> str | None:
    """The part of results/<experiment>/<part> that a manifest names; None for other paths."""
    parts = PurePosixPath(name).parts
    return "/".join(parts[2:]) if len(parts) > 2 and parts[0] == "results" else None


def _same_job(before: dict[str, Any], after: dict[str, Any]) -> bool:
    return all(before.get(name) == after.get(name) for name in ("rule", "start", "code", "settings"))


def _settings(rule: str, before: Any, after: Any, path: str = "") -> Iterator[Cause]:
    """Settings that differ, each by its place and both values."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            below = f"{path}.{name}" if path else name
            yield from _settings(rule, before.get(name), after.get(name), below)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (left, right) in enumerate(zip(before, after, strict=True)):
            yield from _settings(rule, left, right, f"{path}[{number}]")
    elif before != after:
        yield Cause("setting", f"{rule}.{path}", f"{_short(before)} → {_short(after)}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _told(old: dict[str, Any] | None, new: dict[str, Any] | None) -> str:
    if old is None or new is None:
        return "new" if old is None else "no longer read"
    return f"{old['bytes']:,} → {new['bytes']:,} bytes" if old["bytes"] != new["bytes"] else "other bytes, same size"


def _chance(rule: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Cause]:
    """Nothing that is to change the values differs: the machine may, or what the job was told besides its settings."""
    told = before.get("told"), after.get("told")
    other = [
        Cause("parameter", cause.where, f"{cause.what}, which is meant to leave the values as they are")
        for cause in (_settings(rule, *told) if all(told) else ())
    ]
    for cause in _settings(rule, before.get("machine"), after.get("machine")):
        other.append(Cause("machine", cause.where.removeprefix(f"{rule}."), cause.what))
    yield from other
    if before.get("content") is not None and before["content"] == after.get("content"):
        yield Cause("chance", rule, "nothing differs that was recorded: the same values were written in other bytes")
    elif other:
        return
    elif _repeats(rule, after):
        said = "it repeats exactly, and nothing differs that was recorded, yet its values do"
        yield Cause("fault", rule, f"{said}: look at the disk and the memory, or for a file changed by hand")
    else:
        yield Cause("chance", rule, "nothing differs that was recorded: this step is not deterministic")


def _repeats(rule: str, entry: dict[str, Any]) -> bool:
    """Whether a step says that it repeats exactly: by its kind, or because its engine is batch-invariant."""
    engine = (entry.get("settings") or {}).get("engine") or {}
    return rule in EXACT or rule.startswith("tabulate_") or engine.get("batch_invariant") is True


def _notes(old: Manifest, new: Manifest) -> Iterator[str]:
    if old.get("container") != new.get("container"):
        yield "the container envs/image.sif is another"
    before, after = old.get("lock"), new.get("lock")
    if before and after and before != after:
        lines = lock_lines(old.get("locks", {}).get(before) or {}, new.get("locks", {}).get(after) or {})
        yield f"the environment's lock: {lines or 'other lines, same versions'}"


def lock_lines(before: dict[str, str], after: dict[str, str]) -> str:
    """Packages whose versions differ: polars 1.40.0 → 1.41.0."""
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return ", ".join(f"{name} {before.get(name, 'absent')} → {after.get(name, 'absent')}" for name in names)
