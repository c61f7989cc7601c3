"""What is known of a run while it goes on, and how it is shown."""

import json
import logging
import os
import time
from types import SimpleNamespace

import pytest
from rich.console import Console

from reasonlite.core.attempts import ATTEMPTS, attempts_in
from reasonlite.workflow import console
from reasonlite.workflow.display import Lines, drawing, left_in_words
from reasonlite.workflow.progress import Failed, Known, Left, Progress, of_earlier_runs


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def progress(clock, wanted, earlier=(), *, cores=2, remote=False):
    made = Progress(cores, dict(earlier), remote=remote, clock=clock)
    made.plan({**wanted, "total": sum(wanted.values())})
    return made


def begin(made, number, rule, log=None, threads=2):
    made.begin(number, rule, f"Doing {rule}", [str(log)] if log else [], threads)


def test_steps_are_counted_and_time_is_foretold_from_those_done(clock):
    made = progress(clock, {"draw": 4})
    assert made.left() == Left(0, False)  # nothing is known yet
    begin(made, 1, "draw")
    clock.now = 10
    job, seconds = made.end(1)
    assert (job.rule, seconds, made.done, made.total) == ("draw", 10, 1, 4)
    assert made.left() == Left(30, True)


def test_a_job_under_way_is_foretold_from_its_own_pace(clock, tmp_path):
    made = progress(clock, {"train": 1})
    log = tmp_path / "log"
    begin(made, 1, "train", log)
    assert not made.jobs[1].runs()
    log.write_text("1 progress: 10 of 40 steps, loss 0.5, about 3 s left\n")
    clock.now = 20
    assert made.jobs[1].runs() and made.left() == Left(60, True)


def test_what_an_earlier_run_took_fills_in_and_small_jobs_share_the_machine(clock):
    made = progress(clock, {"plot": 4, "train": 1}, {"plot": Known(3, 1), "train": Known(60, 2)})
    assert made.left() == Left(4 * 3 / 2 + 60, True)


def test_on_a_cluster_jobs_run_beside_each_other_and_queued_ones_have_not_begun(clock, tmp_path):
    made = progress(clock, {"draw": 10}, {"draw": Known(100, 8)}, remote=True)
    for number in range(4):
        begin(made, number, "draw", tmp_path / f"{number}.log")
    (tmp_path / "0.log").touch()
    (tmp_path / "1.log").touch()
    assert [job.runs() for job in made.jobs.values()] == [True, True, False, False]
    assert made.left() == Left(10 * 100 / 2, True)


def test_a_log_of_an_earlier_try_is_not_taken_for_this_one(clock, tmp_path):
    log = tmp_path / "log"
    log.write_text("1 progress: 39 of 40 steps\n")
    made = progress(clock, {"train": 1}, remote=True)
    begin(made, 1, "train", log)
    assert not made.jobs[1].runs() and made.jobs[1].seen() is None


def test_a_failed_job_counts_and_may_begin_again(clock):
    made = progress(clock, {"draw": 1})
    begin(made, 1, "draw")
    clock.now = 7
    assert made.fail(1) == Failed("draw", {}, 7) and made.fail(1) is None
    assert made.failed["draw"] == 1 and not made.jobs and made.end(1) is None
    begin(made, 1, "draw")
    made.end(1)
    assert made.done == 1


def test_of_a_failed_try_on_a_cluster_the_time_in_the_queue_does_not_count(clock, tmp_path):
    made = progress(clock, {"draw": 2}, remote=True)
    for number in (1, 2):
        begin(made, number, "draw", tmp_path / f"{number}.log")
    clock.now = 100
    (tmp_path / "1.log").touch()
    assert made.jobs[1].runs() and not made.jobs[2].runs()
    clock.now = 130
    assert (made.fail(1).seconds, made.fail(2).seconds) == (30, 0)


def test_an_estimate_with_unknown_steps_is_a_lower_bound():
    assert left_in_words(Left(200, True)) == "about 3 min 20 s left"
    assert left_in_words(Left(200, False)) == "at least 3 min 20 s left"
    assert left_in_words(Left(0, False)) == ""


