"""The closing list of failed jobs."""

import logging
from types import SimpleNamespace

import pytest

from reasonlite.cluster.console import Listener


def record(event, **fields):
    made = logging.LogRecord("snakemake", logging.ERROR, "", 0, "", (), None)
    vars(made).update(event=SimpleNamespace(name=event), **fields)
    return made


def entry(tmp_path, name, log="boom\n", **changes):
    path = tmp_path / f"{name}.log"
    if log is not None:
        path.write_text(log)
    return {
        "rule_name": "generate_answers",
        "rule_msg": "SLURM-job '17' failed, SLURM status is: 'TIMEOUT'.For further error details see the log",
        "output": [str(tmp_path / f"{name}.parquet")],
        "log": [str(path)],
        "aux": {"external_jobid": "17"},
    } | changes


@pytest.fixture
def listener():
    return Listener(lambda: [])


def test_a_failed_job_is_shown_with_shard_number_state_and_the_end_of_its_log(listener, tmp_path):
    listener.emit(record("JOB_ERROR", **entry(tmp_path, "00003", "".join(f"line {n}\n" for n in range(50)))))
    text = listener.report()
    assert "1 job failed:" in text and f"generate_answers → {tmp_path}/00003.parquet, Slurm job 17" in text
    assert "status is: 'TIMEOUT'." in text and "For further" not in text
    assert "line 49" in text and "line 38" in text and "line 37" not in text


def test_a_job_that_a_later_try_made_is_not_shown(listener, tmp_path):
    listener.emit(record("JOB_ERROR", **entry(tmp_path, "00003")))
    (tmp_path / "00003.parquet").touch()
    assert listener.report() == ""


def test_of_a_group_only_what_failed_is_shown(listener, tmp_path):
    (tmp_path / "done.parquet").touch()
    entries = [entry(tmp_path, "done"), entry(tmp_path, "failed"), entry(tmp_path, "waiting", None)]
    listener.emit(record("GROUP_ERROR", job_error_info=entries))
    text = listener.report()
    assert "failed.parquet" in text and "done.parquet" not in text and "waiting.parquet" not in text


def test_a_log_that_was_never_written_points_to_the_shared_folder(listener, tmp_path):
    listener.emit(record("JOB_ERROR", **entry(tmp_path, "a", None)))
    assert "its node does not see this folder" in listener.report()


def test_many_failures_are_counted(listener, tmp_path):
    for number in range(25):
        listener.emit(record("JOB_ERROR", **entry(tmp_path, str(number))))
    text = listener.report()
    assert "25 jobs failed:" in text and "and 15 more" in text
