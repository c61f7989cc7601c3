"""Lines in a log that say how far a job is."""

import logging

import pytest

from reasonlite.core.pace import Pace, Seen, duration, seen_in


@pytest.fixture
def told(caplog):
    """Pairs of seconds and steps done are told to a pace; what was written."""
    caplog.set_level(logging.INFO, logger="progress")

    def run(*pairs, total=1000, note=""):
        at = [0.0]
        pace = Pace("steps", clock=lambda: at[0])
        for seconds, done in pairs:
            at[0] = seconds
            pace.tell(done, total, note)
        return [record.getMessage() for record in caplog.records]

    return run


def test_a_line_comes_at_once_and_then_after_two_seconds(told):
    assert told((1, 1), (2, 2), (60, 60)) == ["1 of 1000 steps", "60 of 1000 steps, about 15 min 56 s left"]


def test_the_first_answers_after_a_long_start_tell_no_pace(told):
    lines = told((0, 0), (36, 1), (41, 30), (44, 60))
    assert lines[1:] == ["1 of 1000 steps", "30 of 1000 steps", "60 of 1000 steps, about 11 min 29 s left"]


def test_after_ten_minutes_few_steps_do(told):
    assert told((0, 0), (599, 1), (620, 2))[1:] == ["1 of 1000 steps", "2 of 1000 steps, about 85 h 56 min left"]


def test_in_a_job_of_hours_a_line_a_minute(told):
    lines = told(*((second, second) for second in range(7200)), total=7200)
    assert 100 < len(lines) < 320 and lines[-1].startswith("71")


def test_what_an_earlier_try_did_counts_for_no_speed(told):
    assert told((0, 500), (10, 600))[1:] == ["600 of 1000 steps, about 40 s left"]


def log(tmp_path, *lines):
    path = tmp_path / "job.log"
    path.write_text("".join(lines))
    return path


def test_the_last_line_is_found_between_others(tmp_path):
    path = log(
        tmp_path,
        "18:58:34 progress: 2 of 16 answers, 90 tokens/s, about 50 s left\n",
        "18:58:35 progress: 3 of 16 answers, 93 tokens/s, about 2 h 05 min left\n",
        " 55%|███| 18/33 [01:27<00:58]\rsomething else of no interest\n",
    )
    assert seen_in(path) == Seen(3, 16, "answers", "93 tokens/s")


def test_a_line_without_a_note_and_one_that_is_done(tmp_path):
    assert seen_in(log(tmp_path, "1 progress: 0 of 16 answers\n")) == Seen(0, 16, "answers", "")
    assert seen_in(log(tmp_path, "\r 9%| 1 progress: 7 of 9 steps, loss 0.21\n")) == Seen(7, 9, "steps", "loss 0.21")


def test_a_log_that_is_not_there_or_says_nothing(tmp_path):
    assert seen_in(tmp_path / "none") is None
    assert seen_in(log(tmp_path, "progress: soon\n")) is None


def test_only_the_end_of_a_long_log_is_read(tmp_path):
    path = log(tmp_path, "1 progress: 1 of 2 steps\n", "x" * 70_000)
    assert seen_in(path) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words
