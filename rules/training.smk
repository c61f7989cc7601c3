# Training stages, each from a model or an earlier stage.
# Requires: models/{model}/ or checkpoints/{stage}/, curriculum/{stratum}/{shard}.parquet.
# Gives: checkpoints/{stage}/, training/{stage}.parquet; keeps training/work/{stage}/ until it succeeds.


rule train:
    input:
        start=lambda wildcards: model_folder(experiment.stage_of(EXPERIMENT, wildcards.stage).start),
        data=lambda wildcards: expand(
            "<results>/curriculum/{stratum}/{shard}.parquet",
            stratum=experiment.stage_of(EXPERIMENT, wildcards.stage).data,
            shard=SHARDS,
        ),
    output:
        folder=directory("<results>/checkpoints/{stage}"),
        log_table="<results>/training/{stage}.parquet",
    log:
        "<logs>/train/{stage}.log",
    benchmark:
        "<benchmarks>/train/{stage}.jsonl"
    threads: 8
    resources:
        mem_mb=12000,
        runtime=1440,
        nodes=1,
        accelerate_config="envs/accelerate/cpu.yaml",
    params:
        arguments=lambda wildcards: canonical_json(
            experiment.stage_of(EXPERIMENT, wildcards.stage).arguments
        ),
        seed=EXPERIMENT.seed,
        work=f"{RESULTS}/training/work/{{stage}}",
        identity=lambda wildcards: identity(
            "train",
            stage=experiment.stage_of(EXPERIMENT, wildcards.stage),
            seed=EXPERIMENT.seed,
        ),
    message:
        "Training the stage {wildcards.stage}"
    shell:
        r"""
        python scripts/launch.py \
            --config-file {resources.accelerate_config:q} \
            --nodes {resources.nodes} \
            --threads {threads} \
            -- \
            scripts/train.py \
            --stage {wildcards.stage:q} \
            --start {input.start:q} \
            --data {input.data:q} \
            --arguments {params.arguments:q} \
            --seed {params.seed} \
            --work {params.work:q} \
            --output {output.folder:q} \
            --log-table {output.log_table:q} \
            &>{log:q}
        """
