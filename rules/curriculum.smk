# Training examples by stratum, as texts and as the tokens of each model that learns from them.
# Requires: judged/{effort}/{shard}.parquet, answers/{effort}/{shard}.parquet, problems/shards/{shard}.parquet,
# models/{model}/ (its tokenizer).
# Gives: curriculum/{stratum}/{shard}.parquet, curriculum/funnel/{stratum}/{shard}.parquet,
# tokens/{model}/{stratum}/{shard}.arrow.


rule curate:
    input:
        judged=lambda wildcards: expand(
            "<results>/judged/{effort}/{{shard}}.parquet",
            effort=PLAN["strata"][wildcards.stratum]["efforts"],
        ),
        answers=lambda wildcards: expand(
            "<results>/answers/{effort}/{{shard}}.parquet",
            effort=PLAN["strata"][wildcards.stratum]["efforts"],
        ),
        problems="<results>/problems/shards/{shard}.parquet",
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
        choice=lambda wildcards: canonical_json(PLAN["strata"][wildcards.stratum]),
        seed=PLAN["seed"],
        identity=lambda wildcards: identity(
            "curate",
            stratum=PLAN["strata"][wildcards.stratum],
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
            --seed {params.seed} \
            --output {output.table:q} \
            --funnel {output.funnel:q} \
            &>{log:q}
        """


rule tokenize_examples:
    input:
        table="<results>/curriculum/{stratum}/{shard}.parquet",
        model=lambda wildcards: model_inputs(wildcards.model),
    output:
        tokens="<results>/tokens/{model}/{stratum}/{shard}.arrow",
    log:
        "<logs>/tokenize_examples/{model}/{stratum}/{shard}.log",
    benchmark:
        "<benchmarks>/tokenize_examples/{model}/{stratum}/{shard}.jsonl"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        scripts=SCRIPTS,
        identity=identity("tokenize_examples"),
    message:
        "Turning examples for {wildcards.stratum} into tokens of {wildcards.model}, shard {wildcards.shard}"
    shell:
        r"""
        python {params.scripts:q}/tokenize_examples.py \
            --table {input.table:q} \
            --model {input.model[0]:q} \
            --output {output.tokens:q} \
            &>{log:q}
        """
