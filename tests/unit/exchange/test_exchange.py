"""ReasonLite's JSON Lines: in, out, and round."""

import json

import polars as pl
import pytest
from rows import labelled

from reasonlite.answers.generation import Job, replay
from reasonlite.config.experiment import parse_config
from reasonlite.config.settings import Effort, RecordedEngine, Sampling
from reasonlite.core.conditions import parse_filter
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import ANSWERS, GROUPS, JUDGED, PROBLEMS, RECORDED
from reasonlite.core.tables import frame_of, read_table, write_table
from reasonlite.curriculum.examples import Choice, curate
from reasonlite.exchange import jsonl
from reasonlite.exchange.jsonl import give_out, give_training, take_in
from reasonlite.labels.judged import judge
from reasonlite.problems.shards import into_shards

HARMONY = (
    "<|channel|>analysis<|message|>I add.\n\u2028{}<|end|><|start|>assistant<|channel|>final<|message|>\\boxed{{{}}}"
)
SHARDS = 3


@pytest.fixture
def results(tmp_path):
    """Results of an experiment: nine problems of four answers, one of them failed, one empty."""
    drawn = {f"pol:{n}": ["4", "4", "5", None] for n in range(9)}
    answers, problems, groups, votes = labelled(drawn, dict.fromkeys(drawn, "4"))
    problems = problems.with_columns(problem=pl.format("What is {}?", "id"), source=pl.lit("pol"))
    texts = [
        None if number == 3 else HARMONY.format(answer_id, answer or "")
        for answer_id, number, answer in answers.select("answer_id", "number", "answer").iter_rows()
    ]
    status = pl.when(pl.col("number") == 3).then(pl.lit("failed")).otherwise(pl.lit("complete"))
    answers = answers.with_columns(text=pl.Series(texts), status=status, seed=pl.col("number").cast(pl.Int64))
    judged = judge(answers, groups, problems, votes)
    folder = tmp_path / "results"
    for shard, part in enumerate(into_shards(problems, SHARDS)):
        name = f"{shard:05d}.parquet"
        own = pl.col("problem_id").is_in(part["id"].to_list())
        write_table(folder / "problems/shards" / name, part, PROBLEMS)
        write_table(folder / "answers/medium" / name, answers.filter(own).sort("problem_id", "number"), ANSWERS)
        write_table(folder / "judged/medium" / name, judged.filter(own), JUDGED)
        write_table(folder / "groups" / name, groups.filter(own), GROUPS)
    return folder


def lines(folder, part):
    return [row for _, row in jsonl.lines_of(folder, part)]


def test_out_in_their_layout(results, tmp_path):
    counts = give_out(results, "medium", tmp_path / "out")
    assert counts == {"info.jsonl": 9, "answer_origin": 36, "answer_judge": 36, "answer_judge_vote": 36, "vote": 9}
    theirs = tmp_path / "out" / "medium"
    info = [json.loads(line) for line in (theirs / "info.jsonl").read_text().split("\n") if line]
    assert {"prompt": "What is pol:3?", "expected_answer": "4", "index": "pol:3"} in info
    row = next(row for row in lines(theirs, "answer_judge") if row["index"] == "pol:3_2")
    assert row["judge"] is False and row["model_output"] == row["model_input"] + row["answer"]
    assert row["info"] == {"prompt": "What is pol:3?", "expected_answer": "4", "index": "pol:3_2"}
    failed = next(row for row in lines(theirs, "answer_judge_vote") if row["index"] == "pol:3_3")
    assert failed["judge"] is None and failed["answer"] is None and failed["model_output"] is None
    assert {row["index"]: row["vote"] for row in lines(theirs, "vote")}["pol:0"] == {"4": 2, "5": 1}
    assert not list((tmp_path / "out").rglob("*partial*"))


def test_what_went_out_comes_in_again(results, tmp_path, monkeypatch):
    give_out(results, "medium", tmp_path / "out")
    monkeypatch.setattr(jsonl, "HELD_BYTES", 300)
    counts = take_in(tmp_path / "out" / "medium", "medium", SHARDS, tmp_path / "recorded")
    assert counts == {"answers": 36, "failed": 9, "twice": 0, "answer_judge": 36, "answer_judge_vote": 36}
    job = Job("medium", Effort(sampling={"temperature": 1, "max_tokens": 9}, answers_per_problem=4),
              RecordedEngine(kind="recorded", folder="recorded"), "", 0, 1)  # fmt: skip
    for shard in range(SHARDS):
        name = f"{shard:05d}.parquet"
        problems = read_table(results / "problems/shards" / name, PROBLEMS)
        replay(problems, job, tmp_path / "recorded/medium" / name, tmp_path / name)
        columns = ["answer_id", "problem_id", "effort", "number", "seed", "text", "status", "answer"]
        before = read_table(results / "answers/medium" / name, ANSWERS, columns)
        assert read_table(tmp_path / name, ANSWERS, columns).equals(before)
        theirs = read_table(tmp_path / "recorded/medium" / name, RECORDED).filter(pl.col("text").is_not_null())
        ours = read_table(results / "judged/medium" / name, JUDGED).filter(pl.col("status") != "failed")
        assert theirs.select("judge", "judge_vote").rows() == ours.select("correct", "correct_vote").rows()
    assert not list((tmp_path / "recorded").rglob(".*"))


