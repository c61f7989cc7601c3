"""Every page over a small run, over parts of one, and over what is broken."""

import json
import os
import re
import time

import polars as pl
import pytest
from small_run import HOSTILE, small_run

from reasonlite.browse import live, problems, views
from reasonlite.browse.folder import Folder, Missing
from reasonlite.browse.site import Ask, Site
from reasonlite.core.errors import UserError
from reasonlite.core.machine import boot_id


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return small_run(tmp_path_factory.mktemp("results") / "small")


def page(results, view, **names):
    site = Site(Folder(results), results)
    return views.page(site, view, Ask([(name.replace("__", "."), str(value)) for name, value in names.items()]))


def words(text):
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def test_the_problems_are_counted_as_the_tables_have_them(small):
    index = problems.index(Folder(small))
    row = index.table.filter(pl.col("id") == "pol:0").row(0, named=True)
    judged = pl.read_parquet(sorted(small.glob("judged/*/00000.parquet"))).filter(pl.col("problem_id") == "pol:0")
    assert row["answers"] == judged.height == 22 and row["pass_rate"] == judged["correct_vote"].mean()
    assert row["cut"] == (judged["status"] == "cut").sum() and row["unanswered"] == judged["answer"].null_count()
    assert row["tokens"] == judged["tokens"].mean() and judged["tokens"].null_count() == 2  # of those that are known
    assert row["in_of_high"] == judged.filter(effort="high")["correct_vote"].sum() and row["longest"] == 86
    assert index.table.height == 4 and index.efforts == ["high", "medium"]


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, 4),
        ({"where": "id = 'pol:2'"}, 1),
        ({"text": "ONERROR"}, 2),
        ({"is__source": "pol"}, 4),
        ({"is__pass_rate": "2..3"}, 0),
        ({"sort": "tokens", "down": 1, "page": 99}, 4),
        ({"sort": "nothing"}, 4),
    ],
)
def test_the_list_of_problems_is_filtered_and_sorted(small, asked, count):
    assert f"{count} of 4 problems" in words(page(small, "problems", **asked))


@pytest.mark.parametrize(
    ("asked", "said"), [({"where": "foo > 1"}, "names 'foo'"), ({"is__share": "x..y"}, "is no range")]
)
def test_a_filter_that_is_not_understood_is_told_and_shows_nothing(small, asked, said):
    shown = words(page(small, "problems", **asked)).replace("&#39;", "'")
    assert said in shown and "0 of 4 problems" in shown


def test_a_problem_shows_classes_votes_pairs_and_where_answers_ended(small):
    shown = words(page(small, "problem", id="pol:0"))
    for wanted in (
        "label after voting",
        "votes",
        "compared by more than",
        "seed 41",
        "in training file of_medium",
        "reasoning,",
    ):
        assert wanted in shown, wanted
    assert "pol:&lt;b&gt;3&lt;/b&gt;" in page(small, "problem", id="pol:2")


def test_benchmarks_show_rates_by_model_and_answers_side_by_side(small):
    shown = page(small, "benchmarks", name="held")
    assert 'class="heat h10"' in shown and 'class="heat h0"' in shown
    apart = sum(place % 7 in {2, 3, 4} for place in range(len(HOSTILE)))  # where only one of the models is right
    assert "Who solves what Only problems" in words(shown) and f"{len(HOSTILE)} problems" in words(shown)
    assert f" {apart} problems " in words(page(small, "benchmarks", name="held", only="apart"))
    beside = words(page(small, "question", benchmark="held", id="held:3"))
    assert "base" in beside and "final" in beside and "✗" not in beside and "right" in beside and "wrong" in beside


def test_training_overlays_stages_and_shows_examples(small):
    shown = page(small, "training")
    assert shown.count("<polyline") == 6 and "Examples of the training file of_high" in words(shown)
    assert shown.count("<polyline") > page(small, "training", stage="first").count("<polyline")
    assert "was not noted" in words(page(small, "training", stage="first"))


def test_a_steps_examples_are_shown_and_those_that_are_gone_named(small):
    steps = pl.read_parquet(small / "training/examples/second.parquet")
    first = words(page(small, "training", stage="second"))
    last = int(steps["step"].max())
    assert f"What step 1 of {last} of second learnt from" in first and "No longer" not in first
    section = page(small, "training", stage="second", step=1).partition('id="learned"')[2].partition('id="examples"')[0]
    assert [name for name in steps["answer_id"] if f">{name}</a>" in section] == steps.filter(step=1)[
        "answer_id"
    ].to_list()
    assert "No longer in the training files: pol:7_0" in words(page(small, "training", stage="second", step=last))
    assert "No example was noted" in words(page(small, "training", stage="second", step=999))


def test_what_reinforcement_learning_drew_is_shown_group_by_group(small):
    first = words(page(small, "training", stage="rl"))
    assert "What rl drew for step 1 of 3" in first and "Group 1 of 2, pol:0 . Of its answers 0 of 4 are right." in first
    assert "different by words" in first and "no final answer" in first and "truncated" in first
    second = words(page(small, "training", stage="rl", step=2, group=1))
    assert "for step 1 of 3" in second and "Group 2 of 2, pol:&lt;b&gt;3&lt;/b&gt;" in second
    last = words(page(small, "training", stage="rl", step=9, group=9))
    assert "for step 3 of 3" in last and "Of its answers 4 of 4 are right; all have one reward, so nothing" in last


