"""Take another program's answers to a benchmark in, with its own verdicts beside them.

Logs of lm-evaluation-harness, lighteval, Inspect and ReasonLite, and any rows whose columns are named.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.config.recorded import Log
from reasonlite.core import cli, errors, files, logs, schemas, tables
from reasonlite.exchange import taking


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--log", type=cli.json_of(Log), required=True, help="as a model's recorded in the config")
    parser.add_argument("--problems", type=Path, required=True, help="table of the benchmark's problems")
    parser.add_argument("--output", type=Path, required=True, help="table of answers to write")
    parser.add_argument("--rows", type=Path, required=True, help="table of the log's own verdicts, labels and prompts")
    parser.add_argument("--facts", type=Path, required=True, help="JSON to write: settings, counts, what differs")
    arguments = parser.parse_args(argv)
    logs.set_up()
    problems = tables.read_table(arguments.problems, schemas.PROBLEMS)
    taken = taking.take(arguments.log, problems)
    drawn = {"log": arguments.log.kind, "settings": taken.facts["settings"]}
    tables.write_table(arguments.output, taken.answers, schemas.ANSWERS, drawn)
    tables.write_table(arguments.rows, taken.rows, schemas.TAKEN)
    files.write_json(arguments.facts, taken.facts)
    facts = taken.facts
    log = logs.get_logger("take_answers")
    log.info("%s: %d answers to %d problems", arguments.output, facts["answers"], facts["problems"])
    for what in ("lacking", "texts that differ", "labels that differ"):
        if facts[what]:
            log.warning("%d problems: %s, such as %s", len(facts[what]), what, facts[what][0])


if __name__ == "__main__":
    errors.run_main(main)