def test_earlier_times_come_from_benchmark_files_and_damaged_ones_are_left(tmp_path):
    (tmp_path / "draw" / "high").mkdir(parents=True)
    (tmp_path / "draw" / "high" / "00000.jsonl").write_text('{"s": 10.0, "threads": 2}\n')
    (tmp_path / "draw" / "high" / "00001.jsonl").write_text('{"s": 20.0, "threads": 2}\n{"s": 30.0, "threads": 2}\n')
    (tmp_path / "plot.jsonl").write_text('{"s": 1.5')
    found = of_earlier_runs(tmp_path, {"draw": 2, "plot": 1, "new": 1})
    assert set(found) == {"draw"} and found["draw"].seconds == pytest.approx(20)


def shown(made, **settings):
    out = Console(width=90, force_terminal=True, highlight=False, record=True, **settings)
    with out.capture() as caught:
        out.print(drawing(made))
    return caught.get()


def test_the_display_shows_steps_pace_and_time(clock, tmp_path):
    made = progress(clock, {"train": 1, "plot": 3})
    log = tmp_path / "log"
    begin(made, 1, "train", log)
    log.write_text("1 progress: 1200 of 4000 answers, 383 tokens/s\n")
    clock.now = 65
    text = shown(made, no_color=True)
    assert "0 of 4 steps · 1 min 05 s gone · at least 2 min 32 s left" in text
    row = next(line for line in text.splitlines() if "Doing train" in line)
    assert "━" not in row and "1,200 of 4,000 answers, 383 tokens/s" in row and "1 min 05 s" in row


def test_on_a_cluster_it_counts_queued_running_and_failed_by_rule(clock, tmp_path):
    made = progress(clock, {"draw": 30, "vote": 5}, remote=True)
    for number in range(12):
        begin(made, number, "draw", tmp_path / f"{number}.log")
    (tmp_path / "0.log").touch()
    (tmp_path / "1.log").touch()
    made.fail(11)
    lines = shown(made, no_color=True).splitlines()
    row = next(line.split() for line in lines if line.split()[:1] == ["draw"])
    assert row == ["draw", "9", "2", "1", "30"] and "1 failed" in lines[0]
    assert any("and 3 more" in line for line in lines) and any("queued" in line for line in lines)
    assert not any(line.split()[:1] == ["vote"] for line in lines)


