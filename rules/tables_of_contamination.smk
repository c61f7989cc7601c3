# How much of each benchmark the training sources held, and every score on the rest.
# Requires: problems/dropped.parquet, noticed.parquet; problems/sources/{benchmark}.parquet; judged.parquet of each model.
# Gives: tables/contamination.csv, .md; contamination_pairs.csv.


rule tabulate_contamination:
    input:
        dropped="<results>/problems/dropped.parquet",
        noticed="<results>/problems/noticed.parquet",
        problems=expand(
            "<results>/problems/sources/{benchmark}.parquet",
            benchmark=PLAN["benchmarks"]["all"],
        ),
        judged=JUDGED_BENCHMARKS,
    output:
        csv="<results>/tables/contamination.csv",
        readable=report(
            "<results>/tables/contamination.md",
            caption="captions/contamination.rst",
            category="Results",
            labels={"table": "contamination"},
        ),
        pairs="<results>/tables/contamination_pairs.csv",
    log:
        "<logs>/tabulate_contamination.log",
    benchmark:
        "<benchmarks>/tabulate_contamination.jsonl"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        scripts=SCRIPTS,
        problems=files_in("problems"),
        judged=files_in("judged"),
        evaluation=of_plan("evaluation"),
        seed=PLAN["seed"],
        identity=lambda wildcards: identity(
            "tabulate_contamination", evaluation=PLAN["evaluation"], seed=PLAN["seed"]
        ),
    message:
        "Counting benchmark problems that training sources held"
    shell:
        r"""
        python {params.scripts:q}/tabulate_contamination.py \
            --dropped {input.dropped:q} \
            --noticed {input.noticed:q} \
            --problems {params.problems:q} \
            --judged {params.judged:q} \
            --evaluation {params.evaluation:q} \
            --seed {params.seed} \
            --csv {output.csv:q} \
            --readable {output.readable:q} \
            --pairs {output.pairs:q} \
            &>{log:q}
        """
