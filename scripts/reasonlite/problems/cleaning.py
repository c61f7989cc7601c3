"""Which problems are kept: no proofs, no copies of an earlier problem, nothing that a benchmark holds.

A copy stays out, the problem that came first stays in; one with a label comes before one without, then the
order of the sources in the config counts, then that of their rows. Every problem dropped is told with its
reason, its twin and a score. Does not know where problems come from.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from reasonlite.config.settings import Cleaning
from reasonlite.core.schemas import DROPPED, NOTICED, PROBLEMS, VARIANT_OF_BENCHMARK
from reasonlite.core.tables import frame_of
from reasonlite.judge.equivalence import compare
from reasonlite.problems.likeness import Text, masked_similarity, shared_numbers, similarity, tokens_of

PERMUTATIONS, BANDS = 128, 32  # pairs with a Jaccard index of 0.4 are candidates half of the time, of 0.6 99%
SAME_NUMBERS = 0.75  # share of numbers in common that a benchmark's twin has at least
UNLABELLED = 0.95  # similarity that two problems need when no labels can speak
VARIANT = 0.9  # similarity without the numbers from which a problem is a benchmark's with other numbers
VARIANT_TOKENS = 8  # a shorter one is anybody's
NUMBERLESS = 0.9  # overlap that a problem without numbers needs: one word may make it another
MOVABLE, LONG = 4, 25  # numbers, or tokens, from which the order of numbers may differ
BATCH = 4_096


def clean(
    problems: pl.DataFrame, benchmarks: pl.DataFrame, settings: Cleaning
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Sort problems (SOURCED, in the order in which the first of copies is kept) into (PROBLEMS, DROPPED, NOTICED).

    Contaminated: shares its numbers with a benchmark problem and ``overlap`` of the shorter one's n-grams, or is
    similar and has its label. Duplicate: has exactly an earlier problem's numbers, and its very tokens, or is
    similar and has its label. What differs from a benchmark problem by numbers alone is a variant: noticed, or
    dropped if the settings say so. Copies with other labels are noticed as conflicts.
    """
    ordered = problems.sort(pl.col("answer").is_null(), maintain_order=True)
    texts = [Text(tokens_of(problem)) for problem in itertools.chain(benchmarks["problem"], ordered["problem"])]
    sorted_out = _Sorting(benchmarks, settings, zip(texts, _buckets(texts), strict=True))
    for batch in ordered.iter_slices(BATCH):
        sorted_out.take(batch)
    return (
        pl.concat([frame_of([], PROBLEMS), *sorted_out.kept]),
        frame_of(sorted_out.dropped, DROPPED),
        frame_of(sorted_out.noticed, NOTICED),
    )


class _Known:
    """Problems that others are compared with, and those of them that may be like a text."""

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self.rows: list[tuple[str, str | None]] = []  # id, label
        self._members: dict[int, list[int]] = {}

    def add(self, text: Text, buckets: list[int], problem_id: str, label: str | None) -> None:
        number = len(self.texts)  # one object, however many buckets hold it
        for bucket in buckets:
            self._members.setdefault(bucket, []).append(number)
        self.texts.append(text)
        self.rows.append((problem_id, label))

    def like(self, buckets: list[int]) -> list[int]:
        """Numbers of candidates, in the order in which they came."""
        return sorted({number for bucket in buckets for number in self._members.get(bucket, ())})


