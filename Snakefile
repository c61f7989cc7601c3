"""reasonlite: distil a small reasoning model, evaluate it, and regenerate every table and figure.

Experiments are config files: snakemake --configfile config/paper.yaml; the default is the demo.
"""

from snakemake.utils import min_version

min_version("9.27")

if not config:

    configfile: "config/demo.yaml"


# used with --software-deployment-method apptainer (built from one of envs/*.def); otherwise snakemake's own environment
container: "envs/image.sif"


include: "rules/common.smk"


pathvars:
    results=RESULTS,
    logs=f"{RESULTS}/logs",
    benchmarks=f"{RESULTS}/benchmarks",


wildcard_constraints:
    source="|".join(EXPERIMENT.problems.sources | EXPERIMENT.evaluation.benchmarks),
    model="[A-Za-z0-9][A-Za-z0-9_-]*",
    effort="|".join(EXPERIMENT.teacher.efforts),
    stratum="|".join(EXPERIMENT.strata),
    stage="|".join(stage.name for stage in EXPERIMENT.stages),
    benchmark="|".join(EXPERIMENT.evaluation.benchmarks),
    shard=r"\d{5}",


include: "rules/models.smk"
include: "rules/problems.smk"
include: "rules/answers.smk"
include: "rules/labels.smk"
include: "rules/curriculum.smk"
include: "rules/training.smk"
include: "rules/evaluation.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/audit.smk"


rule all:
    default_target: True
    input:
        rules.audit.input,  # every table and figure; the manifest follows
    localrule: True


onstart:
    check_cluster()
    note_run()


onsuccess:
    finish()


onerror:
    print(LISTENER.report(), file=sys.stderr)
