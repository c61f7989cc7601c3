# Classes of equal answers, votes, and every answer's verdicts.
# Requires: problems/shards/{shard}.parquet, answers/{effort}/{shard}.parquet.
# Gives: groups/{shard}.parquet, groups/pairs/{shard}.parquet, votes/{shard}.parquet,
# judged/{effort}/{shard}.parquet; with labels.judge llm or rules_then_llm also
# groups/adjudicated/{shard}.parquet and groups/settled/{shard}.parquet.

ADJUDICATOR = experiment.adjudicator(EXPERIMENT)
SETTLED_GROUPS = (
    "<results>/groups/{shard}.parquet"
    if EXPERIMENT.labels.judge == "rules"
    else "<results>/groups/settled/{shard}.parquet"
)


rule group_answers:
    input:
        answers=expand(
            "<results>/answers/{effort}/{{shard}}.parquet",
            effort=EXPERIMENT.teacher.efforts,
        ),
        problems="<results>/problems/shards/{shard}.parquet",
    output:
        groups="<results>/groups/{shard}.parquet",
        pairs="<results>/groups/pairs/{shard}.parquet",
        timings="<benchmarks>/pairs/{shard}.parquet",
    log:
        "<logs>/group_answers/{shard}.log",
    benchmark:
        "<benchmarks>/group_answers/{shard}.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        identity=identity("group_answers"),
    message:
        "Sorting answers into classes, shard {wildcards.shard}"
    shell:
        r"""
        python scripts/group_answers.py \
            --answers {input.answers:q} \
            --problems {input.problems:q} \
            --groups {output.groups:q} \
            --pairs {output.pairs:q} \
            --timings {output.timings:q} \
            &>{log:q}
        """


rule adjudicate:
    input:
        groups="<results>/groups/{shard}.parquet",
        pairs="<results>/groups/pairs/{shard}.parquet",
        problems="<results>/problems/shards/{shard}.parquet",
        model=(model_inputs(ADJUDICATOR.model) if ADJUDICATOR.engine.kind == "vllm" else []),
    output:
        table="<results>/groups/adjudicated/{shard}.parquet",
    log:
        "<logs>/adjudicate/{shard}.log",
    benchmark:
        "<benchmarks>/adjudicate/{shard}.jsonl"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        mode=EXPERIMENT.labels.judge,
        model=lambda wildcards, input: f"--model {input.model[0]}" if input.model else "",
        engine=as_json(ADJUDICATOR.engine),
        settings=as_json(ADJUDICATOR),
        seed=EXPERIMENT.seed,
        lock=LOCK_OPTION,
        commit=EXPERIMENT.teacher.commit,
        journal=f"{RESULTS}/journals/adjudicate/{{shard}}",
        identity=identity(
            "adjudicate",
            mode=EXPERIMENT.labels.judge,
            settings=ADJUDICATOR,
            seed=EXPERIMENT.seed,
        ),
    message:
        "Asking {params.mode} about pairs of answers, shard {wildcards.shard}"
    shell:
        r"""
        python scripts/adjudicate.py \
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
        mode=EXPERIMENT.labels.judge,
        identity=identity("settle_groups", mode=EXPERIMENT.labels.judge),
    message:
        "Taking the model's verdicts into the classes, shard {wildcards.shard}"
    shell:
        r"""
        python scripts/settle_groups.py \
            --groups {input.groups:q} \
            --adjudicated {input.adjudicated:q} \
            --mode {params.mode} \
            --output {output.groups:q} \
            &>{log:q}
        """


rule vote:
    input:
        answers=expand(
            "<results>/answers/{effort}/{{shard}}.parquet",
            effort=experiment.voting_efforts(EXPERIMENT),
        ),
        groups=SETTLED_GROUPS,
        problems="<results>/problems/shards/{shard}.parquet",
    output:
        table="<results>/votes/{shard}.parquet",
    log:
        "<logs>/vote/{shard}.log",
    benchmark:
        "<benchmarks>/vote/{shard}.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        min_share=EXPERIMENT.labels.min_share,
        min_votes=EXPERIMENT.labels.min_votes,
        weights=canonical_json(EXPERIMENT.labels.weights),
        identity=identity(
            "vote",
            min_share=EXPERIMENT.labels.min_share,
            min_votes=EXPERIMENT.labels.min_votes,
            weights=EXPERIMENT.labels.weights,
        ),
    message:
        "Counting votes, shard {wildcards.shard}"
    shell:
        r"""
        python scripts/vote.py \
            --answers {input.answers:q} \
            --groups {input.groups:q} \
            --problems {input.problems:q} \
            --min-share {params.min_share} \
            --min-votes {params.min_votes} \
            --weights {params.weights:q} \
            --output {output.table:q} \
            &>{log:q}
        """


rule judge_answers:
    input:
        answers="<results>/answers/{effort}/{shard}.parquet",
        groups=SETTLED_GROUPS,
        votes="<results>/votes/{shard}.parquet",
        problems="<results>/problems/shards/{shard}.parquet",
    output:
        table="<results>/judged/{effort}/{shard}.parquet",
    log:
        "<logs>/judge/{effort}/{shard}.log",
    benchmark:
        "<benchmarks>/judge/{effort}/{shard}.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        identity=identity("judge_answers"),
    message:
        "Judging answers at effort {wildcards.effort}, shard {wildcards.shard}"
    shell:
        r"""
        python scripts/judge_answers.py \
            --answers {input.answers:q} \
            --groups {input.groups:q} \
            --votes {input.votes:q} \
            --problems {input.problems:q} \
            --output {output.table:q} \
            &>{log:q}
        """
