"""ReasonLite's JSON Lines, in and out, a line at a time.

Its layout (facts: its README and code, commit c44cb21), one folder for each experiment and effort: info.jsonl;
answer_origin, answer_judge, answer_judge_vote and vote with a folder for each run of theirs and files in it;
format_data with parts of 100,000 lines for training. An answer's index is <problem>_<number>, and its seed is
the number. Does not know the workflow.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import polars as pl

from reasonlite.core.errors import UserError
from reasonlite.core.files import atomic_path, storable
from reasonlite.core.schemas import ANSWERS, CURRICULUM, GROUPS, JUDGED, PROBLEMS, RECORDED
from reasonlite.core.seeding import shard_of
from reasonlite.core.spool import Spool
from reasonlite.core.tables import TableWriter, frame_of, read_table, stream_table, text_bytes
from reasonlite.problems.records import qualified

PARTS = ("answer_origin", "answer_judge", "answer_judge_vote")
PART_LINES = 100_000  # of a training file, as theirs
HELD_BYTES = 256 * 2**20  # of answers that wait for their shards' files
ROW_BYTES = 200  # of a row without its text, about
PIECE = 512
KEY = ["problem_id", "number"]
TEXTS = pl.Schema({name: RECORDED[name] for name in (*KEY, "text")})
VERDICTS = pl.Schema({name: RECORDED[name] for name in (*KEY, "judge")})
RUN = "00000000_000000"  # the name of a run's folder; they take the last one by name


def lines_of(folder: Path, part: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lines of a part's newest run, as their own code takes it, with where each stands."""
    runs = sorted(path for path in (folder / part).glob("*") if path.is_dir())
    for path in sorted(runs[-1].glob("*.jsonl")) if runs else []:
        with path.open(encoding="utf-8") as handle:
            for number, line in enumerate(handle, 1):
                where = f"{path}: line {number}"
                try:
                    row = json.loads(line)
                    row["index"].rsplit("_", 1)
                except (ValueError, KeyError, TypeError, AttributeError):
                    raise UserError("is not one of ReasonLite's lines", where=where, todo="mend or remove it") from None
                yield where, row


# -- in


def take_in(folder: Path, effort: str, shards: int, output: Path, source: str = "") -> dict[str, int]:
    """Write <output>/<effort>/<shard>.parquet (RECORDED) from a tree of theirs; counts of what was found.

    ``source`` is what their info.jsonl is called in problems.sources; ids that do not begin with it get it.
    Answers come from the first of PARTS that is there, verdicts from the two that hold them. Memory holds
    HELD_BYTES of answers, and the keys and verdicts of one shard.
    """
    present = [part for part in PARTS if any(lines_of(folder, part))]
    if not present:
        raise UserError(f"holds none of {', '.join(PARTS)}", where=folder, todo="give an experiment's folder of theirs")
    counts = Counter[str]()
    work = output / f".{effort}.partial"
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, work, ignore_errors=True)
        with _Held(work / "text", shards, TEXTS) as held:
            for where, row in lines_of(folder, present[0]):
                text = row.get("answer")
                found = storable(text) if isinstance(text, str) and text.strip() else None
                counts["answers"] += 1
                counts["failed"] += found is None
                held.take(*_key(where, row, source), found)
        for part in PARTS[1:]:
            counts[part] = 0
            with _Held(work / part, shards, VERDICTS) as held:
                for where, row in lines_of(folder, part):
                    counts[part] += 1
                    held.take(*_key(where, row, source), _verdict(where, row))
        for shard in range(shards):
            counts["twice"] += _join(work, f"{shard:05d}.parquet", output / effort)
    return dict(counts)


def _key(where: str, row: dict[str, Any], source: str) -> tuple[str, int]:
    problem_id, _, number = row["index"].rpartition("_")
    if not problem_id or not number.isdigit():
        todo = "indices are <problem>_<number>, such as pol:0_3"
        raise UserError(f"the index {row['index']!r} names no answer", where=where, todo=todo)
    return qualified(problem_id, source) if source else problem_id, int(number)


def _verdict(where: str, row: dict[str, Any]) -> bool | None:
    verdict = row.get("judge")
    if not isinstance(verdict, bool | None):
        todo = "theirs are true, false or null"
        raise UserError(f"its judge is {verdict!r}, expected true or false", where=where, todo=todo)
    return verdict


class _Held:
    """Rows (problem, number, text or verdict) on their way into a table a shard."""

    def __init__(self, folder: Path, shards: int, schema: pl.Schema) -> None:
        self._whole, self._schema = ExitStack(), schema
        paths = [folder / f"{shard:05d}.parquet" for shard in range(shards)]
        self._files = [self._whole.enter_context(TableWriter(path, schema)) for path in paths]
        self._rows: list[list[tuple[str, int, Any]]] = [[] for _ in paths]
        self._bytes = 0

    def __enter__(self) -> _Held:
        return self

    def take(self, problem_id: str, number: int, value: str | bool | None) -> None:
        self._rows[shard_of(problem_id, len(self._files))].append((problem_id, number, value))
        self._bytes += ROW_BYTES + (len(value) if isinstance(value, str) else 0)
        if self._bytes > HELD_BYTES:
            self._put_away()

    def _put_away(self) -> None:
        for file, rows in zip(self._files, self._rows, strict=True):
            file.write(frame_of(rows, self._schema))
            rows.clear()
        self._bytes = 0

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        with self._whole:
            if kind is None:
                self._put_away()


