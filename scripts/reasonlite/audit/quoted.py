r"""Numbers that a paper's text quotes, checked against the tables that they are from; and the tables as LaTeX macros.

In LaTeX a number is quoted as \rl{final aime24 avg@16}{47.3 [41.0, 53.6]}, in Markdown as 47.3<!-- rl final aime24
avg@16 -->; another table than results.csv is named first: \rl{curves: budget aime24 final 4096}{31.2}.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from reasonlite.audit.claims import row_of
from reasonlite.audit.sides import Side
from reasonlite.core.errors import UserError

LATEX = re.compile(r"\\rl\s*\{([^{}]+)\}\s*(?:%[^\n]*\n\s*)?\{((?:[^{}]|\{[^{}]*\})*)\}")
MARKDOWN = re.compile(r"<!--\s*rl\s+(.+?)\s*-->", re.DOTALL)
MARKS = re.compile(r"\\rl\s*\{|<!--\s*rl\s")  # every place that claims to quote
# what stands before a comment: a number, its interval in any brackets, a unit or two words, and markup
BEFORE = re.compile(r"([-+−]?\d[\d.,{}]*\s?\\?%?(?:\s*[\[(][^\[\]()\n]*[\])])?)[*_`)\s]*(?:[A-Za-z]+\s*){0,2}$")
NUMBER = re.compile(r"(?<![\d.])[-+−]?\d+(?:\.\d+)?")
MAIN = ("value", "difference", "accuracy")  # the column of a table's number


@dataclass(frozen=True)
class Quote:
    line: int
    claim: str
    said: str


def quotes(text: str) -> Iterator[Quote]:
    """Numbers of a text that name where they are from, in its order; ``said`` is empty where none could be read."""
    found = {match.start(): (match[1], match[2]) for match in LATEX.finditer(text)}
    for match in MARKDOWN.finditer(text):
        before = BEFORE.search(text[max(match.start() - 120, 0) : match.start()])
        found[match.start()] = (match[1], before[1] if before else "")
    for mark in MARKS.finditer(text):
        found.setdefault(mark.start(), (text[mark.start() : mark.start() + 40], ""))
    for start, (claim, said) in sorted(found.items()):
        yield Quote(text.count("\n", 0, start) + 1, " ".join(claim.split()), said.strip())


def check(side: Side, path: Path) -> tuple[int, list[str]]:
    """How many numbers a text quotes, and a line for each that is not what its table has."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {error}", where=path, todo="name a text file") from None
    faults, count = [], 0
    for quote in quotes(text):
        count += 1
        told = _fault(side, quote)
        if told:
            faults.append(f"{path}:{quote.line}: {quote.claim}: {told}")
    return count, faults


def _fault(side: Side, quote: Quote) -> str | None:
    if not quote.said:
        return "no number can be read beside it"
    table, colon, words = quote.claim.partition(": ")
    name, words = (f"tables/{table}.csv", words) if colon else ("tables/results.csv", quote.claim)
    try:
        row = row_of(side, name, shlex.split(words))
    except (UserError, ValueError) as error:
        return str(error).splitlines()[0]
    expected, said = numbers_of(row), numbers_in(quote.said)
    if not said:
        return f"{quote.said!r} holds no number"
    for text, value in zip(said, expected, strict=False):
        places = len(text.partition(".")[2])
        if abs(float(text) - value) > 0.5 * 10**-places + 1e-9:
            shown = ", ".join(f"{number:.{places}f}" for number in expected[: len(said)])
            return f"the text says {quote.said}, {name} has {shown}"
    return f"the text says {len(said)} numbers, {name} has {len(expected)}" if len(said) > len(expected) else None


def numbers_in(text: str) -> list[str]:
    """Numbers of a text: 4,096 and 4{,}096 are one, and a dash between two numbers is no sign."""
    text = re.sub(r"(?<=\d)(?:,|\{,\})(?=\d{3}(?!\d))", "", text).replace("−", "-")
    return NUMBER.findall(re.sub(r"(?<=\d)\s*(?:--|–|-)\s*(?=\d)", " ", text))


def numbers_of(row: dict[str, Any]) -> list[float]:
    """A row's number, and its interval where it has one."""
    main = next((name for name in MAIN if isinstance(row.get(name), int | float)), None)
    if main is None:
        return []
    bounds = [(f"{main}_low", f"{main}_high"), ("low", "high")]
    known = next((pair for pair in bounds if all(isinstance(row.get(name), int | float) for name in pair)), ())
    return [float(row[name]) for name in (main, *known)]


def macros(side: Side) -> str:
    r"""tables/results.csv as LaTeX: \rlvalue{model}{benchmark}{metric} prints a value, \rlwhole the interval too.

    A name without a row is an error when the paper is set, and each value is said with the hash of its table.
    """
    path = side.file("outputs", "tables/results.csv", [])
    if path is None:
        raise UserError("is gone or is not what the manifest says", where="tables/results.csv", todo="run the workflow")
    digest = side.manifest["outputs"]["tables/results.csv"]["sha256"]
    lines = [
        f"% from tables/results.csv, sha256 {digest}; made by audit.py macros, not by hand",
        r"\newcommand{\rl}[2]{#2}",
        r"\newcommand{\rlget}[4]{\ifcsname rl@#1@#2@#3@#4\endcsname\csname rl@#1@#2@#3@#4\endcsname"
        r"\else\errmessage{tables/results.csv has no row #1 #2 #3}\fi}",
        r"\newcommand{\rlvalue}[3]{\rlget{#1}{#2}{#3}{value}}",
        r"\newcommand{\rlwhole}[3]{\rlget{#1}{#2}{#3}{whole}}",
        rf"\newcommand{{\rlhash}}{{{digest[:12]}}}",
    ]
    for row in pl.read_csv(path, infer_schema_length=None).iter_rows(named=True):
        if row["metric"].startswith("tokens p"):
            continue  # three percentiles, no value with its interval
        value, *bounds = numbers_of(row)
        whole = f"{value:.1f} [{bounds[0]:.1f}, {bounds[1]:.1f}]" if bounds else f"{value:.1f}"
        name = f"rl@{row['model']}@{row['benchmark']}@{row['metric']}"
        lines += [rf"\expandafter\def\csname {name}@{part}\endcsname{{{text}}}" for part, text in
                  (("value", f"{value:.1f}"), ("whole", whole))]  # fmt: skip
    return "\n".join(lines) + "\n"
