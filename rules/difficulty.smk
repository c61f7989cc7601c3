# How hard problems are for the teacher, or for a model or stage that is asked for it: by this stages choose problems.
# Requires: problems/shards/{shard}.parquet, votes/{shard}.parquet, judged/{effort}/{shard}.parquet or a probe's model.
# Gives: difficulty/{asked}/{shard}.parquet; probes/{probe}/answers/, groups/, pairs/, judged/{shard}.parquet.


wildcard_constraints:
    asked=one_of(PLAN["rated"]),
    probe=one_of(PLAN["probes"]),


rule draw_probe:
    input:
        problems="<results>/problems/shards/{shard}.parquet",
        model=lambda wildcards: model_inputs(PLAN["probes"][wildcards.probe]["model"]),
    output:
        table="<results>/probes/{probe}/answers/{shard}.parquet",
    log:
        "<logs>/draw_probe/{probe}/{shard}.log",
    benchmark:
        "<benchmarks>/draw_probe/{probe}/{shard}.jsonl"
    threads: ENGINE_THREADS
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        scripts=SCRIPTS,
        engine=lambda wildcards: canonical_json(PLAN["probes"][wildcards.probe]["engine"]),
        settings=lambda wildcards: canonical_json(PLAN["probes"][wildcards.probe]["settings"]),
        seed=PLAN["seed"],
        lock=LOCK_OPTION,
        journal=f"{RESULTS}/journals/probes/{{probe}}/{{shard}}",
        identity=lambda wildcards: identity(
            "generate_answers",
            engine=PLAN["probes"][wildcards.probe]["engine"],
            settings=PLAN["probes"][wildcards.probe]["settings"],
            seed=PLAN["seed"],
        ),
    message:
        "Drawing answers of the probe {wildcards.probe}, shard {wildcards.shard}"
    shell:
        r"""
        python {params.scripts:q}/generate_answers.py \
            --problems {input.problems:q} \
            --model {input.model[0]:q} \
            --engine {params.engine:q} \
            --effort {wildcards.probe:q} \
            --settings {params.settings:q} \
            --seed {params.seed} \
            {params.lock} \
            --journal {params.journal:q} \
            --output {output.table:q} \
            &>{log:q}
        """


rule judge_probe:
    input:
        answers="<results>/probes/{probe}/answers/{shard}.parquet",
        problems="<results>/problems/shards/{shard}.parquet",
        votes="<results>/votes/{shard}.parquet",
    output:
        groups="<results>/probes/{probe}/groups/{shard}.parquet",
        pairs="<results>/probes/{probe}/pairs/{shard}.parquet",
        judged="<results>/probes/{probe}/judged/{shard}.parquet",
    log:
        "<logs>/judge_probe/{probe}/{shard}.log",
    benchmark:
        "<benchmarks>/judge_probe/{probe}/{shard}.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        scripts=SCRIPTS,
        rounding="--rounding" if PLAN["labels"]["rounding"] else "",
        identity=identity("judge_probe", rounding=PLAN["labels"]["rounding"]),
    message:
        "Judging answers of the probe {wildcards.probe}, shard {wildcards.shard}"
    shell:
        r"""
        python {params.scripts:q}/judge_probe.py \
            --answers {input.answers:q} \
            --problems {input.problems:q} \
            --votes {input.votes:q} \
            --groups {output.groups:q} \
            --pairs {output.pairs:q} \
            --output {output.judged:q} \
            {params.rounding} \
            &>{log:q}
        """


rule rate_problems:
    input:
        judged=lambda wildcards: (
            expand(
                "<results>/judged/{effort}/{{shard}}.parquet",
                effort=PLAN["teacher"]["efforts"],
            )
            if wildcards.asked == "teacher"
            else "<results>/probes/{asked}/judged/{shard}.parquet"
        ),
        votes="<results>/votes/{shard}.parquet",
        problems="<results>/problems/shards/{shard}.parquet",
    output:
        table="<results>/difficulty/{asked}/{shard}.parquet",
    log:
        "<logs>/rate_problems/{asked}/{shard}.log",
    benchmark:
        "<benchmarks>/rate_problems/{asked}/{shard}.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        scripts=SCRIPTS,
        identity=identity("rate_problems"),
    message:
        "Saying how hard problems are for {wildcards.asked}, shard {wildcards.shard}"
    shell:
        r"""
        python {params.scripts:q}/rate_problems.py \
            --judged {input.judged:q} \
            --votes {input.votes:q} \
            --problems {input.problems:q} \
            --output {output.table:q} \
            &>{log:q}
        """
