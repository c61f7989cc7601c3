"""What an output was made from: code by its meaning.

Code is hashed over syntax trees without comments and docstrings, so that only changes of
behaviour count. Does not know the workflow's graph.
"""

from __future__ import annotations

import ast
import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reasonlite.core.errors import UserError
from reasonlite.core.files import canonical_json, sha256_file, sha256_text, write_text

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


class Facts(NamedTuple):
    """What identities need of a file. ``imports``: module, names taken from it, line; ``defines``: its own names."""

    digest: str
    imports: list[tuple[str, list[str], int]]
    defines: list[str]


_noted: dict[str, list[Any]] = {}  # facts by the SHA-256 of a file's bytes
_new: list[str] = []


def remember(notes: Path) -> None:
    """Take the facts of files from ``notes``, by their content, instead of reading their code again."""
    try:
        _noted.update(json.loads(notes.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return  # none yet, or cut off: they are found out again


def keep(notes: Path) -> None:
    """Write what `remember` takes, if anything was found out since."""
    if _new:
        write_text(notes, canonical_json(_noted))
        _new.clear()


@functools.cache
def _facts(path: Path) -> Facts:
    content = sha256_file(path)
    if content not in _noted:
        tree = _tree(path)
        defined = {name for node in tree.body for name in _defined(node)}
        _noted[content] = [sha256_text(ast.dump(tree)), _imports(tree, path), sorted(defined)]
        _new.append(content)
    return Facts(*_noted[content])


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def _imports(tree: ast.Module, path: Path) -> list[tuple[str, list[str], int]]:
    """What a file imports of the library, anywhere in its code."""
    found: list[tuple[str, list[str], int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, [], node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise UserError("relative imports are not followed", where=f"{path}: line {node.lineno}")
            found.append((node.module or "", [alias.name for alias in node.names], node.lineno))
    return [each for each in found if each[0].split(".")[0] == PACKAGE]


def code_hash(path: Path) -> str:
    """SHA-256 of a file's syntax tree, docstrings removed."""
    return _facts(path).digest


def parts_of(path: Path) -> dict[str, str]:
    """Hash by name for every function and method of a file, and for the rest of it."""
    found, rest = {}, []
    for node in _tree(path).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found[node.name] = ast.dump(node)
        elif isinstance(node, ast.ClassDef):
            methods = [part for part in node.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))]
            found |= {f"{node.name}.{method.name}": ast.dump(method) for method in methods}
            others = [ast.dump(part) for part in node.body if part not in methods]
            bases = [ast.dump(part) for part in (*node.bases, *node.keywords, *node.decorator_list)]
            found[node.name] = repr([bases, others])
        else:
            rest.append(ast.dump(node))
    found["the module's own lines"] = repr(rest)
    return {name: sha256_text(text)[:16] for name, text in found.items()}


@functools.cache
def imported_modules(path: Path, root: Path) -> set[Path]:
    """Files of the library under ``root`` that ``path`` imports itself, anywhere in its code."""
    found: set[Path] = set()
    for module, names, line in _facts(path).imports:
        _refuse_lent_names(f"{path}: line {line}", module, names, root)
        for name in (module, *(f"{module}.{each}" for each in names)):
            found |= _files_of(name, root)
    return found - {path}


def _refuse_lent_names(where: str, module: str, names: list[str], root: Path) -> None:
    """A package may hand on names of its modules; what is taken that way would not be followed to its module."""
    folder = root.joinpath(*module.split("."))
    if not (folder / "__init__.py").is_file():
        return
    own = _facts(folder / "__init__.py").defines
    for name in names:
        if name not in own and not (folder / name).is_dir() and not (folder / f"{name}.py").is_file():
            raise UserError(
                f"takes {name} from the package {module}, which hands it on from one of its modules",
                where=where,
                todo="import it from that module, so that its code counts where it is used",
            )


@functools.cache
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


@functools.cache
def code_id(scripts: tuple[Path, ...]) -> str:
    """One hash for all the code that scripts of one folder run."""
    return sha256_text(canonical_json([code_of(script, script.parent) for script in scripts]))


def catalogue(scripts: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """What `code_id` is a hash of, in parts: files (path: hash), and functions of each (hash: name: hash)."""
    root = scripts[0].parent
    files = {file: digest for script in scripts for file, digest in code_of(script, root).items()}
    return {"files": files, "functions": {digest: parts_of(root / file) for file, digest in files.items()}}


def identity(scripts: Sequence[Path], settings: dict[str, Any], lock: str = "") -> str:
    """One canonical line for a rule: its named settings, a hash of the code it runs, and one of its lock if given."""
    return canonical_json({"code": code_id(tuple(scripts)), "settings": settings, **({"lock": lock} if lock else {})})
