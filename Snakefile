"""reasonlite: distil a small reasoning model, evaluate it, and regenerate every table and figure.

Experiments are config files: snakemake --configfile config/paper.yaml; the default is the demo.
"""

from snakemake.utils import min_version

min_version("9.27")

if not config:

    configfile: str(workflow.current_basedir.join("config/demo.yaml"))


include: "rules/common.smk"


# used with --software-deployment-method apptainer (built from one of envs/*.def); otherwise snakemake's own environment.
# Snakemake takes no image from a folder with white space in its name; hooks.smk says so where one is asked for
if " " not in str(IMAGE):

    container: str(IMAGE)


pathvars:
    results=RESULTS,
    logs=f"{RESULTS}/logs",
    benchmarks=f"{RESULTS}/benchmarks",


wildcard_constraints:
    source="|".join(PLAN["sources"]),
    model="[A-Za-z0-9][A-Za-z0-9_-]*",
    stratum=one_of(PLAN["strata"]),
    stage=one_of(PLAN["stages"]),
    benchmark="|".join(PLAN["benchmarks"]["all"]),
    shard=r"\d{5}",
    engine=r"\d+",


include: "rules/models.smk"
include: "rules/problems.smk"
include: "rules/evaluation_answers.smk"
include: "rules/evaluation.smk"
include: "rules/evaluation_code.smk"
include: "rules/tables_of_results.smk"


if PLAN["recorded"]:

    include: "rules/evaluation_recorded.smk"


if GRADERS:

    include: "rules/tables_of_graders.smk"


if "llm" in GRADERS:

    include: "rules/grading_by_model.smk"


if PLAN["teacher"]:  # else the experiment evaluates only

    include: "rules/cleaning.smk"
    include: "rules/answers.smk"
    include: "rules/labels.smk"
    include: "rules/adjudication.smk"
    include: "rules/curriculum.smk"
    include: "rules/training.smk"
    include: "rules/tables_of_data.smk"
    include: "rules/tables_of_contamination.smk"
    include: "rules/tables_of_costs.smk"
    include: "rules/preflight.smk"


if PLAN["rated"]:

    include: "rules/difficulty.smk"


include: "rules/figures.smk"
include: "rules/targets.smk"


rule all:
    default_target: workflow.modifier.is_main_snakefile()
    input:
        rules.audit.input,  # every table and figure; the manifest follows
    localrule: True


if MAIN and workflow.modifier.is_main_snakefile():

    include: "rules/hooks.smk"
