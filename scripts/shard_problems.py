"""Drop copies and benchmark twins from problem tables, and spread the rest over shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.config.settings import Cleaning
from reasonlite.core import cli, errors, logs, schemas, tables
from reasonlite.problems import cleaning
from reasonlite.problems.shards import into_shards


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--sources", action=cli.Paths, required=True, help="problem tables; earlier ones win")
    parser.add_argument("--benchmarks", action=cli.Paths, nargs="*", default=[], help="held-out problem tables")
    parser.add_argument("--cleaning", type=cli.json_of(Cleaning), default="{}", help="as in problems.cleaning")
    parser.add_argument("--shards", action=cli.Paths, required=True, help="tables to write, one a shard")
    parser.add_argument("--dropped", type=Path, required=True, help="table of what was dropped, why, and its twin")
    parser.add_argument("--noticed", type=Path, help="table of copies with other labels and benchmarks' variants")
    arguments = parser.parse_args(argv)
    logs.set_up()
    held_out = (
        tables.read_tables(arguments.benchmarks, schemas.PROBLEMS)
        if arguments.benchmarks
        else tables.frame_of([], schemas.PROBLEMS)
    )
    read = tables.read_tables(arguments.sources, schemas.SOURCED)
    kept, dropped, noticed = cleaning.clean(read, held_out, arguments.cleaning)
    if kept.is_empty():
        raise errors.UserError("no problem is left after cleaning", where=arguments.dropped, todo="add problems")
    for path, frame in zip(arguments.shards, into_shards(kept, len(arguments.shards)), strict=True):
        tables.write_table(path, frame, schemas.PROBLEMS)
    if arguments.noticed:
        tables.write_table(arguments.noticed, noticed, schemas.NOTICED)
    tables.write_table(arguments.dropped, dropped, schemas.DROPPED)
    log = logs.get_logger("shard_problems")
    log.info("%d problems kept, %d dropped, %d noticed", kept.height, dropped.height, noticed.height)


if __name__ == "__main__":
    errors.run_main(main)
