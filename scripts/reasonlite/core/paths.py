"""Lists of files in the shell's brace notation, because one argument of a program has its limit.

Linux takes 131,072 bytes in one argument, and Snakemake hands a rule's whole command over as one: the paths of
thousands of shards do not fit. ``votes/{00000..00342}.parquet`` says the same in thirty characters.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence

GROUP = re.compile(r"\{([^{}]*)\}")
NUMBERS = re.compile(r"(\d+)\.\.(\d+)")


def braced(paths: Iterable[object]) -> list[str]:
    """The paths in short: one text if they are all combinations of their folders' and files' names, else a text for
    each run of one folder where that is one, else as they are.

    ``expanded`` gives them back in the same order. Names that hold braces or commas are left as they are.
    """
    listed = [str(path) for path in paths]
    whole = _combined(listed)
    if whole is not None:
        return [whole]
    folders = [list(group) for _, group in itertools.groupby(listed, lambda path: path.rpartition("/")[0])]
    parts = [([short] if (short := _combined(group)) is not None else group) for group in folders]
    return list(itertools.chain.from_iterable(parts))


def _combined(listed: list[str]) -> str | None:
    """One text for all combinations of names; None if the paths are not that."""
    split = [path.split("/") for path in listed]
    if len(listed) < 2 or len({len(parts) for parts in split}) > 1 or any(re.search(r"[{},]", path) for path in listed):
        return None
    columns = [list(dict.fromkeys(column)) for column in zip(*split, strict=True)]
    # counted before they are listed, for combinations may be far more than the paths
    if len(listed) != math.prod(map(len, columns)) or listed != list(map("/".join, itertools.product(*columns))):
        return None
    return "/".join(_short(names) for names in columns)


def _short(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    stems, endings = zip(*(re.fullmatch(r"([^.]*)(.*)", name, re.DOTALL).groups() for name in names), strict=True)  # type: ignore[union-attr]
    if len(set(endings)) > 1:
        return "{" + ",".join(names) + "}"
    return "{" + (_run(stems) or ",".join(stems)) + "}" + endings[0]


def _run(stems: Sequence[str]) -> str:
    """``00000..00342`` for numbers of one width that follow each other, else nothing."""
    first = stems[0]
    if not first.isdecimal():
        return ""
    expected = (f"{number:0{len(first)}d}" for number in itertools.count(int(first)))
    return f"{first}..{stems[-1]}" if all(map(str.__eq__, stems, expected)) else ""


def expanded(text: str) -> list[str]:
    """The paths that a text in brace notation stands for, as the shell would give them: the last group runs fastest."""
    parts = GROUP.split(text)  # texts and the groups between them, in turn
    choices = [[part] if position % 2 == 0 else _members(part) for position, part in enumerate(parts)]
    return ["".join(chosen) for chosen in itertools.product(*choices)]


def _members(group: str) -> list[str]:
    if numbers := NUMBERS.fullmatch(group):
        first, last = numbers.groups()
        return [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]
    return group.split(",") if "," in group else ["{" + group + "}"]
