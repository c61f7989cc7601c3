# A model's verdicts on pairs of answers, with labels.judge llm or rules_then_llm.
# Requires: groups/{shard}.parquet, groups/pairs/{shard}.parquet, problems/shards/{shard}.parquet,
# models/{model}/ (not with a server).
# Gives: groups/adjudicated/{shard}.parquet, groups/settled/{shard}.parquet; keeps journals/adjudicate/{shard}/.

ADJUDICATOR = PLAN["adjudicator"]


rule adjudicate:
    input:
        groups="<results>/groups/{shard}.parquet",
        pairs="<results>/groups/pairs/{shard}.parquet",
        problems="<results>/problems/shards/{shard}.parquet",
        model=(
            model_inputs(ADJUDICATOR["model"]) if ADJUDICATOR["engine"]["kind"] == "vllm" else []
        ),
    output:
        table="<results>/groups/adjudicated/{shard}.parquet",
    log:
        "<logs>/adjudicate/{shard}.log",
    benchmark:
        "<benchmarks>/adjudicate/{shard}.jsonl"
    threads: ENGINE_THREADS
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        scripts=SCRIPTS,
        mode=PLAN["labels"]["judge"],
        model=lambda wildcards, input: option("--model", input.model and input.model[0]),
        engine=lambda wildcards: canonical_json(ADJUDICATOR["engine"]),
        settings=lambda wildcards: canonical_json(ADJUDICATOR),
        seed=PLAN["seed"],
        lock=LOCK_OPTION,
        commit=PLAN["teacher"]["commit"],
        journal=f"{RESULTS}/journals/adjudicate/{{shard}}",
        identity=lambda wildcards: identity(
            "adjudicate",
            mode=PLAN["labels"]["judge"],
            settings=ADJUDICATOR,
            seed=PLAN["seed"],
        ),
    message:
        "Asking {params.mode} about pairs of answers, shard {wildcards.shard}"
    shell:
        r"""
        python {params.scripts:q}/adjudicate.py \
            --groups {input.groups:q} \
            --pairs {input.pairs:q} \
            --problems {input.problems:q} \
            --mode {params.mode} \
            {params.model} \
            --engine {params.engine:q} \
            --settings {params.settings:q} \
            --seed {params.seed} \
            {params.lock} \
            --commit {params.commit} \
            --journal {params.journal:q} \
            --output {output.table:q} \
            &>{log:q}
        """


rule settle_groups:
    input:
        groups="<results>/groups/{shard}.parquet",
        adjudicated="<results>/groups/adjudicated/{shard}.parquet",
    output:
        groups="<results>/groups/settled/{shard}.parquet",
    log:
        "<logs>/settle_groups/{shard}.log",
    benchmark:
        "<benchmarks>/settle_groups/{shard}.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        scripts=SCRIPTS,
        mode=PLAN["labels"]["judge"],
        identity=identity("settle_groups", mode=PLAN["labels"]["judge"]),
    message:
        "Taking the model's verdicts into the classes, shard {wildcards.shard}"
    shell:
        r"""
        python {params.scripts:q}/settle_groups.py \
            --groups {input.groups:q} \
            --adjudicated {input.adjudicated:q} \
            --mode {params.mode} \
            --output {output.groups:q} \
            &>{log:q}
        """
