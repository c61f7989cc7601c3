"""How often Slurm began a job again, by its variable or, where that is missing, by asking it."""

import pytest

from reasonlite.core import attempts


@pytest.mark.parametrize(
    ("told", "variable", "found"),
    [("JobId=7 Requeue=1 Restarts=2 BatchFlag=1", None, 2), ("", None, 0), ("Restarts=9", "1", 1), (None, None, 0)],
)
def test_restarts_are_those_of_the_variable_or_of_slurm(tmp_path, monkeypatch, told, variable, found):
    if told is not None:  # else there is no scontrol, as in a container
        (tmp_path / "scontrol").write_text(f'#!/bin/sh\n[ "$4" = 7 ] && echo "{told}"\n')
        (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.delenv("SLURM_RESTART_COUNT", raising=False)
    if variable:
        monkeypatch.setenv("SLURM_RESTART_COUNT", variable)
    assert attempts.restarts() == found
    monkeypatch.delenv("SLURM_JOB_ID")
    assert attempts.restarts() == int(variable or 0)
