"""Small charts as SVG: histograms that filter and lines laid over each other. Colours come from the style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from reasonlite.core.errors import UserError

BINS = 20
WIDTH, HEIGHT = 220, 56
COLOURS = 8  # classes s0 … s7 of the style sheet


@dataclass(frozen=True)
class Bin:
    """From ``low`` to ``high``, which is left out if ``below``; of a column of words both are the word."""

    low: str
    high: str
    count: int
    below: bool = False

    @property
    def range(self) -> str:
        """As an address has it, read by `within`."""
        return f"{self.low}..{'<' if self.below else ''}{self.high}"

    @property
    def words(self) -> str:
        """For reading."""
        if self.low == self.high:
            return self.low
        return f"{_short(self.low)} to {'below ' if self.below else ''}{_short(self.high)}"


def in_words(wanted: str) -> str:
    """A range in an address, for reading."""
    low, dots, high = wanted.partition("..")
    below = high.startswith("<")
    try:
        return Bin(low, high.removeprefix("<"), 0, below).words if dots else wanted
    except ValueError:
        return low


def _short(number: str) -> str:
    return f"{float(number):.6g}"


def within(column: pl.Series, wanted: str) -> pl.Expr:
    """A bin's range as a condition; a `UserError` for anything else."""
    low, dots, high = wanted.partition("..")
    if column.dtype in (pl.String, pl.Boolean):
        return pl.col(column.name).cast(pl.String) == low
    try:
        first, last = float(low), float(high.removeprefix("<"))
    except ValueError:
        raise UserError(f"{wanted!r} is no range", where=f"is.{column.name}", todo="write low..high") from None
    value = pl.col(column.name)
    return (value >= first) & (value < last if high.startswith("<") else value <= last)


@dataclass(frozen=True)
class Histogram:
    column: str
    bins: list[Bin]
    words: bool
    missing: int


def histogram(column: pl.Series) -> Histogram | None:
    """Counts of a column in bins of equal width, or of its words, most frequent first; None where it has no values."""
    known = column.drop_nulls()
    if known.is_empty():
        return None
    missing = column.len() - known.len()
    if column.dtype in (pl.String, pl.Boolean):
        counts = known.cast(pl.String).value_counts(sort=True).head(BINS)
        bins = [Bin(word, word, count) for word, count in counts.iter_rows()]
        return Histogram(column.name, bins, True, missing)
    low, high = float(known.min()), float(known.max())  # type: ignore[arg-type]
    if low == high:
        return Histogram(column.name, [Bin(_edge(low), _edge(high), known.len())], False, missing)
    whole = not column.dtype.is_float()
    width = max(1, math.ceil((high - low + 1) / BINS)) if whole else (high - low) / BINS
    number = math.ceil((high - low + 1) / width) if whole else BINS
    edges = [low + place * width for place in range(number)]
    # by the very edges that a filter will have, each value in one bin
    places = pl.Series(edges).search_sorted(known.cast(pl.Float64), side="right") - 1
    found = dict(places.value_counts().iter_rows())
    bins = []
    for place, first in enumerate(edges):
        last = place == number - 1
        end = high if last else edges[place + 1]
        if whole:  # both ends included: 3 to 5
            bins.append(Bin(_edge(first), _edge(end if last else end - 1), found.get(place, 0)))
        else:
            bins.append(Bin(_edge(first), _edge(end), found.get(place, 0), below=not last))
    return Histogram(column.name, bins, False, missing)


def _edge(value: float) -> str:
    return repr(int(value)) if value.is_integer() else repr(value)


@dataclass(frozen=True)
class Line:
    name: str
    points: Sequence[tuple[float, float]]
    colour: int  # the same for the same name in every chart of a page


GRID = Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>')
TEXT = Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>')
POLYLINE = Markup('<polyline class="s{}" points="{}"><title>{}</title></polyline>')
POINT = Markup('<circle class="s{}" cx="{}" cy="{}" r="3"><title>{}</title></circle>')
LINES = Markup('<svg class="lines" viewBox="0 0 {} {}" role="img" aria-label="{} over {}">')
BARS = Markup('<svg class="bars" viewBox="0 0 {} {}" data-column="{}" data-words="{}" role="group" aria-label="{}">')
BAR = Markup(
    '<a href="{}" aria-label="{}" data-low="{}" data-high="{}" data-below="{}">'
    '<rect class="room" x="{}" y="0" width="{}" height="{}"/>'
    '<rect class="bar" x="{}" y="{}" width="{}" height="{}"/><title>{}</title></a>'
)
SPACE = {"left": 58, "right": 8, "top": 8, "bottom": 24}


def lines(drawn: Sequence[Line], x_label: str, *, width: int = 420, height: int = 200) -> Markup:
    """A chart of several lines over one another, with its axes' ends and a title for each line."""
    points = [(x, y) for line in drawn for x, y in line.points if math.isfinite(x) and math.isfinite(y)]
    if not points:
        return Markup("")
    low_x, high_x = min(x for x, _ in points), max(x for x, _ in points)
    low_y, high_y = min(y for _, y in points), max(y for _, y in points)
    if low_y == high_y:
        low_y, high_y = low_y - (abs(low_y) or 1) / 2, high_y + (abs(high_y) or 1) / 2
    left, right = SPACE["left"], width - SPACE["right"]
    top, bottom = SPACE["top"], height - SPACE["bottom"]

    def at(x: float, y: float) -> tuple[str, str]:
        across = left + (x - low_x) / ((high_x - low_x) or 1) * (right - left)
        return f"{across:.1f}", f"{bottom - (y - low_y) / (high_y - low_y) * (bottom - top):.1f}"

    parts = [LINES.format(width, height, ", ".join(line.name for line in drawn), x_label)]
    for step in range(3):
        value = low_y + (high_y - low_y) * step / 2
        y = at(low_x, value)[1]
        parts.append(GRID.format(left, right, y, y, left - 5, float(y) + 4, _tick(value)))
    parts.append(TEXT.format(left, height - 6, "start", f"{low_x:,.6g}"))
    parts.append(TEXT.format(right, height - 6, "end", f"{high_x:,.6g} {x_label}"))
    for line in drawn:
        kept = [at(x, y) for x, y in line.points if math.isfinite(x) and math.isfinite(y)]
        colour = line.colour % COLOURS
        if len(kept) == 1:
            parts.append(POINT.format(colour, *kept[0], line.name))
        elif kept:
            parts.append(POLYLINE.format(colour, " ".join(map(",".join, kept)), line.name))
    return Markup("").join([*parts, Markup("</svg>")])


def _tick(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def bars(found: Histogram, link: Callable[[Bin], str]) -> Markup:
    """A histogram whose bars are links; ``link`` gives the address of the page filtered by a bar."""
    most = max(bar.count for bar in found.bins) or 1
    step = WIDTH / len(found.bins)
    parts = [BARS.format(WIDTH, HEIGHT, found.column, int(found.words), f"histogram of {found.column}")]
    for place, bar in enumerate(found.bins):
        height = 0 if not bar.count else max(2.0, (HEIGHT - 2) * bar.count / most)
        title = f"{bar.words}: {bar.count:,}"
        room = (f"{place * step:.2f}", f"{step:.2f}", HEIGHT)
        own = (f"{place * step + 0.5:.2f}", f"{HEIGHT - height:.2f}", f"{max(step - 1, 0.5):.2f}", f"{height:.2f}")
        parts.append(BAR.format(link(bar), title, bar.low, bar.high, int(bar.below), *room, *own, title))
    return Markup("").join([*parts, Markup("</svg>")])
