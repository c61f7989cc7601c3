# The teacher's answers, one job an effort and shard.
# Requires: problems/shards/{shard}.parquet, models/{teacher}/ (not with a server).
# Gives: answers/{effort}/{shard}.parquet; keeps journals/{effort}/{shard}/.


rule generate_answers:
    input:
        problems="<results>/problems/shards/{shard}.parquet",
        model=(
            model_inputs(EXPERIMENT.teacher.model)
            if EXPERIMENT.teacher.engine.kind == "vllm"
            else []
        ),
        recorded=(
            f"{EXPERIMENT.teacher.engine.folder}/{{effort}}/{{shard}}.parquet"
            if EXPERIMENT.teacher.engine.kind == "recorded"
            else []
        ),
    output:
        table="<results>/answers/{effort}/{shard}.parquet",
    log:
        "<logs>/generate_answers/{effort}/{shard}.log",
    benchmark:
        "<benchmarks>/generate_answers/{effort}/{shard}.jsonl"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        model=lambda wildcards, input: f"--model {input.model[0]}" if input.model else "",
        recorded=lambda wildcards, input: f"--recorded {input.recorded}" if input.recorded else "",
        engine=as_json(EXPERIMENT.teacher.engine),
        settings=lambda wildcards: as_json(EXPERIMENT.teacher.efforts[wildcards.effort]),
        seed=EXPERIMENT.seed,
        lock=LOCK_OPTION,
        commit=EXPERIMENT.teacher.commit,
        journal=f"{RESULTS}/journals/{{effort}}/{{shard}}",
        identity=lambda wildcards: identity(
            "generate_answers",
            engine=EXPERIMENT.teacher.engine,
            settings=EXPERIMENT.teacher.efforts[wildcards.effort],
            seed=EXPERIMENT.seed,
        ),
    message:
        "Drawing answers at effort {wildcards.effort}, shard {wildcards.shard}"
    shell:
        r"""
        python scripts/generate_answers.py \
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