def _buckets(texts: Sequence[Text]) -> Iterator[list[int]]:
    """The buckets of each text's MinHash bands that other texts fall into as well: at most BANDS, mostly none.

    Equal texts have equal bands, so they share every bucket.
    """
    from rensa import RMinHash

    width = PERMUTATIONS // BANDS
    hashes = np.empty((BANDS, len(texts)), dtype=np.uint32)  # one too many in common costs a look, so 32 bits do
    for first in range(0, len(texts), BATCH):
        shingles = [text.shingles for text in texts[first : first + BATCH]]
        digests = RMinHash.digests_from_token_sets(shingles, num_perm=PERMUTATIONS, seed=1)
        table = pl.from_numpy(np.array(digests, dtype=np.uint32))
        for band in range(BANDS):
            four = pl.struct(table.columns[band * width : (band + 1) * width])
            hashes[band, first : first + table.height] = table.select(four.hash() // 2**32).to_series().to_numpy()
    rows, buckets = [], []
    for band in range(BANDS):
        shared = pl.Series(hashes[band]).is_duplicated().to_numpy().nonzero()[0]
        rows.append(shared.astype(np.uint32))
        buckets.append(hashes[band, shared].astype(np.uint64) + np.uint64(band * 2**32))
    del hashes
    owners = np.concatenate(rows)
    ordered = np.concatenate(buckets)[np.argsort(owners, kind="stable")]
    ends = np.cumsum(np.bincount(owners, minlength=len(texts)))
    for first, end in itertools.pairwise([0, *ends]):
        yield ordered[first:end].tolist()


class _Sorting:
    """Problems on their way into kept, dropped and noticed ones."""

    def __init__(self, benchmarks: pl.DataFrame, settings: Cleaning, read: Iterator[tuple[Text, list[int]]]) -> None:
        self._settings = settings
        self._read = read  # texts and buckets of the benchmarks' problems, then of all that are taken
        self._first = _Known()
        self._held_out = _Known()
        self._grams: dict[tuple[str, ...], list[int]] = {}
        self.kept: list[pl.DataFrame] = []
        self.dropped: list[dict] = []
        self.noticed: list[dict] = []
        for row in benchmarks.iter_rows(named=True):
            text, buckets = next(self._read)
            for gram in text.grams(settings.ngram):
                self._grams.setdefault(gram, []).append(len(self._held_out.texts))
            self._held_out.add(text, buckets, row["id"], row["answer"])

    def take(self, batch: pl.DataFrame) -> None:
        """Sort a batch of problems."""
        kept = []
        for place, row in enumerate(batch.iter_rows(named=True)):
            text, buckets = next(self._read)
            reason = row.pop("unusable") if self._settings.uncheckable == "drop" else None
            row.pop("unusable", None)
            found = (reason, None, None) if reason else self._contaminated(row, text, buckets)
            found = found or self._duplicate(row, text, buckets)
            if found:
                self.dropped.append({**row, "reason": found[0], "twin": found[1], "score": found[2]})
                continue
            self._first.add(text, buckets, row["id"], row["answer"])
            kept.append(place)
        self.kept.append(batch[kept].select(PROBLEMS.names()))

    def _contaminated(self, row: dict, text: Text, buckets: list[int]) -> tuple[str, str, float] | None:
        grams = text.grams(self._settings.ngram)
        shared = Counter(number for gram in grams for number in self._grams.get(gram, ()))
        variant = None
        for number in sorted({*shared, *self._held_out.like(buckets)}):
            other, (twin, label) = self._held_out.texts[number], self._held_out.rows[number]
            if text.tokens == other.tokens:
                return "contaminated", twin, 1.0
            if text.numbers != other.numbers and text.masked == other.masked:
                variant = (twin, label, 1.0)
            elif shared_numbers(text, other) >= SAME_NUMBERS:
                shorter = max(1, min(len(grams), len(other.tokens) - self._settings.ngram + 1))
                enough = self._settings.overlap if text.numbers else max(self._settings.overlap, NUMBERLESS)
                if (overlap := shared[number] / shorter) >= enough:
                    return "contaminated: n-grams", twin, min(1.0, overlap)
                if not _ordered(text, other):
                    continue
                score = similarity(text, other)
                if score >= UNLABELLED or (score >= self._settings.similarity and _agree(row["answer"], label)):
                    return "contaminated: similar", twin, score
            elif len(text.tokens) >= VARIANT_TOKENS and variant is None:
                score = masked_similarity(text, other)
                variant = (twin, label, score) if score >= VARIANT else None
        if variant and self._settings.variants == "drop":
            return VARIANT_OF_BENCHMARK, variant[0], variant[2]
        if variant:
            self._notice(row, VARIANT_OF_BENCHMARK, *variant)
        return None

    def _duplicate(self, row: dict, text: Text, buckets: list[int]) -> tuple[str, str, float] | None:
        numbers = sorted(text.numbers)
        for number in self._first.like(buckets):
            other, (twin, label) = self._first.texts[number], self._first.rows[number]
            if numbers != sorted(other.numbers) or not _ordered(text, other):
                continue
            if text.tokens == other.tokens:
                if row["answer"] is not None and label is not None and not _agree(row["answer"], label):
                    self._notice(row, "copies with other labels", twin, label, 1.0)
                return "duplicate", twin, 1.0
            score = similarity(text, other)
            if score < self._settings.similarity:
                continue
            if row["answer"] is None or label is None:
                if score >= UNLABELLED and text.numbers == other.numbers:
                    return "near duplicate", twin, score
            elif _agree(row["answer"], label):
                return "near duplicate", twin, score
        return None

    def _notice(self, row: dict, what: str, twin: str, twin_label: str | None, score: float) -> None:
        noticed = {"what": what, "twin": twin, "twin_label": twin_label, "score": score}
        self.noticed.append({"id": row["id"], "source": row["source"], "label": row["answer"], **noticed})


def _ordered(left: Text, right: Text) -> bool:
    """Whether the order of the numbers says nothing against one problem: 2 + 3 is not 3 + 2, but sentences may move."""
    if left.numbers == right.numbers:
        return True
    return min(len(left.numbers), len(right.numbers)) >= MOVABLE or min(len(left.tokens), len(right.tokens)) >= LONG


def _agree(left: str | None, right: str | None) -> bool:
    return left is not None and right is not None and (left == right or compare(left, right).is_equal)
