# The teacher's answers, one job an effort and shard.
# Requires: problems/shards/{shard}.parquet, models/{teacher}/ (not with a server).
# Gives: answers/{effort}/{shard}.parquet; keeps journals/{effort}/{shard}/.


wildcard_constraints:
    effort=one_of(PLAN["teacher"]["efforts"]),


rule generate_answers:
    input:
        problems="<results>/problems/shards/{shard}.parquet",
        model=lambda wildcards: (
            model_inputs(effort_of(wildcards)["model"])
            if effort_of(wildcards)["engine"]["kind"] == "vllm"
            else []
        ),
        recorded=lambda wildcards: (
            f"{effort_of(wildcards)['engine']['folder']}/{wildcards.effort}/{wildcards.shard}.parquet"
            if effort_of(wildcards)["engine"]["kind"] == "recorded"
            else []
        ),
    output:
        table="<results>/answers/{effort}/{shard}.parquet",
    log:
        "<logs>/generate_answers/{effort}/{shard}.log",
    benchmark:
        "<benchmarks>/generate_answers/{effort}/{shard}.jsonl"
    threads: ENGINE_THREADS
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        scripts=SCRIPTS,
        model=lambda wildcards, input: option("--model", input.model and input.model[0]),
        recorded=lambda wildcards, input: option("--recorded", input.recorded),
        engine=lambda wildcards: canonical_json(effort_of(wildcards)["engine"]),
        settings=lambda wildcards: canonical_json(effort_of(wildcards)["settings"]),
        seed=PLAN["seed"],
        lock=LOCK_OPTION,
        commit=PLAN["teacher"]["commit"],
        journal=f"{RESULTS}/journals/{{effort}}/{{shard}}",
        identity=lambda wildcards: identity(
            "generate_answers",
            engine=effort_of(wildcards)["engine"],
            settings=effort_of(wildcards)["settings"],
            seed=PLAN["seed"],
        ),
    message:
        "Drawing answers at effort {wildcards.effort}, shard {wildcards.shard}"
    shell:
        r"""
        python {params.scripts:q}/generate_answers.py \
            --problems {input.problems:q} \
            {params.model} \
            {params.recorded} \
            --engine {params.engine:q} \
            --effort {wildcards.effort:q} \
            --settings {params.settings:q} \
            --seed {params.seed} \
            {params.lock} \
            --commit {params.commit} \
            --journal {params.journal:q} \
            --output {output.table:q} \
            &>{log:q}
        """
