# Problems cleaned and spread over shards.
# Requires: problems/sources/{source}.parquet of every source and benchmark.
# Gives: problems/shards/{shard}.parquet, problems/dropped.parquet, problems/noticed.parquet.


rule shard_problems:
    input:
        sources=expand(
            "<results>/problems/sources/{source}.parquet",
            source=PLAN["training_sources"],
        ),
        benchmarks=expand(
            "<results>/problems/sources/{source}.parquet",
            source=PLAN["benchmarks"]["all"],
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
        scripts=SCRIPTS,
        sources=files_in("sources"),
        benchmarks=files_in("benchmarks"),
        shards=files_out("shards"),
        cleaning=canonical_json(PLAN["cleaning"]),
        identity=identity("shard_problems", cleaning=PLAN["cleaning"]),
    message:
        "Cleaning problems and spreading them over shards"
    shell:
        r"""
        python {params.scripts:q}/shard_problems.py \
            --sources {params.sources:q} \
            --benchmarks {params.benchmarks:q} \
            --cleaning {params.cleaning:q} \
            --shards {params.shards:q} \
            --dropped {output.dropped:q} \
            --noticed {output.noticed:q} \
            &>{log:q}
        """
