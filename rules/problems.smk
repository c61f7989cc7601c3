# Problems from their sources, cleaned, into shards.
# Requires: nothing. Gives: problems/sources/{source}.parquet (training sources and benchmarks),
# problems/shards/{shard}.parquet, problems/dropped.parquet, problems/noticed.parquet.


rule fetch_problems:
    input:
        files=lambda wildcards: experiment.source_files(EXPERIMENT, wildcards.source),
    output:
        table="<results>/problems/sources/{source}.parquet",
    log:
        "<logs>/fetch_problems/{source}.log",
    benchmark:
        "<benchmarks>/fetch_problems/{source}.jsonl"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        source=lambda wildcards: as_json(experiment.source_of(EXPERIMENT, wildcards.source)),
        benchmark=lambda wildcards: experiment.benchmark_flags(EXPERIMENT, wildcards.source),
        identity=lambda wildcards: identity(
            "fetch_problems",
            source=experiment.source_of(EXPERIMENT, wildcards.source),
            benchmark=experiment.benchmark_flags(EXPERIMENT, wildcards.source),
        ),
    message:
        "Reading the problems of {wildcards.source}"
    shell:
        r"""
        python scripts/fetch_problems.py \
            --name {wildcards.source:q} \
            --source {params.source:q} \
            {params.benchmark} \
            --output {output.table:q} \
            &>{log:q}
        """


rule shard_problems:
    input:
        sources=expand(
            "<results>/problems/sources/{source}.parquet",
            source=EXPERIMENT.problems.sources,
        ),
        benchmarks=expand(
            "<results>/problems/sources/{source}.parquet",
            source=EXPERIMENT.evaluation.benchmarks,
        ),
    output:
        shards=expand("<results>/problems/shards/{shard}.parquet", shard=SHARDS),
        dropped="<results>/problems/dropped.parquet",
        noticed="<results>/problems/noticed.parquet",
    log:
        "<logs>/shard_problems.log",
    benchmark:
        "<benchmarks>/shard_problems.jsonl"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        cleaning=as_json(EXPERIMENT.problems.cleaning),
        identity=identity("shard_problems", cleaning=EXPERIMENT.problems.cleaning),
    message:
        "Cleaning problems and spreading them over shards"
    shell:
        r"""
        python scripts/shard_problems.py \
            --sources {input.sources:q} \
            --benchmarks {input.benchmarks:q} \
            --cleaning {params.cleaning:q} \
            --shards {output.shards:q} \
            --dropped {output.dropped:q} \
            --noticed {output.noticed:q} \
            &>{log:q}
        """
