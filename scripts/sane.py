"""Say of judged answers whether they look as a sane teacher's do: whole, readable, in agreement, with a sane canary.

It compares with what every model that solves a part of its problems reaches; it does not say that a teacher is good.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from reasonlite.core import cli, errors, schemas, tables

WHOLE, READ = 0.2, 0.5  # least shares: answers that ended by themselves, and of these such with a final answer


def main(argv: Sequence[str] | None = None) -> int:
    parser = cli.parser(__doc__)
    parser.add_argument("tables", action=cli.Paths, help="judged tables of a run: judged/<effort>/<shard>.parquet")
    given = parser.parse_args(argv)
    return max(_tell(path) for path in given.tables)


def _tell(path: Path) -> int:
    judged = tables.read_table(path, schemas.JUDGED)
    whole = judged.filter(pl.col("status") == "complete")
    read = whole.filter(pl.col("answer").is_not_null())
    right, votes = judged["correct"].mean(), judged["correct_vote"].mean()
    record = path.parents[2] / "journals" / path.parent.name / path.stem / "canary.jsonl"
    canary = json.loads(record.read_text(encoding="utf-8").splitlines()[-1])["sane"] if record.is_file() else None
    print(
        f"{path}: {judged.height} answers, {_share(whole, judged)} whole, {_share(read, whole)} of them with a result"
    )
    print(f"  equal to the label: {_percent(right)}; equal to the vote: {_percent(votes)}; canary: {_canary(canary)}")
    doubts = []
    if whole.height < WHOLE * judged.height:
        doubts.append("most answers were cut or are in no known form: see max_tokens, and a text of answers/")
    if read.height < READ * whole.height:
        doubts.append("most answers have no final result: see the prompt's instruction, and a text of answers/")
    if canary is False:
        doubts.append(f"the canary found garbage: {record}")
    print("\n".join(f"  doubtful: {doubt}" for doubt in doubts) or "  sane")
    return 1 if doubts else 0


def _share(part: pl.DataFrame, whole: pl.DataFrame) -> str:
    return _percent(part.height / whole.height if whole.height else None)


def _percent(value: object) -> str:
    return f"{value:.0%}" if isinstance(value, (int, float)) else "unknown"


def _canary(sane: bool | None) -> str:
    return {None: "not asked", True: "sane", False: "garbage"}[sane]


if __name__ == "__main__":
    errors.run_main(main)