def test_colour_only_repeats_what_words_say_and_no_color_is_respected(clock, monkeypatch):
    made = progress(clock, {"draw": 2})
    begin(made, 1, "draw")
    made.end(1)
    begin(made, 2, "draw")
    blue = "\x1b[94m"
    assert blue in shown(made, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[9" not in shown(made, color_system="standard") and "Doing draw" in shown(made)


def test_elsewhere_a_finished_job_is_a_line(clock, capsys):
    made = progress(clock, {"draw": 2})
    lines = Lines(made)
    lines.start()
    begin(made, 1, "draw")
    clock.now = 75
    lines.done(*made.end(1))
    assert capsys.readouterr().err.splitlines() == [
        "2 steps: draw 2",
        "1 of 2 steps done: Doing draw (1 min 15 s); about 1 min 15 s left",
    ]


def record(event, message="", level=logging.INFO, **fields):
    made = logging.LogRecord("snakemake", level, "", 0, message, (), None)
    vars(made).update(event=SimpleNamespace(name=event) if event else None, **fields)
    return made


@pytest.fixture
def taken_over():
    """Snakemake's logger with its own handler, whose lines a run takes over."""
    logger = logging.getLogger("snakemake.logging")
    kept: list[logging.LogRecord] = []
    own = logging.StreamHandler()
    own.name, own.emit = console.OWN_HANDLER, kept.append
    logger.addHandler(own)
    console.take_over()
    yield own, kept
    logger.removeHandler(own)


@pytest.mark.parametrize(
    ("kind", "message", "level", "printed"),
    [
        ("JOB_INFO", "", logging.INFO, False),
        ("PROGRESS", "", logging.INFO, False),
        ("JOB_ERROR", "", logging.ERROR, False),
        (None, "Building DAG of jobs...", logging.INFO, False),
        (None, "Job 3 has been submitted with SLURM jobid 7 (log: x).", logging.INFO, False),
        (None, "Nothing to be done", logging.INFO, True),
        (None, "Complete log(s): /a/b", logging.INFO, True),
        (None, "something that nobody foresaw: 100%", logging.INFO, True),
        (None, "Building DAG of jobs... went wrong", logging.WARNING, True),
        ("ERROR", "boom", logging.ERROR, True),
    ],
)
def test_snakemake_prints_what_the_display_does_not_show(taken_over, kind, message, level, printed):
    own, kept = taken_over
    own.handle(record(kind, message, level))
    assert bool(kept) is printed


def test_a_failure_is_shown_at_once_with_rule_shard_and_the_end_of_its_log(taken_over, tmp_path, capsys):
    listener = console.Listener(lambda: [], tmp_path)
    listener.emit(record("RUN_INFO", stats={"draw": 1, "total": 1}))
    listener.begin(2)
    log = tmp_path / "00003.log"
    fields = {"rule_name": "draw", "rule_msg": "Drawing shard 00003", "log": [str(log)], "threads": 1, "jobid": 4}
    listener.emit(record("JOB_INFO", **fields, wildcards={"shard": "00003"}))
    log.write_text("error: no more memory\n")
    failed = fields | {"output": [str(tmp_path / "00003.parquet")], "rule_msg": "", "aux": {}}
    listener.emit(record("JOB_ERROR", level=logging.ERROR, **failed))
    said = capsys.readouterr().err
    assert "failed:" in said and f"- draw → {tmp_path}/00003.parquet" in said and "error: no more memory" in said
    report = listener.end(well=False)
    assert "1 job failed:" in report and report.count("no more memory") == 1
    state = json.loads((tmp_path / "logs" / "run.json").read_text())
    assert state["ended"] == "failed" and state["failed"] == {"draw": 1} and state["wanted"] == {"draw": 1}
    (noted,) = attempts_in(tmp_path / ATTEMPTS)
    assert (noted["rule"], noted["wildcards"]) == ("draw", {"shard": "00003"}) and noted["seconds"] >= 0


def test_a_run_says_how_far_it_is_in_a_file_for_whoever_looks(tmp_path, taken_over):
    listener = console.Listener(lambda: [], tmp_path)
    listener.emit(record("RUN_INFO", stats={"draw": 2, "total": 2}))
    listener.begin(2)
    path = tmp_path / "logs" / "run.json"
    first = json.loads(path.read_text())
    assert first["ended"] is None and first["process"] == os.getpid() and first["jobs"] == []
    log = tmp_path / "logs" / "0.log"
    fields = {"rule_name": "draw", "rule_msg": "Drawing 0", "log": [str(log)], "threads": 1, "jobid": 4}
    listener.emit(record("JOB_INFO", **fields))
    log.write_text("10:00 progress: 3 of 4 answers\n")
    while not (state := json.loads(path.read_text()))["jobs"]:
        time.sleep(0.05)
    assert state["jobs"][0]["message"] == "Drawing 0" and state["finished"] == {}
    listener.emit(record("JOB_FINISHED", job_id=4))
    while not (state := json.loads(path.read_text()))["finished"]:
        time.sleep(0.05)
    assert listener.end(well=True) == "" and json.loads(path.read_text())["ended"] == "done"
    assert [each.name for each in path.parent.iterdir() if each.name.startswith(".")] == []


def test_a_run_whose_user_wants_snakemakes_own_lines_shows_nothing_else(tmp_path, capsys):
    listener = console.Listener(lambda: [], tmp_path)
    listener.emit(record("RUN_INFO", stats={"draw": 1, "total": 1}))
    listener.begin(2)
    assert capsys.readouterr().err == ""