def test_the_overview_shows_steps_results_and_figures(small):
    shown = words(page(small, "overview"))
    assert "answers 4 files" in shown and "40.0 [30.0, 50.0]" in shown and "training files" in shown


@pytest.mark.parametrize(
    ("view", "asked", "said"),
    [
        ("problem", {"id": "pol:9"}, "no problem pol:9"),
        ("question", {"benchmark": "held", "id": "x"}, "no problem x"),
        ("benchmarks", {"name": "other"}, "no verdicts on other"),
        ("log", {"name": "../../etc/passwd"}, "only logs"),
        ("log", {"name": "logs/../../x"}, "no path in this folder"),
        ("log", {"name": "logs/none.log"}, "no logs/none.log"),
        ("answer", {"table": "/etc/passwd", "id": "x"}, "holds no answers"),
        ("answer", {"table": "answers/../votes/00000.parquet", "id": "x"}, "holds no answers"),
        ("answer", {"table": "answers/../00000.parquet", "id": "x"}, "no path in this folder"),
        ("table", {"name": "../x"}, "no table"),
        ("origin", {"path": "tables/results.csv"}, "lies in no results folder"),
        ("states", {}, "no manifest yet"),
        ("nothing", {}, "no page nothing"),
    ],
)
def test_what_is_not_there_is_said_by_name(small, view, asked, said):
    with pytest.raises(Missing, match=re.escape(said)):
        page(small, view, **asked)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "results" / "logs").mkdir(parents=True)
    (tmp_path / "secret.log").write_text("secret")
    (tmp_path / "results" / "logs" / "a.log").symlink_to(tmp_path / "secret.log")
    with pytest.raises(Missing):
        page(tmp_path / "results", "log", name="logs/a.log")


def test_an_empty_folder_and_each_half_of_a_run_show_what_there_is(tmp_path, small):
    with pytest.raises(UserError, match="no such results folder"):
        Folder(tmp_path / "none")
    assert "no step has written anything yet" in words(page(tmp_path, "overview"))
    assert "No problems have been read yet" in words(page(tmp_path, "problems"))
    shards = tmp_path / "problems" / "shards"
    shards.mkdir(parents=True)
    (shards / "00000.parquet").write_bytes((small / "problems/shards/00000.parquet").read_bytes())
    assert "2 of 2 problems" in words(page(tmp_path, "problems"))
    assert "No answers have been drawn yet" in words(page(tmp_path, "problem", id="pol:0"))


def test_a_broken_file_is_told_and_the_rest_shown(tmp_path):
    results = small_run(tmp_path / "small")
    (results / "judged" / "high" / "00000.parquet").write_bytes(b"PAR1 and no more")
    (results / "votes" / "00001.parquet").write_bytes(b"")
    (results / "tables" / "results.csv").write_text('a,"b\n')
    (results / "manifest.json").write_text('{"version": 99}')
    shown = words(page(results, "problems"))
    assert "4 of 4 problems" in shown and "cannot be read" in shown and "judged/high/00000.parquet" in shown
    assert "cannot be read" in words(page(results, "overview")) and str(tmp_path) not in page(results, "overview")


def test_a_complaint_is_taken_back_when_the_file_is_whole_again(tmp_path):
    results = small_run(tmp_path / "small")
    path = results / "answers" / "high" / "00000.parquet"
    whole = path.read_bytes()
    site = Site(Folder(results), results)
    path.write_bytes(whole[:300])
    assert "cannot be read" in words(views.page(site, "problem", Ask([("id", "pol:0")])))
    path.write_bytes(whole)
    assert "cannot be read" not in words(views.page(site, "problem", Ask([("id", "pol:0")])))


