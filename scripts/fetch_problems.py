"""Read one source of problems into a checked table.

Example: python scripts/fetch_problems.py --name mine --output mine.parquet \\
             --source '{"kind": "jsonl", "path": "mine.jsonl"}'
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.config.sources import Source
from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.problems.benchmarks import check_benchmark
from reasonlite.problems.sources import read_source


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--name", required=True, help="name of the source; ids become <name>:<n>")
    parser.add_argument("--source", type=cli.json_of(Source), required=True, help="source, as in problems.sources")
    parser.add_argument("--benchmark", action="store_true", help="refuse problems that give their answers away")
    parser.add_argument("--content-sha256", help="refuse a benchmark of another content")
    parser.add_argument("--output", type=Path, required=True, help="table to write")
    arguments = parser.parse_args(argv)
    logs.set_up()
    frame = read_source(arguments.name, arguments.source)
    log = logs.get_logger("fetch_problems")
    if arguments.benchmark:
        found = check_benchmark(frame, arguments.name, arguments.content_sha256)
        log.info("content_sha256 of %s: %s", arguments.name, found)
    tables.write_table(arguments.output, frame, schemas.SOURCED)
    log.info("%d problems from %s", frame.height, arguments.name)


if __name__ == "__main__":
    errors.run_main(main)
