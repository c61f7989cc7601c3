# What can be asked for by name, beside all: tables, figures, published, audit.
# Requires: the tables' and figures' rules. Gives: nothing of its own; every run that succeeds writes manifest.json.

# table rules, and what has to exist for each to be made alone
TABLES = {
    "tabulate_published": set(),
    "tabulate_results": {"results"},
}
if PLAN["teacher"]:
    TABLES |= {
        "tabulate_distributions": {"results", "labels"},
        "tabulate_contamination": {"results", "labels"},
        "tabulate_funnel": {"labels"},
        "tabulate_sweep": {"labels"},
        "tabulate_ledger": {"labels", "results", "training"},
    }
    if RL_STAGES:
        TABLES["tabulate_rollouts"] = {"rollouts"}
    if PLAN["labels"]["judge"] != "rules":
        TABLES["tabulate_agreement"] = {"labels"}
if GRADERS:
    TABLES["tabulate_graders"] = {"results"}
if PLAN["grid"]:
    TABLES["tabulate_arms"] = {"results", "training"}


# the tables that can be made of what exists
rule tables:
    input:
        lambda wildcards: [
            path for name in possible(TABLES) for path in getattr(rules, name).output
        ],
    localrule: True


# the figures that can be drawn from what exists
rule figures:
    input:
        lambda wildcards: figure_files(
            possible({figure: needs for figure, (_, _, needs) in ALL_FIGURES.items()})
        ),
    localrule: True


# the published numbers alone: no model, no engine, no training
rule published:
    input:
        figure_files(PUBLISHED_FIGURES),
        rules.tabulate_published.output,
    localrule: True


# every output up to date, then what changed since the manifest before, and why
rule audit:
    input:
        [getattr(rules, name).output for name in TABLES],
        figure_files(ALL_FIGURES),
    log:
        "<logs>/audit.log",
    localrule: True
    params:
        scripts=SCRIPTS,
        folder=lambda wildcards: RESULTS,
        lock=PLAN["lock_file"],
        identity=identity("audit"),
    message:
        "What changed, and why"
    shell:
        r"""
        python {params.scripts:q}/audit.py manifest {params.folder:q} --lock {params.lock:q} --tell \
            2>&1 | tee {log:q}
        """
