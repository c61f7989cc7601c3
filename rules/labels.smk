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
        rounding="--rounding" if PLAN["labels"]["rounding"] else "",
        identity=identity("group_answers", rounding=PLAN["labels"]["rounding"]),
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
            {params.rounding} \
            &>{log:q}
        """


rule vote_and_judge:
    input:
        answers=expand(
            "<results>/answers/{effort}/{{shard}}.parquet",
            effort=PLAN["teacher"]["efforts"],
        ),
        groups=SETTLED_GROUPS,
        problems="<results>/problems/shards/{shard}.parquet",
    output:
        votes="<results>/votes/{shard}.parquet",
        judged=expand(
            "<results>/judged/{effort}/{{shard}}.parquet",
            effort=PLAN["teacher"]["efforts"],
        ),
    log:
        "<logs>/vote_and_judge/{shard}.log",
    benchmark:
        "<benchmarks>/vote_and_judge/{shard}.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        scripts=SCRIPTS,
        voting=lambda wildcards, input: [
            table
            for effort, table in zip(PLAN["teacher"]["efforts"], input.answers)
            if effort in PLAN["labels"]["efforts"]
        ],
        min_share=PLAN["labels"]["min_share"],
        min_votes=PLAN["labels"]["min_votes"],
        weights=canonical_json(PLAN["labels"]["weights"]),
        identity=identity(
            "vote",
            "judge_answers",
            efforts=PLAN["labels"]["efforts"],
            min_share=PLAN["labels"]["min_share"],
            min_votes=PLAN["labels"]["min_votes"],
            weights=PLAN["labels"]["weights"],
        ),
    message:
        "Counting votes and judging answers, shard {wildcards.shard}"
    shell:
        r"""
        python {params.scripts:q}/vote.py \
            --answers {params.voting:q} \
            --groups {input.groups:q} \
            --problems {input.problems:q} \
            --min-share {params.min_share} \
            --min-votes {params.min_votes} \
            --weights {params.weights:q} \
            --output {output.votes:q} \
            &>{log:q}
        python {params.scripts:q}/judge_answers.py \
            --answers {input.answers:q} \
            --groups {input.groups:q} \
            --votes {output.votes:q} \
            --problems {input.problems:q} \
            --output {output.judged:q} \
            &>>{log:q}
        """
