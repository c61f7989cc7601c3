# Training examples by stratum.
# Requires: judged/{effort}/{shard}.parquet, answers/{effort}/{shard}.parquet, problems/shards/{shard}.parquet,
# models/{student}/ (its tokenizer).
# Gives: curriculum/{stratum}/{shard}.parquet, curriculum/funnel/{stratum}/{shard}.parquet.


rule curate:
    input:
        judged=lambda wildcards: expand(
            "<results>/judged/{effort}/{{shard}}.parquet",
            effort=PLAN["strata"][wildcards.stratum]["choice"]["efforts"],
        ),
        answers=lambda wildcards: expand(
            "<results>/answers/{effort}/{{shard}}.parquet",
            effort=PLAN["strata"][wildcards.stratum]["choice"]["efforts"],
        ),
        problems="<results>/problems/shards/{shard}.parquet",
        student=student_inputs,
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
        scripts=SCRIPTS,
        choice=lambda wildcards: canonical_json(PLAN["strata"][wildcards.stratum]["choice"]),
        student=lambda wildcards, input: option("--student", input.student and input.student[0]),
        seed=PLAN["seed"],
        identity=lambda wildcards: identity(
            "curate",
            stratum=PLAN["strata"][wildcards.stratum]["choice"],
            seed=PLAN["seed"],
        ),
    message:
        "Choosing examples for {wildcards.stratum}, shard {wildcards.shard}"
    shell:
        r"""
        python {params.scripts:q}/curate.py \
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
