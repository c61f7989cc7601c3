"""How often Slurm began a job again, also where its own variable is taken away from the job's scripts."""

import pytest

from reasonlite.core import attempts


@pytest.mark.parametrize(("slurm", "found"), [({}, 0), ({"SLURM_RESTART_COUNT": "2"}, 2)])
def test_restarts_are_counted_in_the_job_and_in_its_step_but_not_in_a_job_that_it_submits(slurm, found):
    environment = {"SLURM_JOB_ID": "7"} | slurm
    assert attempts.restarts(environment) == found
    attempts.hand_on_restarts(environment)
    environment.pop("SLURM_RESTART_COUNT", None)  # as Snakemake's plugin does
    assert attempts.restarts(environment) == found
    attempts.hand_on_restarts(environment)  # the workflow is read in the step again
    assert attempts.restarts(environment) == found
    assert attempts.restarts(environment | {"SLURM_JOB_ID": "8"}) == 0
    del environment["SLURM_JOB_ID"]
    assert attempts.restarts(environment) == 0
