"""A comparison as text for a terminal, Markdown, JSON and a page: what changed, inside it, and why."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path, PurePosixPath

from reasonlite.audit import inside, sketch
from reasonlite.audit.changes import KINDS, Cause, Change, Difference
from reasonlite.audit.sides import Side
from reasonlite.audit.store import Store

STYLE = (
    "body{font:14px sans-serif;margin:2em;max-width:75em}h2{font-size:1em;background:#eee;padding:.4em}"
    "pre{margin:.2em 0 1em 2em;white-space:pre-wrap}img{width:45%;border:1px solid #ddd;margin:.3em}"
)


@dataclass(frozen=True)
class Told:
    """One change with what is inside it, and for a picture both files."""

    change: Change
    details: list[str]
    pictures: tuple[Path, Path] | None


def look(difference: Difference, old: Side, new: Side, stores: Sequence[Store]) -> list[Told]:
    """Every change with the look inside; where a file of either side is gone, that is said."""
    return [
        Told(change, *(_details("outputs", change.path, old, new, stores) if change.kind == "changed" else ([], None)))
        for change in difference.changes
    ]


def sources(difference: Difference, old: Side, new: Side, stores: Sequence[Store]) -> dict[str, list[str]]:
    """The look inside each source file that is a cause."""
    names = {c.where for change in difference.changes for c in change.causes if c.kind == "source"}
    return {name: _details("sources", name, old, new, stores)[0] for name in sorted(names)}


def _details(
    part: str, path: str, old: Side, new: Side, stores: Sequence[Store]
) -> tuple[list[str], tuple[Path, Path] | None]:
    left, right = old.file(part, path, stores), new.file(part, path, stores)
    if left is None or right is None:
        kept = [side.sketch(part, path, stores) for side in (old, new)]
        if kept[0] is not None and kept[1] is not None:
            return sketch.told_apart(kept[0], kept[1]), None
        gone = " and ".join(side.name for side, file in ((old, left), (new, right)) if file is None)
        why = "too large, from elsewhere, or no part of a release"
        return [f"not looked into: the file of {gone} is not kept ({why})"], None
    suffix = PurePosixPath(path).suffix
    return inside.look(left, right, suffix), (left, right) if suffix == ".png" else None


def by_cause(told: list[Told]) -> Iterator[tuple[tuple[Cause, ...], list[Told]]]:
    """Changes that have the same causes, in the order in which they come."""
    groups: dict[tuple[Cause, ...], list[Told]] = {}
    for one in told:
        groups.setdefault(one.change.causes, []).append(one)
    yield from groups.items()


def _counts(difference: Difference) -> str:
    counts = [f"{len(difference.of(kind)):,} {kind}" for kind in KINDS if difference.of(kind)]
    return ", ".join([*counts, f"{difference.unchanged:,} unchanged"])


def text(difference: Difference, told: list[Told], looked: dict[str, list[str]]) -> str:
    found = [_counts(difference), *(f"note: {note}" for note in difference.notes)]
    for causes, group in by_cause(told):
        found += ["", *(line for cause in causes for line in cause_lines(cause, looked))]
        for one in group:
            made = f"  ({one.change.rule})" if one.change.rule else ""
            found += [f"  {one.change.kind:9s} {one.change.path}{made}", *(f"      {line}" for line in one.details)]
    return "\n".join(found) + "\n"


def cause_lines(cause: Cause, looked: dict[str, list[str]]) -> list[str]:
    """A cause, and the look inside it where it is a source file."""
    return [f"because of {cause}", *(f"    {line}" for line in looked.get(cause.where, []) if cause.kind == "source")]


def markdown(difference: Difference, told: list[Told], looked: dict[str, list[str]]) -> str:
    found = [f"**{_counts(difference)}**", "", *(f"- note: {note}" for note in difference.notes)]
    for causes, group in by_cause(told):
        found += ["", "### Because of", ""]
        found += [f"- {_code(line)}" for cause in causes for line in cause_lines(cause, looked)]
        found += ["", "| output | | made by |", "| --- | --- | --- |"]
        found += [f"| `{one.change.path}` | {one.change.kind} | {one.change.rule or ''} |" for one in group]
        for one in group:
            if one.details:
                found += ["", f"`{one.change.path}`", "", "```", *one.details, "```"]
    return "\n".join(found) + "\n"


def _code(line: str) -> str:
    return f"`{line.strip().replace('`', chr(39))}`"


def as_json(difference: Difference, told: list[Told], looked: dict[str, list[str]]) -> str:
    changes = [
        {
            **{"path": one.change.path, "kind": one.change.kind, "rule": one.change.rule, "details": one.details},
            "causes": [asdict(cause) for cause in one.change.causes],
        }
        for one in told
    ]
    whole = {"changes": changes, "unchanged": difference.unchanged, "notes": difference.notes, "sources": looked}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def html(difference: Difference, told: list[Told], looked: dict[str, list[str]]) -> str:
    """A page of its own, with each changed picture before and after."""
    found = [f"<h1>{escape(_counts(difference))}</h1>", *(f"<p>note: {escape(note)}</p>" for note in difference.notes)]
    for causes, group in by_cause(told):
        because = "<br>".join(escape(line) for cause in causes for line in cause_lines(cause, looked))
        found.append(f"<h2>{because}</h2>")
        for one in group:
            made = f" ({one.change.rule})" if one.change.rule else ""
            found.append(f"<p><b>{escape(one.change.path)}</b> {one.change.kind}{escape(made)}</p>")
            if one.details:
                found.append("<pre>" + escape("\n".join(one.details)) + "</pre>")
            if one.pictures:
                found += [_picture(path, name) for path, name in zip(one.pictures, ("before", "after"), strict=True)]
    head = f'<head><meta charset="utf-8"><title>What changed</title><style>{STYLE}</style></head>'
    return "\n".join(["<!DOCTYPE html>", "<html>", head, "<body>", *found, "</body></html>", ""])


def _picture(path: Path, name: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{name}" title="{name}" src="data:image/png;base64,{data}">'
