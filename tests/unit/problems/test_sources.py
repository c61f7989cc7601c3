"""Sources and bad input."""

import gzip
import json

import polars as pl
import pyarrow.parquet
import pytest
from pydantic import TypeAdapter

from reasonlite.config.sources import Source
from reasonlite.core.errors import UserError
from reasonlite.problems.sources import read_source


def source(**settings):
    return TypeAdapter(Source).validate_python(settings)


def jsonl(path, *records):
    path.write_text("".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in records))
    return source(kind="jsonl", path=path)


def test_reasonlites_info_file_is_read_as_it_is(tmp_path):
    records = [
        {"prompt": "1+1?", "expected_answer": "2", "index": "pol:7", "difficulty": "1/8"},
        {"prompt": "2+2?", "expected_answer": 4, "index": "pol:9"},
    ]
    frame = read_source("pol", jsonl(tmp_path / "info.jsonl", *records))
    assert frame.rows() == [("pol:7", "pol", "1+1?", "2", None), ("pol:9", "pol", "2+2?", "4", None)]


def test_columns_can_be_named_and_rows_limited(tmp_path):
    path = tmp_path / "q.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"q": "a?", "a": "1", "k": "x"}\n{"q": "b?", "a": "2", "k": "y"}\n'))
    chosen = source(kind="jsonl", path=path, limit=1, columns={"problem": "q", "answer": "a", "id": "k"})
    assert read_source("s", chosen).rows() == [("s:x", "s", "a?", "1", None)]


def test_what_no_table_can_hold_is_replaced(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"problem": "a \\ud800?", "answer": "\\udc00 1"}\n')
    frame = read_source("s", source(kind="jsonl", path=tmp_path / "a.jsonl"))
    assert frame.rows() == [("s:0", "s", "a ??", "? 1", None)]


def test_parquet_is_a_source(tmp_path):
    pl.DataFrame({"question": ["a?"], "answer": ["1"]}).write_parquet(tmp_path / "q.parquet")
    assert read_source("s", source(kind="parquet", path=tmp_path / "q.parquet")).rows() == [
        ("s:0", "s", "a?", "1", None)
    ]


def test_gym_problems_repeat_and_tasks_differ():
    task = {"name": "chain_sum", "size": 3}
    chosen = source(kind="reasoning_gym", seed=5, tasks=[task, task])
    frame = read_source("g", chosen)
    assert frame.equals(read_source("g", chosen))
    assert frame["id"].to_list() == [f"g:{n}" for n in range(6)]
    assert frame["problem"].n_unique() == 6


BAD = {
    "line 2: is not JSON": ['{"problem": "a", "answer": "1"}\n', '{"problem": \n'],
    "line 1: is a JSON list": ["[1]\n"],
    "line 1: the problem is int": [{"problem": 5, "answer": "1"}],
    "line 1: the problem has no answer": [{"problem": "a", "answer": None}],
    "expected a text or a number": [{"problem": "a", "answer": ["1"]}],
    "has no column for the answer": [{"problem": "a", "solution": "1"}],
    "has no column for the problem": [{"text": "a", "answer": "1"}],
    "the source has no problems": [],
    "the id 's:7' stands in rows 1 and 2": [{"id": 7, "problem": "a", "answer": "1"}] * 2,
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named(tmp_path, message):
    with pytest.raises(UserError, match="(?s)" + message.replace("(", r"\(")):
        read_source("s", jsonl(tmp_path / "bad.jsonl", *BAD[message]))


def test_a_missing_file_a_wrong_hash_and_an_unknown_task_are_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_source("s", source(kind="jsonl", path=tmp_path / "none.jsonl"))
    path = jsonl(tmp_path / "a.jsonl", {"problem": "a", "answer": "1"}).path
    with pytest.raises(UserError, match="SHA-256"):
        read_source("s", source(kind="jsonl", path=path, sha256="0" * 64))
    with pytest.raises(UserError, match="reasoning-gym refuses"):
        read_source("s", source(kind="reasoning_gym", seed=0, tasks=[{"name": "no_such_task", "size": 1}]))
    (tmp_path / "x.parquet").write_text("not parquet")
    with pytest.raises(UserError, match="not a readable Parquet"):
        read_source("s", source(kind="parquet", path=tmp_path / "x.parquet"))


def test_answers_may_be_missing_when_told(tmp_path):
    chosen = jsonl(tmp_path / "a.jsonl", {"problem": "a", "answer": None})
    allowed = source(kind="jsonl", path=chosen.path, columns={"missing": "keep"})
    assert read_source("s", allowed).rows() == [("s:0", "s", "a", None, None)]
    dropped = source(kind="jsonl", path=chosen.path, columns={"missing": "drop"})
    assert read_source("s", dropped)["unusable"].to_list() == ["no answer"]


def test_a_hub_data_set_is_read_from_its_own_layout(tmp_path, monkeypatch):
    """The hub's cache layout on disk, offline: the same code path that downloads elsewhere."""
    revision = "a" * 40
    snapshot = tmp_path / "hub" / "datasets--owner--set" / "snapshots" / revision
    (snapshot / "data").mkdir(parents=True)
    pl.DataFrame({"problem": ["a?", "b?"], "expected_answer": ["1", "2"]}).write_parquet(
        snapshot / "data" / "cot-00000.parquet"
    )
    script = (
        "from pydantic import TypeAdapter; from reasonlite.problems.sources import Source, read_source\n"
        f"s = TypeAdapter(Source).validate_python(dict(kind='hub', repo='owner/set', revision='{revision}', "
        "files=['data/cot-*.parquet']))\nprint(read_source('omr', s).rows())"
    )
    import os
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": "scripts"},
    )
    assert "('omr:1', 'omr', 'b?', '2', None)" in done.stdout, done.stderr


