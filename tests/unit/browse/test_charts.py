"""Histograms: a bar counts just the rows that its own link shows."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonlite.browse.charts import histogram, within
from reasonlite.core.errors import UserError

FLOATS = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([n / 20 for n in range(21)]) | st.none(), min_size=1)
WHOLE = st.lists(st.integers(-5, 2**40) | st.integers(0, 30) | st.none(), min_size=1)
WORDS = st.lists(st.sampled_from(["a", "b..c", "", "<"]) | st.none(), min_size=1)
TRUTH = st.lists(st.booleans() | st.none(), min_size=1)


@given(
    st.one_of(
        FLOATS.map(lambda values: pl.Series("x", values, pl.Float64)),
        WHOLE.map(lambda values: pl.Series("x", values, pl.Int64)),
        TRUTH.map(lambda values: pl.Series("x", values, pl.Boolean)),
    )
)
def test_each_bar_counts_what_its_link_shows(column):
    found = histogram(column)
    if found is None:
        assert column.null_count() == column.len()
        return
    frame = column.to_frame()
    assert [bar.count for bar in found.bins] == [frame.filter(within(column, bar.range)).height for bar in found.bins]
    assert sum(bar.count for bar in found.bins) + found.missing == column.len()
    if not found.words:
        stroke = f"{found.bins[0].low}..{found.bins[-1].range.partition('..')[2]}"
        assert frame.filter(within(column, stroke)).height == column.len() - found.missing


@given(WORDS)
def test_bars_of_words_count_the_word(values):
    column = pl.Series("x", values, pl.String)
    for bar in (histogram(column) or histogram(pl.Series("x", [0]))).bins:
        assert bar.low == "0" or bar.count == column.drop_nulls().to_list().count(bar.low)


@pytest.mark.parametrize("wanted", ["", "1", "a..b", "1..", "..2", "1..<"])
def test_what_is_no_range_is_refused(wanted):
    with pytest.raises(UserError, match="is no range"):
        within(pl.Series("x", [1.0]), wanted)