def test_tables_that_are_links_out_of_the_folder_are_told_and_not_read(tmp_path):
    results = small_run(tmp_path / "small")
    (tmp_path / "secret.csv").write_text("word\nhidden\n")
    (results / "tables" / "secret.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(Missing):
        page(results, "table", name="secret")
    votes = results / "votes" / "00000.parquet"
    votes.rename(tmp_path / "votes.parquet")
    votes.symlink_to(tmp_path / "votes.parquet")
    assert "leads out of the folder" in words(page(results, "problems"))


def test_what_is_unknown_is_not_shown_as_nothing(tmp_path):
    results = small_run(tmp_path / "small")
    for path in results.glob("judged/*/*.parquet"):
        pl.read_parquet(path).with_columns(tokens=pl.lit(None, pl.Int32)).write_parquet(path)
    (results / "evaluation" / "base" / "held" / "pairs.parquet").unlink()
    table = problems.index(Folder(results)).table
    assert table["tokens"].null_count() == table["longest"].null_count() == table.height == 4
    shown = words(page(results, "benchmarks", name="held"))
    assert f"base {len(HOSTILE)} {2 * len(HOSTILE)} 0 0 0 –" in shown


def test_a_label_by_vote_is_the_one_that_verdicts_are_explained_by(tmp_path):
    results = small_run(tmp_path / "small")
    path = results / "votes" / "00000.parquet"
    votes = pl.read_parquet(path)
    other = pl.col("problem_id") == "pol:0"
    groups = pl.read_parquet(results / "groups" / "00000.parquet").filter(problem_id="pol:0", answer="x+1")
    name = pl.when(other).then(groups["class"][0]).otherwise("label_class").cast(pl.Int32)
    label, source = (
        pl.when(other).then(pl.lit(to)).otherwise(of) for to, of in (("x+1", "label"), ("vote", "label_source"))
    )
    votes.with_columns(label=label, label_class=name, label_source=source).write_parquet(path)
    shown = words(page(results, "problem", id="pol:0"))
    assert "the source&#39;s label" in shown and "the label&#39;s text" in shown
    found = problems.problem(Folder(results), problems.index(Folder(results)), "pol:0")
    assert problems.reason(found, "x+1") == "the label's text" and problems.reason(found, "0.5").startswith("different")
    assert problems.reason(found, None) == "no final answer"


def test_a_step_is_done_only_if_somebody_knows(tmp_path):
    results = small_run(tmp_path / "small")
    assert "files are there" in words(page(results, "overview")) and "done" not in words(page(results, "overview"))
    (results / "logs" / "run.json").write_text(told(ended="done", wanted={"train": 1}, finished={"train": 1}))
    shown = page(results, "overview")
    assert shown.count('<li class="done">') == 1 and '<li class="there">' in shown


def test_a_growing_folder_is_seen_without_a_restart(tmp_path, monkeypatch):
    monkeypatch.setattr("reasonlite.browse.folder.LOOK_SECONDS", 0.0)
    monkeypatch.setattr("reasonlite.browse.folder.REST", 0.0)
    results = small_run(tmp_path / "small")
    folder = Folder(results)
    (results / "votes" / "00000.parquet").rename(tmp_path / "kept")
    assert problems.index(folder).table["share"].null_count() == 2
    (tmp_path / "kept").rename(results / "votes" / "00000.parquet")
    assert problems.index(folder).table["share"].null_count() == 0


def test_an_answer_of_ten_megabytes_comes_in_windows(tmp_path):
    results = small_run(tmp_path / "small")
    path = results / "answers" / "high" / "00000.parquet"
    pl.read_parquet(path).with_columns(text=pl.lit("0123456789" * 1_000_000)).write_parquet(path)
    shown = page(results, "answer", table="answers/high/00000.parquet", id="pol:0_3", **{"from": 200_000})
    assert "10,000,000 characters, here from 200,001 to 400,000" in words(shown) and len(shown) < 300_000
    assert "more characters" in page(results, "problem", id="pol:0")


def test_ten_thousand_answers_come_in_pages(tmp_path):
    results = small_run(tmp_path / "small")
    path = results / "answers" / "high" / "00000.parquet"
    one = pl.read_parquet(path).filter(problem_id="pol:0").head(1)
    many = pl.concat(
        [one.with_columns(answer_id=pl.lit(f"pol:0_{n}"), number=pl.lit(n, pl.Int32)) for n in range(10_000)]
    )
    many.write_parquet(path)
    shown = page(results, "problem", id="pol:0", effort="high", page=417)
    assert "page 417 of 417" in words(shown) and len(shown) < 200_000


def told(**changes):
    state = {
        **{"version": 1, "process": os.getpid(), "boot": boot_id(), "began": time.time() - 60, "seen": time.time()},
        **{"ended": None, "remote": False, "total": 9, "wanted": {"train": 2}, "finished": {"train": 1}, "failed": {}},
        "left": {"seconds": 30.0, "whole": True},
        "jobs": [
            {"rule": "train", "message": HOSTILE[0], "logs": ["results/small/logs/train/first.log"],
             "since": time.time() - 5, "runs": True}
        ],
    }  # fmt: skip
    return json.dumps(state | changes)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "runs"),
        ({"process": 2**22 + 1}, "gone"),
        ({"boot": "another machine"}, "runs"),
        ({"boot": "another machine", "seen": 0.0}, "gone"),
        ({"seen": 0.0}, "gone"),  # its number is another process's by now
        ({"ended": "failed"}, "failed"),
    ],
)
def test_a_run_is_shown_as_it_is(tmp_path, changes, state):
    results = small_run(tmp_path / "small")
    (results / "logs" / "run.json").write_text(told(**changes))
    run = live.run(Folder(results))
    assert run is not None and run.state == state and run.jobs[0].log == "logs/train/first.log"
    shown = page(results, "live")
    assert "8 of 8 steps, loss 0.125" in words(shown) and "<script>window" not in shown and 'class="lines"' in shown


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1, "ended": null}'])
def test_a_state_that_cannot_be_read_is_no_run(tmp_path, text):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "run.json").write_text(text)
    assert live.run(Folder(tmp_path)) is None and "No run of these results" in words(page(tmp_path, "live"))
