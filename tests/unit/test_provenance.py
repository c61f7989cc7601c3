"""Code identity by meaning, manifests and their difference."""

import json
from pathlib import Path

import polars as pl
import pytest

from reasonlite.errors import UserError
from reasonlite.provenance import code_hash, code_of, difference, identity, manifest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def hash_of(tmp_path, text):
    path = tmp_path / f"{abs(hash(text))}.py"
    path.write_text(text)
    return code_hash(path)


def test_comments_docstrings_and_layout_do_not_count_but_code_does(tmp_path):
    plain = hash_of(tmp_path, "def f(x):\n    return x + 1\n")
    assert hash_of(tmp_path, '# note\ndef f(x):\n    """Doc."""\n\n    return (x + 1)  # why\n') == plain
    assert hash_of(tmp_path, "def f(x):\n    return x + 2\n") != plain


def test_imports_are_followed_also_lazy_and_indirect_ones():
    files = set(code_of(SCRIPTS / "generate_answers.py", SCRIPTS))
    assert {
        "generate_answers.py",
        "reasonlite/generation.py",
        "reasonlite/answers.py",
        "reasonlite/transcripts.py",
        "reasonlite/engines/offline.py",
        "reasonlite/engines/server.py",
    } <= files
    assert "reasonlite/votes.py" not in files and "reasonlite/figures.py" not in files


def test_identity_names_its_settings():
    script = SCRIPTS / "vote.py"
    first = identity(script, {"min_share": 0.9, "min_votes": 4})
    assert json.loads(first)["settings"] == {"min_share": 0.9, "min_votes": 4}
    assert first != identity(script, {"min_share": 4, "min_votes": 0.9})


def test_manifest_and_difference(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "logs").mkdir()
    pl.DataFrame({"a": [1, 2]}).write_parquet(tmp_path / "tables" / "t.parquet")
    (tmp_path / "tables" / "r.csv").write_text("a\n")
    (tmp_path / "logs" / "x.log").write_text("noise")
    before = manifest(tmp_path)
    assert list(before["outputs"]) == ["tables/r.csv", "tables/t.parquet"]
    assert before["outputs"]["tables/t.parquet"]["rows"] == 2
    (tmp_path / "tables" / "r.csv").write_text("b\n")
    (tmp_path / "tables" / "t.parquet").unlink()
    (tmp_path / "new").write_text("")
    assert difference(before, manifest(tmp_path)) == {
        "added": ["new"],
        "removed": ["tables/t.parquet"],
        "changed": ["tables/r.csv"],
    }
    with pytest.raises(UserError, match="no such results folder"):
        manifest(tmp_path / "none")
