# Tables of the data: what is left after each step, lengths and votes, other thresholds, rules beside a model.
# Requires: problems, votes, judged and curriculum/funnel of every shard; groups/adjudicated where a model judges too.
# Gives: tables/funnel.csv; lengths.csv, vote_shares.csv; vote_sweep.csv; agreement.csv, disagreements.csv.


rule tabulate_funnel:
    input:
        shards=of_shards("<results>/problems/shards/{shard}.parquet"),
        dropped="<results>/problems/dropped.parquet",
        votes=of_shards("<results>/votes/{shard}.parquet"),
        judged=of_shards(
            "<results>/judged/{effort}/{shard}.parquet", effort=PLAN["teacher"]["efforts"]
        ),
        strata=of_shards(
            "<results>/curriculum/funnel/{stratum}/{shard}.parquet", stratum=PLAN["strata"]
        ),
        published=f"{PUBLISHED}/reasonlite_funnel.csv",
    output:
        csv="<results>/tables/funnel.csv",
    log:
        "<logs>/tabulate_funnel.log",
    benchmark:
        "<benchmarks>/tabulate_funnel.jsonl"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        scripts=SCRIPTS,
        shards=files_in("shards"),
        votes=files_in("votes"),
        judged=files_in("judged"),
        strata=files_in("strata"),
        identity=identity("tabulate_funnel"),
    message:
        "Counting what is left after each step"
    shell:
        r"""
        python {params.scripts:q}/tabulate_funnel.py \
            --shards {params.shards:q} \
            --dropped {input.dropped:q} \
            --votes {params.votes:q} \
            --judged {params.judged:q} \
            --strata {params.strata:q} \
            --published {input.published:q} \
            --csv {output.csv:q} \
            &>{log:q}
        """


rule tabulate_distributions:
    input:
        judged=of_shards(
            "<results>/judged/{effort}/{shard}.parquet", effort=PLAN["teacher"]["efforts"]
        ),
        evaluated=JUDGED_BENCHMARKS,
        votes=of_shards("<results>/votes/{shard}.parquet"),
    output:
        lengths="<results>/tables/lengths.csv",
        shares="<results>/tables/vote_shares.csv",
    log:
        "<logs>/tabulate_distributions.log",
    benchmark:
        "<benchmarks>/tabulate_distributions.jsonl"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        scripts=SCRIPTS,
        judged=files_in("judged"),
        evaluated=files_in("evaluated"),
        votes=files_in("votes"),
        identity=identity("tabulate_distributions"),
    message:
        "Counting lengths and vote shares"
    shell:
        r"""
        python {params.scripts:q}/tabulate_distributions.py \
            --judged {params.judged:q} {params.evaluated:q} \
            --votes {params.votes:q} \
            --lengths {output.lengths:q} \
            --shares {output.shares:q} \
            &>{log:q}
        """


rule tabulate_sweep:
    input:
        votes=of_shards("<results>/votes/{shard}.parquet"),
    output:
        csv="<results>/tables/vote_sweep.csv",
    log:
        "<logs>/tabulate_sweep.log",
    benchmark:
        "<benchmarks>/tabulate_sweep.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        scripts=SCRIPTS,
        votes=files_in("votes"),
        min_share=PLAN["labels"]["min_share"],
        min_votes=PLAN["labels"]["min_votes"],
        identity=identity(
            "tabulate_labels",
            min_share=PLAN["labels"]["min_share"],
            min_votes=PLAN["labels"]["min_votes"],
        ),
    message:
        "Trying other thresholds of the vote"
    shell:
        r"""
        python {params.scripts:q}/tabulate_labels.py sweep \
            --votes {params.votes:q} \
            --min-share {params.min_share} \
            --min-votes {params.min_votes} \
            --csv {output.csv:q} \
            &>{log:q}
        """


rule tabulate_agreement:
    input:
        adjudicated=of_shards("<results>/groups/adjudicated/{shard}.parquet"),
    output:
        csv="<results>/tables/agreement.csv",
        disagreements="<results>/tables/disagreements.csv",
    log:
        "<logs>/tabulate_agreement.log",
    benchmark:
        "<benchmarks>/tabulate_agreement.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        scripts=SCRIPTS,
        adjudicated=files_in("adjudicated"),
        identity=identity("tabulate_labels"),
    message:
        "Comparing the rules' verdicts with the model's"
    shell:
        r"""
        python {params.scripts:q}/tabulate_labels.py agreement \
            --adjudicated {params.adjudicated:q} \
            --csv {output.csv:q} \
            --disagreements {output.disagreements:q} \
            &>{log:q}
        """
