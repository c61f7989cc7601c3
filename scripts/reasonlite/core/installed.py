"""What the source of an installed package says, read without importing it: torch and vLLM take seconds."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path


def declared(package: str, file: str, class_name: str) -> set[str] | None:
    """Annotated names in a class's body, the fields of a dataclass; None if the package is not installed.

    ``file`` is the module's path in the package; without such a file or class there are no names.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / file
    for node in ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else []:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            targets = [item.target for item in node.body if isinstance(item, ast.AnnAssign)]
            return {target.id for target in targets if isinstance(target, ast.Name)}
    return set()
