# One small job for each kind of node that a run will use, and a verdict on what they saw: snakemake preflight.
# Requires: nothing; the teacher's model is tried where it is already. Gives: nothing that stays, for nodes change.


# whose engine is tried
FIRST_EFFORT = next(iter(PLAN["teacher"]["efforts"].values()))


rule preflight_cpu:
    output:
        facts=temp("<results>/preflight/cpu.json"),
    log:
        "<logs>/preflight/cpu.log",
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        scripts=SCRIPTS,
        results=lambda wildcards: RESULTS,
        identity=identity("preflight"),
    message:
        "Looking at a node without GPUs"
    shell:
        r"""
        python {params.scripts:q}/preflight.py node --kind cpu \
            --cpus {threads} \
            --results {params.results:q} \
            --output {output.facts:q} \
            &>{log:q}
        """


rule preflight_engine:
    output:
        facts=temp("<results>/preflight/engine.json"),
    log:
        "<logs>/preflight/engine.log",
    threads: ENGINE_THREADS
    resources:
        mem_mb=8000,
        runtime=30,
    params:
        scripts=SCRIPTS,
        results=lambda wildcards: RESULTS,
        gres=gres_option,
        engine=lambda wildcards: option(
            "--engine",
            FIRST_EFFORT["engine"]["kind"] == "vllm" and canonical_json(FIRST_EFFORT["engine"]),
        ),
        effort=lambda wildcards: canonical_json(FIRST_EFFORT["settings"]),
        model=option(
            "--model",
            FIRST_EFFORT["engine"]["kind"] == "vllm"
            and f"{RESULTS}/models/{FIRST_EFFORT['model']}",
        ),
        identity=identity("preflight"),
    message:
        "Looking at a node for engines"
    shell:
        r"""
        python {params.scripts:q}/preflight.py node --kind engine \
            {params.gres} \
            --cpus {threads} \
            {params.engine} \
            --effort {params.effort:q} \
            {params.model} \
            --results {params.results:q} \
            --output {output.facts:q} \
            &>{log:q}
        """


rule preflight_train:
    output:
        facts=temp("<results>/preflight/train.json"),
    log:
        "<logs>/preflight/train.log",
    threads: 8
    resources:
        mem_mb=8000,
        runtime=30,
        nodes=1,
        accelerate_config=str(HOME / "envs" / "accelerate" / "cpu.yaml"),
    params:
        scripts=SCRIPTS,
        gres=gres_option,
        results=lambda wildcards: RESULTS,
        identity=identity("preflight"),
    message:
        "Looking at nodes for training"
    shell:
        r"""
        python {params.scripts:q}/preflight.py node --kind train \
            {params.gres} \
            --cpus {threads} \
            --nodes {resources.nodes} \
            --config-file {resources.accelerate_config:q} \
            --results {params.results:q} \
            --output {output.facts:q} \
            &>{log:q}
        """


rule preflight:
    input:
        rules.preflight_cpu.output,
        rules.preflight_engine.output,
        rules.preflight_train.output,
    log:
        "<logs>/preflight.log",
    localrule: True
    params:
        scripts=SCRIPTS,
        identity=identity("preflight"),
    message:
        "What the nodes are like"
    shell:
        r"""
        python {params.scripts:q}/preflight.py report {input:q} 2>&1 | tee {log:q}
        rm -f {input:q} # on a cluster Snakemake leaves temporary files that only a target without output reads
        """
