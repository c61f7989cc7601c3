# The experiment's config, checked, and the few helpers the rule files share.
# No rule here.

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from reasonlite.cluster import checks, console
from reasonlite.core.errors import UserError
from reasonlite.core.files import canonical_json
from reasonlite.workflow import experiment
from snakemake.exceptions import WorkflowError

try:
    EXPERIMENT = experiment.open_experiment(config)
except UserError as error:
    raise WorkflowError(str(error)) from None


def submitted_jobs():
    """Jobs of this run that a cluster profile sends away."""
    jobs = workflow.dag.needrun_jobs(exclude_finished=False)
    return [job for job in jobs if not (job.rule.norun or job.rule.name in workflow._localrules)]


LISTENER = console.Listener(submitted_jobs)
if workflow.is_main_process:
    logging.getLogger("snakemake.logging").addHandler(LISTENER)

RESULTS = f"results/{EXPERIMENT.experiment}"
SHARDS = experiment.shard_names(EXPERIMENT)
SCRIPTS = Path(workflow.basedir) / "scripts"
SCRIPTS_USED = set()
LOCK = experiment.lock_of(EXPERIMENT, SCRIPTS.parent)
LOCK_OPTION = f"--lock {LOCK}" if LOCK else ""


def as_json(value):
    """A part of the config as one line of canonical JSON, for a script's command line."""
    return canonical_json(value.model_dump(mode="json"))


def identity(*scripts, **settings):
    """Value of params.identity: the named settings, and a hash of all the code the scripts run."""
    files = tuple(SCRIPTS / f"{script}.py" for script in scripts)
    SCRIPTS_USED.add(files)
    return experiment.rule_identity(files, settings, LOCK)


def one_of(names):
    """A wildcard constraint that takes these names; with none it takes nothing."""
    return "|".join(names) or "(?!)"


def possible(needs):
    """Names whose needs the results folder holds; looked up only where a target asks."""
    existing = experiment.existing_parts(EXPERIMENT, Path(RESULTS))
    return [name for name, needed in needs.items() if needed <= existing]


def figure_files(names):
    """The three files of each figure."""
    return expand(
        "<results>/figures/{figure}.{suffix}",
        figure=names,
        suffix=["svg", "png", "pdf"],
    )


def model_folder(name):
    """Where a model of the config, or the checkpoint of a stage, lies."""
    return f"<results>/{'models' if name in EXPERIMENT.models else 'checkpoints'}/{name}"


def model_inputs(name):
    """A model's folder, and the hashes of its files: these alone say whether it changed."""
    return [ancient(model_folder(name)), f"{model_folder(name)}.sha256"]


def student_inputs(stratum):
    """The model whose tokenizer counts a stratum's tokens, if any stage learns from it."""
    student = experiment.student_of(EXPERIMENT, stratum)
    return model_inputs(student) if student else []


def stage_of(wildcards):
    """The stage a job of rule train is for."""
    return experiment.stage_of(EXPERIMENT, wildcards.stage)


def check_cluster():
    """Stop before anything is submitted when the cluster cannot run what is asked of it."""
    jobs = submitted_jobs()
    asked = checks.requests(jobs)
    if not any(request.partition for request in asked):
        return
    edit = "the profile's config.yaml (profiles/slurm-…)"
    last = checks.last_tries(jobs, workflow.execution_settings.retries + 1)
    complaints = checks.check([*asked, *last], edit)
    complaints += checks.too_few_gpus(asked, experiment.gpus_by_rule(EXPERIMENT), edit)
    if "apptainer" in str(workflow.deployment_settings.deployment_method).lower():
        complaints += experiment.image_complaints(Path("envs/image.sif"))
    if complaints:
        raise WorkflowError("\n".join(complaints))
    for doubt in checks.doubts(Path.cwd()):
        print(f"warning: {doubt}", file=sys.stderr)


def note_run():
    """Keep what the audit needs of this run's code."""
    try:
        doubts = experiment.note_run(EXPERIMENT, Path(RESULTS), sorted(SCRIPTS_USED))
    except UserError as error:
        raise WorkflowError(str(error)) from None
    for doubt in doubts:
        print(f"warning: {doubt}", file=sys.stderr)


def finish():
    """Bring the manifest up to date and tell the user where to look."""
    try:
        lines = experiment.note_success(EXPERIMENT, Path(RESULTS), Path.cwd())
    except UserError as error:
        raise WorkflowError(f"the outputs are made; their manifest is not: {error}") from None
    for line in [*experiment.summary(Path(RESULTS)), *lines]:
        print(line)
