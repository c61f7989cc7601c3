"""Say what is in a results folder, and what changed between two manifests.

audit.py manifest FOLDER OUTPUT   write the manifest of a results folder
audit.py diff OLD NEW             print what was added, removed and changed; exit 1 if anything was
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reasonlite import cli, errors, files, provenance


def main(argv: Sequence[str] | None = None) -> int:
    parser = cli.parser(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    manifest = commands.add_parser("manifest", help="write the manifest of a results folder")
    manifest.add_argument("folder", type=Path)
    manifest.add_argument("output", type=Path)
    diff = commands.add_parser("diff", help="compare two manifests")
    diff.add_argument("old", type=Path)
    diff.add_argument("new", type=Path)
    arguments = parser.parse_args(argv)
    if arguments.command == "manifest":
        files.write_json(arguments.output, provenance.manifest(arguments.folder))
        return 0
    changes = provenance.difference(_read(arguments.old), _read(arguments.new))
    for kind, paths in changes.items():
        for path in paths:
            print(f"{kind:8s} {path}")
    if not any(changes.values()):
        print("nothing changed")
    return 1 if any(changes.values()) else 0


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["version"] != 1 or not isinstance(content["outputs"], dict):
            raise KeyError("version")
    except FileNotFoundError:
        raise errors.UserError("no such manifest", where=path, todo="make one with audit.py manifest") from None
    except (ValueError, KeyError, TypeError):
        raise errors.UserError("is not a manifest of version 1", where=path) from None
    return content


if __name__ == "__main__":
    errors.run_main(main)
