"""What happens on clusters, to a run through the profile: after each the tables are those of a run on one machine.

The teacher is a miniature, so that a job's start and not its answers is what takes long; where something has to happen
between two commits, the job is held up until it does.
"""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest
from running import run_snakemake
from submitting import ANSWERS, TARGETS, tiny_project

from reasonlite.core.attempts import ATTEMPTS, attempts_in, restarts_in

pytestmark = [pytest.mark.slow, pytest.mark.full]


@pytest.fixture(scope="module")
def submitting(cluster, tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults-project")
    # two answers at once, so that a fault can come between two commits; of random weights nothing sane is expected
    engine = {"batch_invariant": True, "max_num_seqs": 2, "canary": None}
    project = tiny_project(folder, cluster, tiny_model, teacher="tiny", tokens=150, **engine)
    yield project
    project.end()


@pytest.fixture(scope="module")
def undisturbed(submitting):
    """The tables' rows, of a run without a cluster."""
    line = ["--cores", "2", "--configfile", "tiny.yaml", "--", *TARGETS, *ANSWERS]
    done = run_snakemake(submitting.folder, *line)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return submitting.rows(TARGETS + ANSWERS)


@pytest.fixture(autouse=True)
def _from_the_problems(undisturbed, submitting):
    submitting.forget()


def check_as_undisturbed(undisturbed, submitting, targets):
    assert submitting.rows(targets) == {path: undisturbed[path] for path in targets}
    keys = submitting.journal_keys()
    assert len(keys) == len(set(keys))


def generating(submitting) -> list[int]:
    """Process ids of the scripts that draw answers in this project."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes().split(b"\0")
            if command[1:2] == [b"scripts/generate_answers.py"] and (folder / "cwd").resolve() == submitting.folder:
                found.append(int(folder.name))
    return found


def hold_up(submitting, replies: int) -> list[int]:
    """Wait for so many replies, then stop the scripts that draw more, which a fast machine would soon have ended.

    Slurm's SIGCONT comes with each of its signals that a process can handle.
    """
    submitting.wait_for_replies(replies)
    found = generating(submitting)
    for pid in found:
        os.kill(pid, signal.SIGSTOP)
    return found


def test_a_job_killed_then_one_preempted(undisturbed, submitting, cluster):
    run = submitting.run(targets=ANSWERS)
    first = submitting.wait_for_job("generate_answers")
    hold_up(submitting, 2)
    cluster.command("scancel", "--signal=KILL", "--full", first)
    cluster.wait_for(lambda: f"'{first}' failed" in run.text(), "report of the killed job")
    hold_up(submitting, submitting.replies() + 2)
    second = submitting.wait_for_job("generate_answers")
    asked = ("--gres=gpu:mi300x:1", "--output=/dev/null", "--wrap", "sleep 3")
    urgent = cluster.command("sbatch", "--parsable", "-p", "urgent", *asked).strip()
    cluster.wait_for(lambda: [urgent, "COMPLETED"] in cluster.jobs("%i %T", everything=True), "urgent job")
    run.finish()
    requeued = cluster.command("scontrol", "show", "job", second)
    assert "Restarts=1" in requeued, requeued
    assert [each["rule"] for each in attempts_in(submitting.results / ATTEMPTS)] == ["generate_answers"]
    assert sum(map(restarts_in, submitting.results.glob("logs/generate_answers/*/*.log"))) == 1
    check_as_undisturbed(undisturbed, submitting, ANSWERS)


def test_out_of_memory_then_cancelled_by_a_user(undisturbed, submitting, cluster):
    run = submitting.run(targets=ANSWERS, resources={"generate_answers": {"mem_mb": "400 * 16 ** (attempt - 1)"}})
    cluster.wait_for(lambda: "OUT_OF_MEMORY" in run.text() or "FAILED" in run.text(), "job out of memory")
    hold_up(submitting, 2)
    cluster.command("scancel", submitting.wait_for_job("generate_answers"))
    text = run.finish()
    assert "CANCELLED" in text
    check_as_undisturbed(undisturbed, submitting, ANSWERS)


def test_warned_of_its_time_limit_a_job_keeps_its_replies_and_goes_back_into_the_queue(
    undisturbed, submitting, cluster
):
    run = submitting.run(targets=ANSWERS[:1], resources={"generate_answers": {"slurm_extra": "'--signal=URG@100'"}})
    job = submitting.wait_for_job("generate_answers")
    hold_up(submitting, 2)
    minutes = int(cluster.command("squeue", "-h", "-j", job, "-o", "%M").split(":")[0])
    cluster.command("scontrol", "update", f"jobid={job}", f"timelimit={minutes + 3}")
    logs = submitting.results / "logs" / "generate_answers"
    said = "the job's time is nearly over"
    cluster.wait_for(lambda: any(said in p.read_text() for p in logs.glob("*/*.log")), "warning in a log")
    assert submitting.replies() >= 2
    run.finish()
    assert "Restarts=0" not in cluster.command("scontrol", "show", "job", job)
    assert "Trying to restart" not in run.text()
    check_as_undisturbed(undisturbed, submitting, ANSWERS[:1])


def test_out_of_time_without_a_warning(undisturbed, submitting, cluster):
    """Slurm looks at limits about once a minute, so the job is held up until then."""
    run = submitting.run(
        targets=ANSWERS[:1], resources={"generate_answers": {"runtime": "attempt", "slurm_extra": "''"}}
    )
    submitting.wait_for_job("generate_answers")
    stopped = hold_up(submitting, 2)
    cluster.wait_for(lambda: "TIMEOUT" in run.text(), "time-out")
    for pid in stopped:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    run.finish()
    check_as_undisturbed(undisturbed, submitting, ANSWERS[:1])


def test_a_node_set_down_then_the_controller_away(undisturbed, submitting, cluster):
    run = submitting.run(targets=ANSWERS)
    job = submitting.wait_for_job("generate_answers")
    hold_up(submitting, 2)
    cluster.command("scontrol", "update", "nodename=mi1", "state=down", "reason=test")
    cluster.wait_for(lambda: [job, "RUNNING"] not in cluster.jobs("%i %T"), "end of the job on the lost node")
    cluster.command("scontrol", "update", "nodename=mi1", "state=resume")
    submitting.wait_for_replies(submitting.replies() + 2)
    cluster.stop_controller()
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.process.wait(30)  # longer than five questions
    cluster.start_controller()
    run.finish()
    check_as_undisturbed(undisturbed, submitting, ANSWERS)


def test_snakemake_killed_and_started_again(undisturbed, submitting, cluster):
    run = submitting.run()
    submitting.wait_for_job("generate_answers")
    hold_up(submitting, 2)
    run.kill()
    cluster.command("scancel", "--partition=mi300")
    cluster.wait_for(lambda: not cluster.jobs(), "end of the jobs")
    submitting.run("--unlock").finish()
    submitting.run().finish()
    check_as_undisturbed(undisturbed, submitting, TARGETS)
