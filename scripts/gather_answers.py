"""Put the answers that several engines drew for one model into its tables, as one engine would have written them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.answers.generation import gather
from reasonlite.core import cli, errors, logs


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--parts", type=Path, nargs="+", required=True, help="folders with a table a benchmark")
    parser.add_argument("--benchmarks", nargs="+", required=True, help="their names")
    parser.add_argument("--output", type=Path, required=True, help="the model's folder")
    given = parser.parse_args(argv)
    logs.set_up()
    for benchmark in given.benchmarks:
        tables = [folder / f"{benchmark}.parquet" for folder in given.parts]
        rows = gather(tables, given.output / benchmark / "answers.parquet")
        logs.get_logger("gather_answers").info("%s: %d answers of %d parts", benchmark, rows, len(tables))


if __name__ == "__main__":
    errors.run_main(main)