def _join(work: Path, shard: str, target: Path) -> int:
    """Write a shard's answers in the order of problems and numbers, the first of each, with their last verdicts;
    how many answers came again."""
    source = work / "text" / shard
    keys = read_table(source, TEXTS, KEY).with_row_index("row")
    order = keys.unique(KEY, keep="first", maintain_order=True).sort(KEY)
    for part, name in zip(PARTS[1:], ("judge", "judge_vote"), strict=True):
        verdicts = read_table(work / part / shard, VERDICTS).unique(KEY, keep="last").rename({"judge": name})
        order = order.join(verdicts, on=KEY, how="left", maintain_order="left")
    step = 2**64 // max(1, order.height)
    ranked = order.drop(KEY).with_columns((pl.int_range(pl.len(), dtype=pl.UInt64) * step).alias("rank"))
    with Spool(target / f".{shard}.spool", text_bytes(source, "text")) as spool:
        first = 0
        for piece in stream_table(source, TEXTS, TEXTS.names(), PIECE):
            numbered = piece.with_row_index("row", offset=first)
            spool.add(numbered.join(ranked, on="row", maintain_order="left").drop("row"))
            first += piece.height
        with TableWriter(target / shard, RECORDED) as table:
            for part_of_rows in spool.parts():
                for piece in part_of_rows.iter_slices(PIECE):
                    table.write(piece)
    return keys.height - order.height


# -- out


def give_out(results: Path, effort: str, output: Path) -> dict[str, int]:
    """Write an effort's problems, answers, verdicts and votes in their layout; counts of lines by part."""
    shards = sorted((results / "problems" / "shards").glob("*.parquet"))
    if not shards:
        raise UserError("holds no problems", where=results, todo="give the folder of an experiment that has run")
    counts = Counter[str]()
    with ExitStack() as stack:

        def opened(name: str) -> Callable[[dict[str, Any]], None]:
            file = stack.enter_context(_text_file(output / effort / name))

            def write(row: dict[str, Any]) -> None:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                counts[name.partition("/")[0]] += 1

            return write

        files = {part: opened(f"{part}/{RUN}/0_1.jsonl") for part in (*PARTS, "vote")}
        info = opened("info.jsonl")
        for path in shards:
            problems = _infos(path)
            for row in problems.values():
                info(row)
            settled = results / "groups" / "settled" / path.name  # there when a model judged too
            groups = settled if settled.exists() else results / "groups" / path.name
            _give_votes(groups, problems, files["vote"])
            _give_answers(results, effort, path.name, problems, files)
    return dict(counts)


def _infos(path: Path) -> dict[str, dict[str, Any]]:
    rows = read_table(path, PROBLEMS, ["id", "problem", "answer"]).iter_rows()
    return {name: {"prompt": text, "expected_answer": label, "index": name} for name, text, label in rows}


def _give_votes(path: Path, problems: dict[str, dict[str, Any]], write: Callable[[dict[str, Any]], None]) -> None:
    """Votes by class, under its most frequent spelling, the most votes first."""
    groups = read_table(path, GROUPS, ["problem_id", "answer", "class", "count"]).filter(pl.col("count") > 0)
    tally = (
        groups.sort("problem_id", "class", "count", "answer", descending=[False, False, True, False])
        .group_by("problem_id", "class", maintain_order=True)
        .agg(pl.col("answer").first(), pl.col("count").sum())
        .sort("problem_id", "count", "class", descending=[False, True, False])
    )
    votes: dict[str, dict[str, int]] = {}
    for problem_id, _, answer, count in tally.iter_rows():
        votes.setdefault(problem_id, {})[answer] = count
    for problem_id, row in problems.items():
        write({**row, "vote": votes.get(problem_id, {})})


def _give_answers(
    results: Path,
    effort: str,
    name: str,
    problems: dict[str, dict[str, Any]],
    files: dict[str, Callable[[dict[str, Any]], None]],
) -> None:
    columns = ["answer_id", "correct", "correct_vote"]
    judged = read_table(results / "judged" / effort / name, JUDGED, columns)
    verdicts = {answer_id: verdict for answer_id, *verdict in judged.iter_rows()}
    columns = ["answer_id", "problem_id", "text"]
    for piece in stream_table(results / "answers" / effort / name, ANSWERS, columns, PIECE):
        for answer_id, problem_id, text in piece.iter_rows():
            row = _line(problems[problem_id], answer_id, text)
            files[PARTS[0]](row)
            for part, verdict in zip(PARTS[1:], verdicts[answer_id], strict=True):
                files[part]({**row, "judge": verdict if text is not None else None})


def _line(info: dict[str, Any], answer_id: str, text: str | None) -> dict[str, Any]:
    """An answer's line. What the engine was sent is not kept: in its place stands the prompt in Harmony's form."""
    asked = f"<|start|>user<|message|>\n{info['prompt']}\n<|end|><|start|>assistant"
    output = None if text is None else asked + text
    own = {**info, "index": answer_id}
    return {"info": own, "index": answer_id, "model_input": asked, "model_output": output, "prompt": info["prompt"],
            "answer": text}  # fmt: skip


def give_training(tables: Iterable[Path], output: Path) -> int:
    """Write examples as their training files, data_part1.jsonl and on, in the order of the tables; how many lines.

    Each shard is shuffled already, and shards are a random split of the problems.
    """
    number, lines = 0, 0
    with ExitStack() as stack:
        file: IO[str] | None = None
        for path in tables:
            for piece in stream_table(path, CURRICULUM, ["messages"], PIECE):
                for messages in piece["messages"].to_list():
                    if lines % PART_LINES == 0:
                        stack.close()
                        number += 1
                        file = stack.enter_context(_text_file(output / f"data_part{number}.jsonl"))
                    assert file is not None
                    file.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")
                    lines += 1
    return lines


@contextmanager
def _text_file(path: Path) -> Iterator[IO[str]]:
    """A text file that stands under its name when it is whole."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yield file
