# Classes of equal answers, votes, and every answer's verdicts.
# Requires: problems/shards/{shard}.parquet, answers/{effort}/{shard}.parquet.
# Gives: groups/{shard}.parquet, groups/pairs/{shard}.parquet, votes/{shard}.parquet,
# judged/{effort}/{shard}.parquet.

# where a model is asked too, the classes that count are those after it (adjudication.smk)
SETTLED_GROUPS = (
    "<results>/groups/{shard}.parquet"
    if PLAN["labels"]["judge"] == "rules"
    else "<results>/groups/settled/{shard}.parquet"
)


rule group_answers:
    input:
        answers=expand(
            "<results>/answers/{effort}/{{shard}}.parquet",
            effort=PLAN["teacher"]["efforts"],
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
        scripts=SCRIPTS,
        identity=identity("group_answers"),
    message:
        "Sorting answers into classes, shard {wildcards.shard}"
    shell:
        r"""
        python {params.scripts:q}/group_answers.py \
            --answers {input.answers:q} \
            --problems {input.problems:q} \
            --groups {output.groups:q} \
            --pairs {output.pairs:q} \
            --timings {output.timings:q} \
            &>{log:q}
        """


rule vote:
    input:
        answers=expand(
            "<results>/answers/{effort}/{{shard}}.parquet",
            effort=PLAN["labels"]["efforts"],
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
        scripts=SCRIPTS,
        min_share=PLAN["labels"]["min_share"],
        min_votes=PLAN["labels"]["min_votes"],
        weights=canonical_json(PLAN["labels"]["weights"]),
        identity=identity(
            "vote",
            min_share=PLAN["labels"]["min_share"],
            min_votes=PLAN["labels"]["min_votes"],
            weights=PLAN["labels"]["weights"],
        ),
    message:
        "Counting votes, shard {wildcards.shard}"
    shell:
        r"""
        python {params.scripts:q}/vote.py \
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
        scripts=SCRIPTS,
        identity=identity("judge_answers"),
    message:
        "Judging answers at effort {wildcards.effort}, shard {wildcards.shard}"
    shell:
        r"""
        python {params.scripts:q}/judge_answers.py \
            --answers {input.answers:q} \
            --groups {input.groups:q} \
            --votes {input.votes:q} \
            --problems {input.problems:q} \
            --output {output.table:q} \
            &>{log:q}
        """
