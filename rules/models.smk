# Models from their sources into one layout.
# Requires: nothing. Gives: models/{model}/, models/{model}.sha256.


rule fetch_model:
    input:
        files=lambda wildcards: PLAN["models"][wildcards.model]["files"],
    output:
        folder=directory("<results>/models/{model}"),
        checksums="<results>/models/{model}.sha256",
    log:
        "<logs>/fetch_model/{model}.log",
    benchmark:
        "<benchmarks>/fetch_model/{model}.jsonl"
    localrule: stays_here("fetch_model")
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        scripts=SCRIPTS,
        source=lambda wildcards: canonical_json(PLAN["models"][wildcards.model]["source"]),
        identity=lambda wildcards: identity(
            "fetch_model", source=PLAN["models"][wildcards.model]["source"]
        ),
    message:
        "Fetching the model {wildcards.model}"
    shell:
        r"""
        python {params.scripts:q}/fetch_model.py \
            --source {params.source:q} \
            --output {output.folder:q} \
            &>{log:q}
        """
