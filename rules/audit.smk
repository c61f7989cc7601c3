# The manifest: every output with its hash.
# Requires: tables and figures. Gives: manifest.json.


rule audit:
    input:
        "<results>/manifest.json",
    localrule: True


rule manifest:
    input:
        [getattr(rules, name).output for name in TABLES],
        figure_files(ALL_FIGURES),
    output:
        manifest="<results>/manifest.json",
    log:
        "<logs>/manifest.log",
    benchmark:
        "<benchmarks>/manifest.jsonl"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        folder=lambda wildcards, output: str(Path(output.manifest).parent),
        identity=identity("audit"),
    message:
        "Writing the manifest"
    shell:
        r"""
        python scripts/audit.py manifest {params.folder:q} {output.manifest:q} \
            &>{log:q}
        """
