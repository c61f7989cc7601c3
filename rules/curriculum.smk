# Training examples by stratum.
# Requires: judged/{effort}/{shard}.parquet, answers/{effort}/{shard}.parquet, problems/shards/{shard}.parquet,
# models/{student}/ (its tokenizer).
# Gives: curriculum/{stratum}/{shard}.parquet, curriculum/funnel/{stratum}/{shard}.parquet.


rule curate:
    input:
        judged=lambda wildcards: expand(
            "<results>/judged/{effort}/{{shard}}.parquet",
            effort=EXPERIMENT.strata[wildcards.stratum].efforts,
        ),
        answers=lambda wildcards: expand(
            "<results>/answers/{effort}/{{shard}}.parquet",
            effort=EXPERIMENT.strata[wildcards.stratum].efforts,
        ),
        problems="<results>/problems/shards/{shard}.parquet",
        student=lambda wildcards: student_inputs(wildcards.stratum),
    output:
        table="<results>/curriculum/{stratum}/{shard}.parquet",
        funnel="<results>/curriculum/funnel/{stratum}/{shard}.parquet",
    log:
        "<logs>/curate/{stratum}/{shard}.log",
    benchmark:
        "<benchmarks>/curate/{stratum}/{shard}.jsonl"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        choice=lambda wildcards: as_json(EXPERIMENT.strata[wildcards.stratum]),
        student=lambda wildcards, input: f"--student {input.student[0]}" if input.student else "",
        seed=EXPERIMENT.seed,
        identity=lambda wildcards: identity(
            "curate",
            stratum=EXPERIMENT.strata[wildcards.stratum],
            seed=EXPERIMENT.seed,
        ),
    message:
        "Choosing examples for {wildcards.stratum}, shard {wildcards.shard}"
    shell:
        r"""
        python scripts/curate.py \
            --judged {input.judged:q} \
            --answers {input.answers:q} \
            --problems {input.problems:q} \
            --stratum {wildcards.stratum:q} \
            --shard {wildcards.shard} \
            --choice {params.choice:q} \
            {params.student} \
            --seed {params.seed} \
            --output {output.table:q} \
            --funnel {output.funnel:q} \
            &>{log:q}
        """
