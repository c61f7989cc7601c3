"""Write the table of results from judged benchmark answers: csv, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite import cli, config, errors, logs, results


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--judged", type=Path, nargs="+", required=True, help="evaluation/<model>/<benchmark>/judged.parquet"
    )
    parser.add_argument("--evaluation", type=cli.json_of(config.Evaluation), required=True, help="as in the config")
    parser.add_argument("--seed", type=int, required=True, help="seed of the bootstrap")
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--markdown", type=Path, required=True)
    parser.add_argument("--latex", type=Path, required=True)
    arguments = parser.parse_args(argv)
    logs.set_up()
    judged = {(path.parent.parent.name, path.parent.name): path for path in arguments.judged}
    table = results.measure(judged, arguments.evaluation, arguments.seed)
    results.write_results(table, arguments.csv, arguments.markdown, arguments.latex)


if __name__ == "__main__":
    errors.run_main(main)
