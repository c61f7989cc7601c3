"""Two states of a run: flips, labels and problems, also where shards moved or one side's files are gone."""

import shutil

import polars as pl
import pytest
from small_run import small_run

from reasonlite.audit import manifest
from reasonlite.browse import views
from reasonlite.browse.folder import Folder
from reasonlite.browse.site import Ask, Site
from reasonlite.browse.states import cells, compare


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake" / "metadata").mkdir(parents=True)
    results = small_run(tmp_path / "results" / "small").relative_to(tmp_path)
    manifest.write(results, tmp_path)
    return results


def altered(results, pattern, **columns):
    for path in sorted(results.glob(pattern)):
        pl.read_parquet(path).with_columns(**columns).write_parquet(path)
    manifest.write(results, results.parents[1])


def test_flips_are_counted_by_what_they_are_now(results):
    before = pl.read_parquet(results / "judged/high/00000.parquet")
    right, wrong = before["correct_vote"].sum(), (~before["correct_vote"]).sum()
    altered(results, "judged/high/00000.parquet", correct_vote=~pl.col("correct_vote"), answer=pl.lit("new"))
    (flips,) = compare(results, None, results.parents[1]).flips
    assert (flips.name, flips.right, flips.wrong, flips.none) == ("judged/high", wrong, right, 0)
    assert flips.listed[0].after[1] == "new" and flips.because
    shown = views.page(Site(Folder(results), results.parents[1]), "states", Ask())
    assert f"{wrong} to right, {right} to wrong" in shown and "no verdict" not in shown


def test_a_verdict_that_is_gone_is_neither_right_nor_wrong(results):
    none = pl.lit(None, pl.Boolean)
    altered(results, "judged/high/00000.parquet", correct_vote=none, correct=none)
    (flips,) = compare(results, None, results.parents[1]).flips
    assert flips.right == flips.wrong == 0 and flips.none == 22


def test_other_shards_hide_no_flip_and_no_label(results):
    shutil.copytree(results, "results/one")
    for folder in ("judged/high", "judged/medium", "votes", "problems/shards"):
        parts = sorted((results / folder).glob("*.parquet"))
        whole = pl.concat([pl.read_parquet(path) for path in parts])
        if "correct_vote" in whole.columns:
            whole = whole.with_columns(correct_vote=~pl.col("correct_vote"))
        if "label" in whole.columns:
            whole = whole.with_columns(label=pl.col("label") + "!")
        if folder == "problems/shards":
            whole = whole.filter(pl.col("id") != "pol:2")
        whole.write_parquet(parts[0])
        parts[1].unlink()
    manifest.write(results, results.parents[1])
    for against in (None, "results/one"):
        states = compare(results, against, results.parents[1])
        assert [(flips.name, flips.right + flips.wrong + flips.none) for flips in states.flips] == [
            ("judged/high", 44),
            ("judged/medium", 44),
        ]
        assert len(states.relabelled) == 4 and states.lost == ["pol:2"] and states.gained == []


def test_what_is_not_kept_is_said_to_be_left_out(results):
    altered(results, "judged/*/*.parquet", correct_vote=~pl.col("correct_vote"))
    shutil.rmtree(results / ".audit" / "objects")
    states = compare(results, None, results.parents[1])
    assert states.flips == [] or all(not flips.listed for flips in states.flips)
    assert sorted(states.unseen)[0] == "judged/high/00000.parquet"
    assert "not in these counts" in views.page(Site(Folder(results), results.parents[1]), "states", Ask())


def test_the_other_side_is_looked_at_again_when_it_changes(results):
    shutil.copytree(results, "results/other")
    site = Site(Folder(results), results.parents[1], "results/other")
    assert site.states().counts == {}
    altered(results.parent / "other", "judged/high/00000.parquet", correct_vote=~pl.col("correct_vote"))
    assert site.states().counts == {"changed": 1}


def test_lines_of_the_audit_become_cells_where_they_are_cells():
    assert cells(["a, b · value: 1 → 2", "… and 3 more cells"]) == [
        ("a, b", "value", "1", "2"),
        ("… and 3 more cells", "", "", ""),
    ]
