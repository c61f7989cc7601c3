# The manifest: every output with its hash.
# Requires: tables and figures. Gives: manifest.json.


rule audit:
    localrule: True
    input:
        "<results>/manifest.json",


rule manifest:
    input:
        rules.tables.input,
        rules.figures.input,
    output:
        manifest="<results>/manifest.json",
    params:
        folder=RESULTS,
        identity=identity("audit"),
    log:
        "<logs>/manifest.log",
    benchmark:
        "<benchmarks>/manifest.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    message:
        "Writing the manifest"
    shell:
        r"""
        python scripts/audit.py manifest {params.folder:q} {output.manifest:q} \
            &> {log:q}
        """
