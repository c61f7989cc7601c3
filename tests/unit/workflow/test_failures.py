"""The closing list of failed jobs."""

import pytest

from reasonlite.workflow.failures import Failures


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
def failures():
    return Failures()


def test_a_failed_job_is_shown_with_shard_number_state_and_the_end_of_its_log(failures, tmp_path):
    failures.note("JOB_ERROR", entry(tmp_path, "00003", "".join(f"line {n}\n" for n in range(50))))
    text = failures.report()
    assert "1 job failed:" in text and f"generate_answers → {tmp_path}/00003.parquet, Slurm job 17" in text
    assert "status is: 'TIMEOUT'." in text and "For further" not in text
    assert "line 49" in text and "line 38" in text and "line 37" not in text


def test_a_job_that_a_later_try_made_is_not_shown(failures, tmp_path):
    failures.note("JOB_ERROR", entry(tmp_path, "00003"))
    (tmp_path / "00003.parquet").touch()
    assert failures.report() == ""


def test_of_a_group_only_what_failed_is_shown(failures, tmp_path):
    (tmp_path / "done.parquet").touch()
    entries = [entry(tmp_path, "done"), entry(tmp_path, "failed"), entry(tmp_path, "waiting", None)]
    failures.note("GROUP_ERROR", {"job_error_info": entries})
    text = failures.report()
    assert "failed.parquet" in text and "done.parquet" not in text and "waiting.parquet" not in text


def test_a_log_that_was_never_written_points_to_the_shared_folder(failures, tmp_path):
    failures.note("JOB_ERROR", entry(tmp_path, "a", None))
    assert "its node does not see this folder" in failures.report()


def test_many_failures_are_counted(failures, tmp_path):
    for number in range(25):
        failures.note("JOB_ERROR", entry(tmp_path, str(number)))
    text = failures.report()
    assert "25 jobs failed:" in text and "and 15 more" in text
