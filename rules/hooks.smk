# Before and after a run, in its main process: checks of the cluster, notes for the audit, the manifest.
# Another Snakefile that takes the rules in has hooks of its own; there `snakemake audit` writes the manifest.
# No rule here.

import logging
import shutil

from reasonlite.audit import provenance
from reasonlite.audit.store import Limits
from reasonlite.cluster import checks as cluster
from reasonlite.workflow import console, running
from reasonlite.workflow.checks import (
    image_complaints,
    python_complaint,
    training_complaints,
)

provenance.keep(opening.CODE)


def submitted_jobs():
    """Jobs of this run that a cluster profile sends away; none without such a profile."""
    jobs = workflow.dag.needrun_jobs(exclude_finished=False)
    sent = [job for job in jobs if not (job.rule.norun or job.rule.name in workflow._localrules)]
    one_of_each = {job.rule.name: job for job in sent}.values()  # asking all of them takes seconds
    return sent if any(job.resources.get("slurm_partition") for job in one_of_each) else []


LISTENER = console.Listener(submitted_jobs, Path(RESULTS))
logging.getLogger("snakemake.logging").addHandler(LISTENER)
asked = workflow.output_settings
if not (
    asked.dryrun
    or asked.quiet
    or asked.verbose
    or asked.printshellcmds
    or asked.log_handler_settings
):
    console.take_over()


def in_container():
    return "apptainer" in str(workflow.deployment_settings.deployment_method).lower()


def check_environment():
    """Stop when jobs would find no Python, or when the container they are to run in cannot be taken."""
    if in_container():
        if complaints := image_complaints(IMAGE):
            raise WorkflowError("\n".join(complaints))
        return
    found = shutil.which("python")
    complaint = python_complaint(found, sys.executable)
    if complaint and found is None:
        raise WorkflowError(complaint)
    if complaint:
        print(f"warning: {complaint}", file=sys.stderr)


def check_trainings():
    """Stop when a training cannot begin: its batch, its processes, its trackers."""
    jobs = workflow.dag.needrun_jobs(exclude_finished=False)
    if complaints := training_complaints(jobs, PLAN["stages"], here=not in_container()):
        raise WorkflowError("\n".join(complaints))


def check_cluster():
    """Stop before anything is submitted when the cluster cannot run what is asked of it."""
    jobs = submitted_jobs()
    if not jobs:
        return
    asked = cluster.requests(jobs)
    edit = "the profile's config.yaml (profiles/slurm-…)"
    last = cluster.last_tries(jobs, workflow.execution_settings.retries + 1)
    complaints = cluster.check([*asked, *last], edit)
    complaints += cluster.too_few_gpus(asked, PLAN["gpus_by_rule"], edit)
    if complaints:
        raise WorkflowError("\n".join(complaints))
    for doubt in cluster.doubts(Path.cwd()):
        print(f"warning: {doubt}", file=sys.stderr)


def note_run():
    """Keep what the audit needs of this run's code."""
    try:
        doubts = running.note_run(
            Path(RESULTS),
            Path(PLAN["lock_file"]),
            sorted(SCRIPTS_USED),
            rerun=bool(PLAN["lock"]),
        )
    except UserError as error:
        raise WorkflowError(str(error)) from None
    for doubt in doubts:
        print(f"warning: {doubt}", file=sys.stderr)


def finish():
    """Bring the manifest up to date and tell the user where to look."""
    try:
        lines = running.note_success(
            Path(RESULTS), Path.cwd(), Path(PLAN["lock_file"]), Limits(**PLAN["audit"])
        )
    except UserError as error:
        raise WorkflowError(f"the outputs are made; their manifest is not: {error}") from None
    for line in [*running.summary(Path(RESULTS)), *lines]:
        print(line)


onstart:
    check_environment()
    check_trainings()
    check_cluster()
    note_run()
    LISTENER.begin(workflow.cores or 1)


onsuccess:
    LISTENER.end(well=True)
    finish()


onerror:
    if report := LISTENER.end(well=False):
        print(report, file=sys.stderr)