def test_lines_in_any_order_twice_and_of_another_name(results, tmp_path):
    give_out(results, "medium", tmp_path / "out")
    theirs = tmp_path / "out" / "medium"
    path = next((theirs / "answer_origin").rglob("*.jsonl"))
    whole = [f"{line}\n" for line in path.read_text().split("\n") if line]
    (theirs / "answer_origin" / "20991231_000000").mkdir()
    later = theirs / "answer_origin" / "20991231_000000"  # they take the newest
    (later / "0_2.jsonl").write_text("".join(reversed(whole[:20])))
    (later / "1_2.jsonl").write_text("".join(whole[10:]))
    counts = take_in(theirs, "medium", 1, tmp_path / "recorded", "mine")
    found = read_table(tmp_path / "recorded/medium/00000.parquet", RECORDED)
    assert counts["answers"] == len(whole) + 10 and counts["twice"] == 10 and found.height == 36
    assert found.equals(found.sort("problem_id", "number")) and found["problem_id"][0] == "mine:pol:0"


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"index": 4}', '{"index": "pol:0"}', '{"index": "pol:0_x"}'])
def test_a_broken_line_is_named(tmp_path, line):
    (tmp_path / "answer_origin" / "1").mkdir(parents=True)
    (tmp_path / "answer_origin" / "1" / "0_1.jsonl").write_text('{"index": "pol:0_0", "answer": "x"}\n' + line + "\n")
    with pytest.raises(UserError, match="0_1.jsonl: line 2: "):
        take_in(tmp_path, "medium", 1, tmp_path / "recorded")
    assert not list((tmp_path / "recorded").rglob("0*.parquet"))


def test_a_verdict_that_is_none_is_named(results, tmp_path):
    give_out(results, "medium", tmp_path / "out")
    theirs = tmp_path / "out" / "medium"
    path = next((theirs / "answer_judge").rglob("*.jsonl"))
    path.write_text(path.read_text().replace('"judge": true', '"judge": "yes"', 1))
    with pytest.raises(UserError, match="its judge is 'yes'"):
        take_in(theirs, "medium", 1, tmp_path / "recorded")
    assert not list((tmp_path / "recorded").rglob("*.parquet"))


def test_wrong_folders_are_named(results, tmp_path):
    with pytest.raises(UserError, match="holds none of answer_origin"):
        take_in(tmp_path, "medium", 1, tmp_path / "recorded")
    with pytest.raises(UserError, match="holds no problems"):
        give_out(tmp_path, "medium", tmp_path / "out")


def test_training_files_are_theirs(results, tmp_path, monkeypatch):
    monkeypatch.setattr(jsonl, "PART_LINES", 10)
    tables = []
    for shard in range(SHARDS):
        name = f"{shard:05d}.parquet"
        problems = read_table(results / "problems/shards" / name, PROBLEMS)
        choice = Choice("short", shard, parse_filter("correct_vote", "x", JUDGED), 1)
        tables.append(tmp_path / "short" / name)
        curate([results / "judged/medium" / name], [results / "answers/medium" / name], problems, choice, tables[-1])
    assert give_training(tables, tmp_path / "format_data") == 18
    parts = [tmp_path / "format_data" / f"data_part{number}.jsonl" for number in (1, 2)]
    rows = [json.loads(line) for part in parts for line in part.read_text().split("\n") if line]
    assert len(rows) == 18 and rows[0]["messages"][0]["role"] == "user"
    assert (
        rows[0]["messages"][1]["content"].startswith("<think>\nI add.")
        and not parts[1].with_name("data_part3").exists()
    )


def test_recorded_answers_that_fit_no_problem_are_refused(results, tmp_path):
    give_out(results, "medium", tmp_path / "out")
    take_in(tmp_path / "out" / "medium", "medium", 1, tmp_path / "recorded", "other")
    job = Job("medium", Effort(sampling={"temperature": 1, "max_tokens": 9}, answers_per_problem=4),
              RecordedEngine(kind="recorded", folder="recorded"), "", 0, 1)  # fmt: skip
    with pytest.raises(UserError, match="holds no answer to these problems"):
        replay(pl.DataFrame({"id": ["pol:0"]}), job, tmp_path / "recorded/medium/00000.parquet", tmp_path / "o.parquet")


def test_a_judge_cannot_be_a_recording():
    import yaml
    from running import ROOT

    raw = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())
    raw["teacher"]["engine"] = {"kind": "recorded", "folder": "recorded"}
    parse_config(raw)
    raw["labels"]["judge"] = "llm"
    with pytest.raises(UserError, match="the judge needs its own"):
        parse_config(raw)


def test_recorded_answers_in_another_order_are_refused(tmp_path):
    rows = [("mine:1", 0, "\\boxed{2}", None, None), ("mine:0", 0, "\\boxed{1}", None, None)]
    write_table(tmp_path / "r.parquet", frame_of(rows, RECORDED), RECORDED)
    problems = pl.DataFrame({"id": ["mine:0", "mine:1"], "problem": ["a?", "b?"]})
    effort = Effort(sampling=Sampling(temperature=1, max_tokens=8), answers_per_problem=1)
    job = Job("medium", effort, RecordedEngine(kind="recorded", folder="recorded"), "", 0, 1)
    with pytest.raises(UserError, match=r"r\.parquet: is not in the order of problems and numbers"):
        replay(problems, job, tmp_path / "r.parquet", tmp_path / "answers.parquet")
    assert not (tmp_path / "answers.parquet").exists()
