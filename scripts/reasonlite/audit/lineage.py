"""How an output, or one row in it, came to be: back through jobs and tables to the problem and the seed.

Reads the manifest for the way and the tables for the rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from reasonlite.audit import manifest as manifests
from reasonlite.audit.inside import shortened
from reasonlite.core.errors import UserError
from reasonlite.core.tables import about_table

ROWS = 12  # shown of one table
IDS = ("answer_id", "problem_id", "id")


@dataclass(frozen=True)
class Lineage:
    """An output of a results folder, and what it was made from."""

    results: Path
    path: str
    manifest: dict[str, Any]

    def inputs(self, path: str) -> list[str]:
        """Outputs of the folder that the job of ``path`` read, files of folders included."""
        prefix = f"results/{self.results.name}/"
        found: list[str] = []
        for name in self.manifest["outputs"].get(path, {}).get("inputs", {}):
            inside = name.removeprefix(prefix)
            if name.startswith(prefix):
                found += [inside] if inside in self.manifest["outputs"] else self._under(inside)
        return found

    def _under(self, folder: str) -> list[str]:
        return [name for name in self.manifest["outputs"] if name.startswith(f"{folder}/")][:1]

    def sources(self, path: str) -> list[str]:
        """Files that the job of ``path`` read and no job made."""
        inputs = self.manifest["outputs"].get(path, {}).get("inputs", {})
        return [name for name in inputs if name in self.manifest["sources"]]

    def upstream(self) -> dict[str, int]:
        """Every output on the way, with its distance from this one, nearest first."""
        found, waiting = {self.path: 0}, [self.path]
        for path in waiting:
            for name in self.inputs(path):
                if name not in found:
                    found[name] = found[path] + 1
                    waiting.append(name)
        return found

    def with_siblings(self) -> list[str]:
        """The way as in `upstream`, and after each output what its job wrote beside it of problems, such as votes."""
        way = list(self.upstream())
        return list(dict.fromkeys(name for path in way for name in (path, *self._beside(path))))

    def _beside(self, path: str) -> Iterator[str]:
        own = self.manifest["outputs"][path]
        for name, entry in self.manifest["outputs"].items():
            names = entry.get("schema") or {}
            same_job = entry.get("rule") == own.get("rule") and entry.get("inputs") == own.get("inputs")
            if name != path and own.get("inputs") and same_job and "problem_id" in names and "answer_id" not in names:
                yield name


def open_lineage(path: Path) -> Lineage:
    """Find the results folder that ``path`` lies in, and its manifest."""
    for folder in path.parents:
        if (folder / manifests.NAME).is_file():
            read = manifests.read(folder / manifests.NAME)
            inside = path.relative_to(folder).as_posix()
            if inside not in read["outputs"]:
                raise UserError("is not in the manifest", where=path, todo=f"audit.py manifest {folder}")
            return Lineage(folder, inside, read)
    raise UserError("lies in no results folder with a manifest", where=path, todo="run the workflow, or name the file")


def tree(found: Lineage) -> Iterator[str]:
    """One block a job on the way back: what it made, with which settings, from what."""
    jobs: dict[tuple, list[str]] = defaultdict(list)
    for path in found.upstream():
        entry = found.manifest["outputs"][path]
        jobs[(entry.get("rule"), str(entry.get("settings")))].append(path)
    for (rule, _), paths in jobs.items():
        entry = found.manifest["outputs"][paths[0]]
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield f"{paths[0]}{more}"
        yield f"    sha256 {entry['sha256'][:16]}…, {entry['bytes']:,} bytes" + (
            f", {entry['rows']:,} rows" if "rows" in entry else ""
        )
        yield f"    made by {rule or 'hand: no job is recorded'}" + (
            f", {entry['start']}, {entry['seconds']:,} s" if rule else ""
        )
        for name, value in flat(entry.get("settings") or {}):
            yield f"    {name} = {shortened(value)}"
        for name in found.sources(paths[0]):
            yield f"    from {name} (sha256 {found.manifest['sources'][name]['sha256'][:16]}…)"


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Settings as pairs of a dotted name and a plain value."""
    if isinstance(value, dict) and value:
        for name in sorted(value):
            yield from flat(value[name], f"{path}.{name}" if path else name)
    elif value not in (None, [], {}):
        yield path, value


