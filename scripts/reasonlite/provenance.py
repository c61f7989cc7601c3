"""What an output was made from: code by its meaning, and a manifest of a results folder.

Code is hashed over syntax trees without comments and docstrings, so that only changes of
behaviour count. Does not know the workflow's graph.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Any

from reasonlite.errors import UserError
from reasonlite.files import canonical_json, sha256_file, sha256_text

PACKAGE = "reasonlite"


@functools.cache
def _tree(path: Path) -> ast.Module:
    """A file's syntax tree, docstrings removed."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise UserError(f"is not valid Python: {error.msg}", where=f"{path}: line {error.lineno}") from None
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return tree


@functools.cache
def code_hash(path: Path) -> str:
    """SHA-256 of a file's syntax tree, docstrings removed."""
    return sha256_text(ast.dump(_tree(path)))


def imported_modules(path: Path, root: Path) -> set[Path]:
    """Files of the library under ``root`` that ``path`` imports itself, anywhere in its code."""
    found: set[Path] = set()
    for node in ast.walk(_tree(path)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise UserError("relative imports are not followed", where=f"{path}: line {node.lineno}")
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.split(".")[0] == PACKAGE:
                found |= _files_of(name, root)
    return found - {path}


def _files_of(name: str, root: Path) -> set[Path]:
    """The module's file and the ``__init__`` of every package on the way to it."""
    parts = name.split(".")
    files = {root.joinpath(*parts[:end], "__init__.py") for end in range(1, len(parts) + 1)}
    files.add(root.joinpath(*parts).with_suffix(".py"))
    return {file for file in files if file.is_file()}


@functools.cache
def code_of(script: Path, root: Path) -> dict[str, str]:
    """Hash by file for a script and every library module it imports, directly or not."""
    waiting, seen = [script], {script}
    while waiting:
        for file in imported_modules(waiting.pop(), root) - seen:
            seen.add(file)
            waiting.append(file)
    return {str(file.relative_to(root)): code_hash(file) for file in sorted(seen)}


def identity(script: Path, settings: dict[str, Any]) -> str:
    """One canonical line for a rule: its named settings and a hash of the code it runs."""
    code = sha256_text(canonical_json(code_of(script, script.parent)))
    return canonical_json({"code": code, "settings": settings})


def manifest(folder: Path) -> dict[str, Any]:
    """SHA-256 and bytes of every output in ``folder``, and the rows of every table; in the order of paths."""
    if not folder.is_dir():
        raise UserError("no such results folder", where=folder, todo="run the workflow first")
    entries = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in Path(relative).parts)
        if (
            not path.is_file()
            or hidden
            or relative.split("/")[0] in {"logs", "benchmarks", "journals", "manifest.json"}
            or relative == "tables/ledger.csv"  # hours are never the same twice
        ):
            continue
        entry: dict[str, Any] = {"sha256": sha256_file(path), "bytes": path.stat().st_size}
        if path.suffix == ".parquet":
            import polars as pl

            entry["rows"] = pl.scan_parquet(path).select(pl.len()).collect().item()
        entries[relative] = entry
    return {"version": 1, "outputs": entries}


def difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, list[str]]:
    """Paths added, removed and changed between two manifests, each list sorted."""
    before, after = old["outputs"], new["outputs"]
    return {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": sorted(path for path in before.keys() & after.keys() if before[path] != after[path]),
    }
