"""Say what journals of replies hold, or write them anew without what was replaced.

Example: python scripts/journal.py report results/demo/journals
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.answers import journal
from reasonlite.core import cli, errors, logs


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("action", choices=["report", "compact"])
    parser.add_argument("folder", type=Path, help="a journal, or a folder with journals somewhere below it")
    arguments = parser.parse_args(argv)
    logs.set_up()
    found = sorted({path.parent for path in arguments.folder.rglob("*.parquet") if path.stem.isdigit()})
    if not found:
        raise errors.UserError("no journal lies there", where=arguments.folder, todo="give results/…/journals")
    width = max(len(str(folder)) for folder in found)
    for folder in found:
        if arguments.action == "compact":
            with journal.Journal(folder) as opened:
                opened.compact(always=True)
        said = journal.report(folder)
        print(f"{folder!s:{width}}", *(f"{name} {count:,}" for name, count in said.items()), sep="  ")


if __name__ == "__main__":
    errors.run_main(main)
