# Training stages, each from a model or an earlier stage.
# Requires: models/{model}/ or checkpoints/{stage}/ and its .sha256; tokens/{model}/{stratum}/{shard}.arrow for sft,
# problems/shards/{shard}.parquet for distill and grpo.
# Gives: checkpoints/{stage}/, checkpoints/{stage}.sha256, training/{stage}.parquet, training/examples/{stage}.parquet,
# training/rollouts/{stage}.parquet;
# keeps training/work/{stage}/: checkpoints in progress, then links of what was finished, for when the same is asked for.


rule train:
    input:
        start=lambda wildcards: model_inputs(stage_of(wildcards)["start"]),
        teacher=lambda wildcards: [
            part
            for name in PLAN["stages"][wildcards.stage]["teachers"]
            for part in model_inputs(name)
        ],
        data=lambda wildcards: expand(
            "<results>/{folder}/{shard}.{suffix}",
            folder=PLAN["stages"][wildcards.stage]["data"],
            shard=SHARDS,
            suffix=PLAN["stages"][wildcards.stage]["suffix"],
        ),
    output:
        folder=directory("<results>/checkpoints/{stage}"),
        checksums="<results>/checkpoints/{stage}.sha256",
        log_table="<results>/training/{stage}.parquet",
        learned_table="<results>/training/examples/{stage}.parquet",
        rollouts_table="<results>/training/rollouts/{stage}.parquet",
    log:
        "<logs>/train/{stage}.log",
    benchmark:
        "<benchmarks>/train/{stage}.jsonl"
    priority: 2  # the next stage waits for it, and a stage's evaluation can go beside another one's
    threads: 8
    resources:
        mem_mb=12000,
        runtime=1440,
        nodes=1,
        report_to="none",  # trackers, such as trackio: where a training is shown reruns nothing
        teacher_server="none",  # where a served teacher runs
        accelerate_config=str(HOME / "envs" / "accelerate" / "cpu.yaml"),
    params:
        scripts=SCRIPTS,
        data=files_in("data"),
        method=lambda wildcards: stage_of(wildcards)["method"],
        stage=lambda wildcards: canonical_json(stage_of(wildcards)),
        teacher=lambda wildcards, input: option("--teacher", input.teacher and input.teacher[0]),
        seed=lambda wildcards: PLAN["stages"][wildcards.stage]["seed"],
        lock=LOCK_OPTION,
        work=f"{RESULTS}/training/work/{{stage}}",
        trackers=f"{RESULTS}/trackers",
        speed_table=f"{RESULTS}/benchmarks/training/{{stage}}.parquet",
        identity=lambda wildcards: identity(
            f"train_{stage_of(wildcards)['method']}",
            "launch",
            stage=stage_of(wildcards),
            seed=PLAN["stages"][wildcards.stage]["seed"],
        ),
    message:
        "Training the stage {wildcards.stage}"
    shell:
        r"""
        python {params.scripts:q}/launch.py \
            --config-file {resources.accelerate_config:q} \
            --nodes {resources.nodes} \
            --threads {threads} \
            -- \
            {params.scripts:q}/train_{params.method}.py \
            --stage {params.stage:q} \
            --start {input.start[0]:q} \
            {params.teacher} \
            --data {params.data:q} \
            --seed {params.seed} \
            {params.lock} \
            --report-to {resources.report_to:q} \
            --teacher-server {resources.teacher_server:q} \
            --trackers {params.trackers:q} \
            --work {params.work:q} \
            --output {output.folder:q} \
            --log-table {output.log_table:q} \
            --speed-table {params.speed_table:q} \
            --learned-table {output.learned_table:q} \
            --rollouts-table {output.rollouts_table:q} \
            &>{log:q}
        """


if RL_STAGES:

    rule tabulate_rollouts:
        input:
            rollouts=[f"<results>/training/rollouts/{stage}.parquet" for stage in RL_STAGES],
        output:
            csv=report(
                "<results>/tables/rollouts.csv",
                caption="captions/rollouts.rst",
                category="Training",
                labels={"table": "rollouts"},
            ),
        log:
            "<logs>/tabulate_rollouts.log",
        benchmark:
            "<benchmarks>/tabulate_rollouts.jsonl"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=30,
        params:
            scripts=SCRIPTS,
            rollouts=files_in("rollouts"),
            identity=identity("tabulate_rollouts"),
        message:
            "Counting what reinforcement learning met"
        shell:
            r"""
            python {params.scripts:q}/tabulate_rollouts.py \
                --rollouts {params.rollouts:q} \
                --csv {output.csv:q} \
                &>{log:q}
            """
