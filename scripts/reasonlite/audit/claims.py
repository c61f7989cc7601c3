"""A number of a table: which row it is, the verdicts that it is made of, and all that these rest on.

Reads the manifest for the way back; a file counts only if it is what the manifest says.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from reasonlite.audit.jobs import experiment_of
from reasonlite.audit.lineage import Lineage
from reasonlite.audit.sides import Side
from reasonlite.config.stages import stage_name
from reasonlite.core.errors import UserError


class Way:
    """What a claim rests on: outputs of a results folder, nearest first."""

    def __init__(self, side: Side, starts: Sequence[str]) -> None:
        assert side.folder is not None
        self.side, self.folder, self.manifest = side, side.folder, side.manifest
        results = Path("results") / experiment_of(self.manifest)
        lineages = [Lineage(results, start, self.manifest) for start in starts]
        self.lineage = lineages[0]
        self.paths = list(dict.fromkeys(path for each in lineages for path in each.upstream()))

    def of(self, *rules: str) -> dict[str, dict[str, Any]]:
        """Outputs that these rules made, with their entries in the manifest."""
        outputs = self.manifest["outputs"]
        return {path: outputs[path] for path in self.paths if outputs[path].get("rule") in rules}

    def read(self, path: str, columns: list[str]) -> pl.DataFrame | None:
        """Columns of a Parquet table, or None where the file is gone or is not what the manifest says."""
        found = self.side.file("outputs", path, [])
        if found is None:
            return None
        table = pl.scan_parquet(found)
        known = table.collect_schema().names()
        return table.select([name for name in columns if name in known]).collect()


def row_of(side: Side, table: str, words: Sequence[str]) -> dict[str, Any]:
    """The row of a table that has all these cells, in any order; a `UserError` where there is none, or several."""
    if table not in side.manifest["outputs"]:
        known = [path for path in side.manifest["outputs"] if path.startswith("tables/") and path.endswith(".csv")]
        raise UserError("is not in the manifest", where=table, todo=f"one of {', '.join(sorted(known))}")
    path = side.file("outputs", table, [])
    if path is None:
        raise UserError("is gone or is not what the manifest says", where=table, todo="run audit.py verify")
    chosen = pl.read_csv(path, infer_schema_length=None)
    for word in words:
        holding = pl.any_horizontal(pl.col(name).cast(pl.String).eq(word) for name in chosen.columns)
        kept = chosen.filter(holding.fill_null(False))
        if kept.is_empty():
            values = {str(v) for name in chosen.columns[:4] for v in chosen[name].unique().head(12)}
            raise UserError(f"no row has {word!r}", where=table, todo=f"such as {', '.join(sorted(values)[:12])}")
        chosen = kept
    if chosen.height > 1:  # the order says which is meant, as with the left and the right of a comparison
        leading = [row for row in chosen.iter_rows() if _named(row, words) == list(words)]
        if len(leading) == 1:
            return dict(zip(chosen.columns, leading[0], strict=True))
        apart = [name for name in chosen.columns if chosen[name].n_unique() > 1][:3]
        todo = f"say also {' or '.join(apart)}, such as {', '.join(str(v) for v in chosen[apart[0]].unique()[:6])}"
        raise UserError(f"{chosen.height} rows have {' '.join(words)!r}", where=table, todo=todo)
    return chosen.row(0, named=True)


def starts_of(manifest: dict[str, Any], table: str, row: dict[str, Any]) -> list[str]:
    """The verdicts that a row is about, by the models and the benchmark it names; without any, the table itself."""
    names = models_of(manifest["outputs"][table].get("settings") or {}, row)
    judged = [
        path
        for path, entry in manifest["outputs"].items()
        if entry.get("rule") in ("evaluate_judge", "evaluate_code")
        and path.endswith("/judged.parquet")
        and set(PurePosixPath(path).parts[1:3]) <= names
    ]
    return judged or [table]


def models_of(settings: dict[str, Any], row: dict[str, Any]) -> set[str]:
    """Names of models and of the benchmark that a row is about, as the folders of verdicts have them.

    ``settings``: of the step that made the table.
    """
    evaluation, grid = settings.get("evaluation") or {}, settings.get("grid")
    if "arm" in row and grid:
        arms = {row["arm"], (grid.get("reference") or "base") if "difference" in row else row["arm"]}
        chains = [grid["arms"].get(arm) for arm in arms]
        trained = {stage_name(row["base"], chain, seed) for chain in chains if chain for seed in grid["seeds"]}
        return trained | {str(row["benchmark"])} | ({grid["bases"][row["base"]]} if "base" in arms else set())
    names = {str(value) for value in row.values() if isinstance(value, str)}
    if row.get("curve") == "thinking":
        own = {each["model"] for each in evaluation.get("models") or [] if _thinks(each, row["model"], row["x"])}
        names = (names - {row["model"]}) | own
    if row.get("metric") == "difference" or "difference" in row:
        names.add(str(evaluation.get("baseline")))
    return names


def _named(row: Sequence[Any], words: Sequence[str]) -> list[str]:
    """The cells of a row that are among the words, in the row's order."""
    return [str(cell) for cell in row if str(cell) in words]


def _thinks(entry: dict[str, Any], model: str, budget: int) -> bool:
    """Whether an evaluated entry is the point of a curve of thinking: with this budget, or with none to its limit."""
    allowed = entry.get("thinking") or (entry.get("sampling") or {}).get("max_tokens")
    return bool((entry.get("of") or entry["model"]) == model and allowed == budget)
