"""Which problem of a benchmark a row of a log is about. Does not know logs' forms."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import Literal

import polars as pl

from reasonlite.core.errors import UserError
from reasonlite.exchange.logs import Drawn
from reasonlite.problems.records import qualified

SHOWN = 80  # characters of a text in a message
LEAST = 20  # characters of a problem that is looked for inside a prompt


class Benchmark:
    """A benchmark's problems (PROBLEMS), found by text or by id."""

    def __init__(self, problems: pl.DataFrame) -> None:
        self._source = problems["source"][0] if problems.height else ""
        self.labels = dict(problems.select("id", "answer").iter_rows())
        self._texts = {name: plain(text) for name, text in problems.select("id", "problem").iter_rows()}
        self._by_text: dict[str, list[str]] = defaultdict(list)
        for name, text in self._texts.items():
            self._by_text[text].append(name)

    def find(self, drawn: Drawn, by: Literal["text", "id"]) -> tuple[str | None, bool]:
        """The problem's id, or None if the benchmark has no such problem; and whether the texts are the same.

        By text: one of the row's texts is the problem's, or holds it whole, after any worked examples; spaces and
        Unicode's forms do not count.
        Where two problems have the same text the row's id has to say which. By id: texts are only compared.
        """
        known = None if drawn.problem_id is None else qualified(drawn.problem_id, self._source)
        texts = [plain(text) for text in drawn.texts]
        if by == "id" or not texts:
            if known is None:
                raise UserError("has no id", where=drawn.where, todo="name its column, or match by text")
            if known not in self._texts:
                return None, False
            return known, not texts or any(self._texts[known] in text for text in texts)
        for text in texts:
            if text in self._by_text:
                return self._one(self._by_text[text], known, drawn), True
        for text in texts:
            if found := self._asked(text):
                return self._one(found, known, drawn), True
        return None, False

    def _asked(self, prompt: str) -> list[str]:
        """The problems whose text ends last in a prompt, the longest of them: what stands before it are examples."""
        ends = {
            name: (prompt.rfind(own) + len(own), len(own))
            for name, own in self._texts.items()
            if len(own) >= LEAST and own in prompt
        }
        last = max(ends.values(), default=None)
        return sorted(name for name, end in ends.items() if end == last)

    def _one(self, found: list[str], known: str | None, drawn: Drawn) -> str:
        if len(found) == 1:
            return found[0]
        if known in found:
            return str(known)
        raise UserError(
            f"its text is that of {len(found)} problems: {', '.join(found[:4])}",
            where=drawn.where,
            todo="let the log have the benchmark's ids, or match by id",
        )

    def unknown(self, drawn: Drawn) -> UserError:
        """The error for a row whose problem is not there."""
        shown = drawn.texts[0].strip()[:SHOWN] if drawn.texts else drawn.problem_id
        return UserError(
            f"its problem is none of the {len(self._texts)} of the benchmark {self._source}: {shown!r}",
            where=drawn.where,
            todo="give the benchmark that the log is of as source; match: id, if only texts differ; or others: drop",
        )


def plain(text: str) -> str:
    """A text without what copies change: Unicode's composition and runs of white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())
