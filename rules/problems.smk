# Problems from their sources.
# Requires: nothing. Gives: problems/sources/{source}.parquet (training sources and benchmarks).


rule fetch_problems:
    input:
        files=lambda wildcards: PLAN["sources"][wildcards.source]["files"],
    output:
        table="<results>/problems/sources/{source}.parquet",
    log:
        "<logs>/fetch_problems/{source}.log",
    benchmark:
        "<benchmarks>/fetch_problems/{source}.jsonl"
    localrule: stays_here("fetch_problems")
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        scripts=SCRIPTS,
        source=lambda wildcards: canonical_json(PLAN["sources"][wildcards.source]["source"]),
        benchmark=lambda wildcards: PLAN["sources"][wildcards.source]["options"],
        identity=lambda wildcards: identity(
            "fetch_problems",
            source=PLAN["sources"][wildcards.source]["source"],
            benchmark=PLAN["sources"][wildcards.source]["options"],
        ),
    message:
        "Reading the problems of {wildcards.source}"
    shell:
        r"""
        python {params.scripts:q}/fetch_problems.py \
            --name {wildcards.source:q} \
            --source {params.source:q} \
            {params.benchmark} \
            --output {output.table:q} \
            &>{log:q}
        """