def row(found: Lineage, wanted: str) -> Iterator[str]:
    """The rows of every table on the way that belong to one answer, problem or cell."""
    if PurePosixPath(found.path).suffix == ".csv":
        yield from _cell(found, wanted)
        return
    problem, effort, seen = wanted.rsplit("_", 1)[0], None, False
    for path in found.with_siblings():
        names = found.manifest["outputs"][path].get("schema") or {}
        column = next((name for name in IDS if name in names), None)
        if column is None:
            continue
        table = pl.scan_parquet(found.results / path)
        rows = table.filter(pl.col(column) == wanted).collect()
        of_another = effort is not None and "effort" in names and effort not in rows["effort"]
        if rows.is_empty() or of_another or "seed" in names:  # the answers: all that voted are shown
            key = "problem_id" if "problem_id" in names else column
            rows = pl.concat([rows if not of_another else rows.clear(), table.filter(pl.col(key) == problem).collect()])
            rows = rows.unique(maintain_order=True)
        if rows.height:
            seen = True
            effort = effort or (rows["effort"][0] if "effort" in names else None)
            yield from _rows(found, path, rows)
    if not seen:
        raise UserError(f"no table on the way to it has {wanted!r}", where=found.path, todo="look its id up")


def _rows(found: Lineage, path: str, rows: pl.DataFrame) -> Iterator[str]:
    entry = found.manifest["outputs"][path]
    yield f"{path}  ({entry.get('rule')})"
    if path.endswith(".parquet"):
        for name, value in flat(about_table(found.results / path)):
            yield f"    drawn with {name} = {shortened(value)}"
    for one in rows.head(ROWS).iter_rows(named=True):
        yield "    " + ", ".join(f"{name} {shortened(value)}" for name, value in one.items() if value is not None)
    if rows.height > ROWS:
        yield f"    … and {rows.height - ROWS:,} more rows"


def _cell(found: Lineage, wanted: str) -> Iterator[str]:
    """A row of a table for readers, by its leading cells, and the verdicts of the model and benchmark it names."""
    frame = pl.read_csv(found.results / found.path, infer_schema_length=None)
    cells = [cell.strip() for cell in wanted.split(",")]
    chosen = frame
    for name, cell in zip(frame.columns, cells, strict=False):
        chosen = chosen.filter(pl.col(name).cast(pl.String) == cell)
    if chosen.is_empty():
        raise UserError(f"has no row that begins with {wanted!r}", where=found.path, todo="name its leading cells")
    yield from _rows(found, found.path, chosen)
    first = chosen.row(0, named=True)
    path = f"evaluation/{first.get('model')}/{first.get('benchmark')}/judged.parquet"
    if path in found.manifest["outputs"]:
        judged = pl.read_parquet(found.results / path)
        right = judged.group_by("problem_id", maintain_order=True).agg(
            pl.col("correct").sum().alias("right"), pl.len().alias("answers"), pl.col("tokens").mean().round(1)
        )
        yield from _rows(found, path, right)
        yield f"to go on: audit.py trace {found.results / path} --row ID"


def drawing(found: Lineage) -> str:
    """The rules on the way as an svg picture: one box a rule, left to right, with how many files it gave."""
    files: dict[str, int] = defaultdict(int)
    depth: dict[str, int] = {}
    edges: set[tuple[str, str]] = set()
    for path, distance in found.upstream().items():
        name = _rule(found, path)
        files[name] += 1
        depth[name] = max(distance, depth.get(name, 0))
        edges |= {(_rule(found, source), name) for source in found.inputs(path)}
    columns: dict[int, list[str]] = defaultdict(list)
    for name in sorted(depth):
        columns[max(depth.values()) - depth[name]].append(name)
    place = {name: (20 + 220 * x, 20 + 70 * y) for x, names in columns.items() for y, name in enumerate(names)}
    width, height = 40 + 220 * len(columns), 20 + 70 * max(len(names) for names in columns.values())
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">']
    for source, target in sorted(edges):
        (x1, y1), (x2, y2) = place[source], place[target]
        if source != target:
            curve = f"M{x1 + 170} {y1 + 20} C{x1 + 195} {y1 + 20} {x2 - 25} {y2 + 20} {x2} {y2 + 20}"
            parts.append(f'<path d="{curve}" fill="none" stroke="#888"/>')
    for name, (x, y) in place.items():
        parts.append(f'<rect x="{x}" y="{y}" width="170" height="40" rx="5" fill="#eef" stroke="#446"/>')
        parts.append(f'<text x="{x + 8}" y="{y + 17}" font-size="12">{escape(name)}</text>')
        parts.append(f'<text x="{x + 8}" y="{y + 33}" font-size="10" fill="#555">{files[name]:,} files</text>')
    return "\n".join([*parts, "</svg>", ""])


def _rule(found: Lineage, path: str) -> str:
    return str(found.manifest["outputs"][path].get("rule") or "by hand")
