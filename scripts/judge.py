"""Judge the answers in a JSONL file against its gold answers: equal, different or undecided.

Each line is an object with a gold answer and an answer, or a whole reply, of a model:
  {"gold": "1/2", "answer": "0.5"}
  {"gold": "#### 42", "response": "... so the answer is \\boxed{42}."}
The line comes back with the two final answers that were found, the verdict and what decided it.
A summary goes to the error stream. Needs neither Snakemake nor a model.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from reasonlite.core import errors, files
from reasonlite.judge import equivalence, extraction

GOLD = ["gold", "answer_gold", "expected_answer", "label", "solution", "target"]
ANSWER = ["answer", "pred", "prediction", "response", "output", "model_output"]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path, help="JSONL file, may end in .gz; - for the standard input")
    parser.add_argument("--output", type=Path, help="JSONL file to write; default: the standard output")
    parser.add_argument(
        "--gold", metavar="KEY", help=f"key of the gold answer; default: the first of {', '.join(GOLD)}"
    )
    parser.add_argument("--answer", metavar="KEY", help=f"key of the answer; default: the first of {', '.join(ANSWER)}")
    parser.add_argument("--boxed-only", action="store_true", help="take no answer from prose without a mark")
    arguments = parser.parse_args(argv)
    counts: Counter[str] = Counter()
    with contextlib.ExitStack() as stack:
        output: TextIO = sys.stdout
        if arguments.output:
            temporary = stack.enter_context(files.atomic_path(arguments.output))
            output = stack.enter_context(temporary.open("w", encoding="utf-8"))
        for where, row in _rows(arguments.input):
            judged = _judge(row, where, arguments)
            counts[judged["verdict"]] += 1
            output.write(json.dumps(row | judged) + "\n")
            if arguments.output is None:
                output.flush()  # another program may wait for the answer before it asks again
    total = sum(counts.values())
    share = f"{counts['equal'] / total:.1%}" if total else "none"
    print(f"{total} answers, {share} equal to the gold answer: {dict(sorted(counts.items()))}", file=sys.stderr)


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with contextlib.nullcontext(sys.stdin) if str(path) == "-" else opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise errors.UserError(f"is not JSON: {error}", where=f"{path}, line {number}") from None
                if not isinstance(row, dict):
                    raise errors.UserError("is not a JSON object", where=f"{path}, line {number}")
                yield f"{path}, line {number}", row
    except FileNotFoundError:
        raise errors.UserError("no such file", where=path, todo="give a JSONL file, or - for standard input") from None
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
        raise errors.UserError(f"cannot be read: {error}", where=path) from None


def _judge(row: dict[str, Any], where: str, arguments: argparse.Namespace) -> dict[str, str | None]:
    gold_key = arguments.gold or next((key for key in GOLD if key in row), None)
    answer_key = arguments.answer or next((key for key in ANSWER if key in row and key != gold_key), None)
    for option, key in (("gold", gold_key), ("answer", answer_key)):
        if key is None or key not in row:
            raise errors.UserError(
                f"has no {option} answer under {key or 'a usual key'}; it has {', '.join(row)}",
                where=where,
                todo=f"name the key with --{option}",
            )
    gold_text, answer_text = ("" if row[key] is None else str(row[key]) for key in (gold_key, answer_key))
    gold = extraction.extract(gold_text, prose=True) or gold_text
    found = extraction.extract(answer_text, prose=not arguments.boxed_only)
    if found is None:
        return {"gold_answer": gold, "final_answer": None, "verdict": "different", "method": "no answer"}
    verdict = equivalence.compare(gold, found)
    return {"gold_answer": gold, "final_answer": found, "verdict": verdict.verdict, "method": verdict.method}


if __name__ == "__main__":
    errors.run_main(main)
