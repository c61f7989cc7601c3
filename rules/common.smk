# The experiment's plan and the few helpers the rule files share.
# No rule here. What only the run's main process needs is in hooks.smk.

import functools
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# the workflow's own folder, also where another Snakefile takes these rules in as a module
ROOT = Path(str(workflow.current_basedir)).parent
if not (ROOT / "scripts").is_dir():
    raise WorkflowError(
        f"{workflow.current_basedir}: no scripts lie beside these rules\n"
        "  what to do: clone the repository, and name the Snakefile by its path on disk"
    )
sys.path.insert(0, str(ROOT / "scripts"))

from reasonlite.core import attempts, machine
from reasonlite.core.errors import UserError
from reasonlite.core.files import canonical_json
from reasonlite.core.paths import braced
from reasonlite.workflow import opening, stopping

MAIN = workflow.is_main_process  # not the Snakemake that a cluster's job starts
if MAIN:
    stopping.with_one_line()
else:
    attempts.hand_on_restarts()
try:
    PLAN = opening.open_plan(config, ROOT, main=MAIN)
except UserError as error:
    raise WorkflowError(str(error)) from None

# own files by relative paths where the workflow runs in its own folder: so a clone elsewhere reruns nothing
HOME = Path() if ROOT == Path.cwd() else ROOT
SCRIPTS = HOME / "scripts"  # as a param Snakemake does not record it, for it is no plain text
PUBLISHED = str(HOME / "config" / "published")
IMAGE = HOME / "envs" / "image.sif"
RESULTS = f"results/{PLAN['experiment']}"
SHARDS = PLAN["shards"]
GRADERS = PLAN["evaluation"]["graders"]  # besides the rules
RL_STAGES = [name for name, each in PLAN["stages"].items() if each["settings"]["method"] == "grpo"]
# what jobs on this machine share; a cluster's have cores of their own (its profile says jobs, Snakemake's nodes)
at_hand = workflow.resource_settings
CORES = at_hand.cores if MAIN and at_hand.nodes is None else None
ENGINE_THREADS = machine.engine_threads(CORES)
machine.hand_on_cores(CORES)
SCRIPTS_USED = set()
LOCK_OPTION = f"--lock {PLAN['lock']}" if PLAN["lock"] else ""


def identity(*scripts, **settings):
    """Value of params.identity: the named settings, and a hash of all the code the scripts run.

    Only the main process records it, so in a job it is empty.
    """
    if not MAIN:
        return ""
    return opening.rule_identity(files_of(scripts), settings, PLAN["lock"])


@functools.cache
def files_of(scripts):
    """Files of the scripts that a rule runs, noted for the audit; asked for by each job of some rules."""
    files = tuple(ROOT / "scripts" / f"{script}.py" for script in scripts)
    SCRIPTS_USED.add(files)
    return files


def option(flag, value):
    """A flag of a script with its value, or nothing without a value."""
    return f"{flag} {shlex.quote(str(value))}" if value else ""


def stays_here(rule):
    """Whether a download is made where Snakemake runs, as it is unless the profile names a partition for it.

    Compute nodes often have no way out; transfer nodes have.
    """
    return "slurm_partition" not in workflow.resource_settings.overwrite_resources.get(rule, {})


def files_in(name):
    """Param: the files of an input in short, because thousands of them would not fit into a command."""
    return lambda wildcards, input: braced(listed(input[name]))


def files_out(name):
    """Param: the same for an output."""
    return lambda wildcards, output: braced(listed(output[name]))


def listed(files):
    return [files] if isinstance(files, str) else files


def of_plan(key):
    """A part of the plan as an argument: its place in the file, because a grid's models would not fit.

    It is a path, which Snakemake does not record: what it says is in the rule's identity.
    """
    return Path(f"@{opening.plan_file(config)}:{key}")


def gres_option(wildcards, resources):
    """The GPUs of a node that the profile asks for, as a flag."""
    return option("--gres", resources.get("gres"))


def one_of(names):
    """A wildcard constraint that takes these names; with none it takes nothing."""
    return "|".join(names) or "(?!)"


def of_shards(pattern, **names):
    """Paths of all shards, thousands for a paper; worked out only where a job that reads them is planned."""
    return lambda wildcards: expand(pattern, **names, shard=SHARDS)


def possible(needs):
    """Names whose needs the results folder holds; looked up only where a target asks."""
    from reasonlite.workflow.targets import existing_parts

    existing = existing_parts(PLAN, Path(RESULTS))
    return [name for name, needed in needs.items() if needed <= existing]


def recorded(wildcards):
    """The log that holds a model's answers to a benchmark."""
    return PLAN["recorded"][wildcards.model][wildcards.benchmark]


def of_answered(pattern):
    """Paths of every benchmark that each model has answers to."""
    return [
        path
        for model, benchmarks in PLAN["evaluated"].items()
        for path in expand(pattern, model=model, benchmark=benchmarks)
    ]


def figure_files(names):
    """The three files of each figure."""
    return expand(
        "<results>/figures/{figure}.{suffix}",
        figure=names,
        suffix=["svg", "png", "pdf"],
    )


def model_folder(name):
    """Where a model of the config, or the checkpoint of a stage, lies."""
    return f"<results>/{'models' if name in PLAN['models'] else 'checkpoints'}/{name}"


def model_inputs(name):
    """A model's folder, and the hashes of its files: these alone say whether it changed."""
    return [ancient(model_folder(name)), f"{model_folder(name)}.sha256"]


def effort_of(wildcards):
    """Who answers at a teacher's effort, by which engine, with which settings."""
    return PLAN["teacher"]["efforts"][wildcards.effort]


def stage_of(wildcards):
    """The settings of the stage that a job is for."""
    return PLAN["stages"][wildcards.stage]["settings"]
