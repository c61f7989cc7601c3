# Classes of equal answers, votes, and every answer's verdicts.
# Requires: problems/shards/{shard}.parquet, answers/{effort}/{shard}.parquet.
# Gives: groups/{shard}.parquet, groups/pairs/{shard}.parquet, votes/{shard}.parquet,
# judged/{effort}/{shard}.parquet.


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
    log:
        "<logs>/group_answers/{shard}.log",
    benchmark:
        "<benchmarks>/group_answers/{shard}.tsv"
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
            &>{log:q}
        """


rule vote:
    input:
        answers=expand(
            "<results>/answers/{effort}/{{shard}}.parquet",
            effort=experiment.voting_efforts(EXPERIMENT),
        ),
        groups="<results>/groups/{shard}.parquet",
        problems="<results>/problems/shards/{shard}.parquet",
    output:
        table="<results>/votes/{shard}.parquet",
    log:
        "<logs>/vote/{shard}.log",
    benchmark:
        "<benchmarks>/vote/{shard}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        min_share=EXPERIMENT.labels.min_share,
        min_votes=EXPERIMENT.labels.min_votes,
        identity=identity(
            "vote",
            min_share=EXPERIMENT.labels.min_share,
            min_votes=EXPERIMENT.labels.min_votes,
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
            --output {output.table:q} \
            &>{log:q}
        """


rule judge:
    input:
        answers="<results>/answers/{effort}/{shard}.parquet",
        groups="<results>/groups/{shard}.parquet",
        votes="<results>/votes/{shard}.parquet",
        problems="<results>/problems/shards/{shard}.parquet",
    output:
        table="<results>/judged/{effort}/{shard}.parquet",
    log:
        "<logs>/judge/{effort}/{shard}.log",
    benchmark:
        "<benchmarks>/judge/{effort}/{shard}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        identity=identity("judge"),
    message:
        "Judging answers at effort {wildcards.effort}, shard {wildcards.shard}"
    shell:
        r"""
        python scripts/judge.py \
            --answers {input.answers:q} \
            --groups {input.groups:q} \
            --votes {input.votes:q} \
            --problems {input.problems:q} \
            --output {output.table:q} \
            &>{log:q}
        """
