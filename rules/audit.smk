# Every output up to date, then what changed since the manifest before, and why.
# Requires: tables and figures. Gives: manifest.json, which every run that succeeds brings up to date as well.


rule audit:
    input:
        [getattr(rules, name).output for name in TABLES],
        figure_files(ALL_FIGURES),
    log:
        "<logs>/audit.log",
    localrule: True
    params:
        folder=lambda wildcards: RESULTS,
        lock=EXPERIMENT.environment.lock,
        identity=identity("audit"),
    message:
        "What changed, and why"
    shell:
        r"""
        python scripts/audit.py manifest {params.folder:q} --lock {params.lock:q} --tell \
            2>&1 | tee {log:q}
        """
