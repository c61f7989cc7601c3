# Models from their sources into one layout.
# Requires: nothing. Gives: models/{model}/, models/{model}.sha256.


rule fetch_model:
    input:
        files=lambda wildcards: experiment.model_files(EXPERIMENT, wildcards.model),
    output:
        folder=directory("<results>/models/{model}"),
        checksums="<results>/models/{model}.sha256",
    log:
        "<logs>/fetch_model/{model}.log",
    benchmark:
        "<benchmarks>/fetch_model/{model}.jsonl"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        source=lambda wildcards: as_json(EXPERIMENT.models[wildcards.model]),
        identity=lambda wildcards: identity(
            "fetch_model", source=EXPERIMENT.models[wildcards.model]
        ),
    message:
        "Fetching the model {wildcards.model}"
    shell:
        r"""
        python scripts/fetch_model.py \
            --source {params.source:q} \
            --output {output.folder:q} \
            &>{log:q}
        """