def test_a_problem_in_many_rows_counts_once_and_rules_drop_rows_by_name(tmp_path):
    """OpenMathReasoning's layout: a row for each solution, proofs turned into problems, answers that are missing."""
    rows = [
        {"problem": name, "expected_answer": answer, "problem_type": kind, "generated_solution": "long " * 100}
        for name, answer, kind in [
            ("a?", "1", "has_answer_extracted"),
            ("a?", "1", "has_answer_extracted"),
            ("b?", "x^2", "converted_proof"),
            ("c?", None, "no_answer_extracted"),
            ("a?", "1", "has_answer_extracted"),
            ("Prove that $1 < 2$.", "1 < 2", "has_answer_extracted"),
            ("d?", "proof", "has_answer_extracted"),
            ("e?", "2", "has_answer_extracted"),
        ]
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "cot.parquet")
    settings = {
        "columns": {"answer": "expected_answer", "missing": "drop"},
        "repeats": True,
        "drop": {"converted proof": "problem_type = 'converted_proof'"},
    }
    frame = read_source("omr", source(kind="parquet", path=tmp_path / "cot.parquet", **settings))
    assert frame.select("id", "answer", "unusable").rows() == [
        ("omr:0", "1", None),
        ("omr:2", "x^2", "converted proof"),
        ("omr:3", None, "no answer"),
        ("omr:5", "1 < 2", "proof"),
        ("omr:6", "proof", "no checkable answer"),
        ("omr:7", "2", None),
    ]
    for rule, message in [
        ("problem_type =", "drop.x: is not an SQL"),
        ("nothing = 1", "names nothing, which no row has"),
    ]:
        with pytest.raises(UserError, match=message):
            ruled = settings | {"drop": {"x": rule}}
            read_source("omr", source(kind="parquet", path=tmp_path / "cot.parquet", **ruled))
    limited = read_source("omr", source(kind="parquet", path=tmp_path / "cot.parquet", **(settings | {"limit": 2})))
    assert limited["id"].to_list() == ["omr:0", "omr:2"]


def test_only_the_columns_that_are_used_are_read(tmp_path, monkeypatch):
    pl.DataFrame({"problem": ["a?"], "answer": ["1"], "solution": ["x"], "kind": ["k"]}).write_parquet(
        tmp_path / "q.parquet"
    )
    asked = []
    whole = pyarrow.parquet.ParquetFile.iter_batches
    seen = lambda self, *a, columns, **k: asked.append(columns) or whole(self, *a, columns=columns, **k)  # noqa: E731
    monkeypatch.setattr(pyarrow.parquet.ParquetFile, "iter_batches", seen)
    read_source("s", source(kind="parquet", path=tmp_path / "q.parquet", drop={"k": "kind = 'z'"}))
    assert asked == [["problem", "answer", "kind"]]


def test_a_json_list_is_a_source(tmp_path):
    """DeepScaleR's form."""
    (tmp_path / "d.json").write_text(json.dumps([{"problem": "a?", "answer": "1", "solution": "s"}]))
    assert read_source("d", source(kind="json", path=tmp_path / "d.json"))["problem"].to_list() == ["a?"]
    (tmp_path / "d.json").write_text('{"problem": "a?"}')
    with pytest.raises(UserError, match="not one JSON list"):
        read_source("d", source(kind="json", path=tmp_path / "d.json"))
