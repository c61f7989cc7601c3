"""A reader's filter: what it takes, and that nothing but a condition over columns gets through to Polars."""

import polars as pl
import pytest

from reasonlite.browse.filters import LONGEST, condition
from reasonlite.core.errors import UserError

TABLE = pl.DataFrame({"id": ["a", "b", "it's"], "pass_rate": [0.1, 0.5, None], "in_long-cot": [0, 2, 1]})


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("pass_rate BETWEEN 0.1 AND 0.3", ["a"]),
        ("pass_rate > 0.2 OR id = 'it''s'", ["b", "it's"]),
        ('"in_long-cot" >= 1 and pass_rate is not null', ["b"]),
        ("NOT id IN ('a', 'b')", ["it's"]),
        ("length(id) = 1 AND round(pass_rate * 10) = 5", ["b"]),
        ("CASE WHEN pass_rate IS NULL THEN true ELSE false END", ["it's"]),
        ("id LIKE '%select%from%'", []),
    ],
)
def test_conditions_over_columns_are_taken(text, kept):
    assert TABLE.filter(condition(text, TABLE.schema))["id"].to_list() == kept


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pass_rate >", "is not understood"),
        ("pass_rate", "gives Float64, and true or false is needed"),
        ("rate > 1", "names 'rate', which is no column"),
        ("id = 'a", 'has "\'" at character 6'),
        ("pass_rate > (SELECT max(column_1) FROM read_csv('FILE'))", "names 'SELECT'"),
        ("read_csv('FILE') > 1", "names 'read_csv'"),
        ("id = 'a'; DROP", "has ';' at character 9"),
        ("pass_rate > 0 -- and so on", "has '-' at character 15"),
        ("pass_rate > 0 /* ' */ OR id = 'a' /* ' */", "has '/' at character 15"),
        ("pass_rate > 9 -- '\n OR id IN (SELECT zz FROM read_csv( -- '\n 'FILE' -- '\n )) -- '", "has '-' at"),
        ("x" * (LONGEST + 1), f"longer than {LONGEST:,}"),
    ],
)
def test_all_else_is_refused_by_name(tmp_path, text, message):
    (tmp_path / "file.csv").write_text("a\n1\n")
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        condition(text.replace("FILE", str(tmp_path / "file.csv")), TABLE.schema)
