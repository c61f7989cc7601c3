# Verdicts on benchmark answers.
# Requires: problems/sources/{benchmark}.parquet, evaluation/{model}/{benchmark}/answers.parquet.
# Gives: evaluation/{model}/{benchmark}/groups.parquet, pairs.parquet, judged.parquet.
# A benchmark with tests has its programs run instead: evaluation_code.smk.


rule evaluate_groups:
    input:
        answers="<results>/evaluation/{model}/{benchmark}/answers.parquet",
        problems="<results>/problems/sources/{benchmark}.parquet",
    output:
        groups="<results>/evaluation/{model}/{benchmark}/groups.parquet",
        pairs="<results>/evaluation/{model}/{benchmark}/pairs.parquet",
        timings="<benchmarks>/pairs/{model}/{benchmark}.parquet",
    log:
        "<logs>/evaluate_groups/{model}/{benchmark}.log",
    benchmark:
        "<benchmarks>/evaluate_groups/{model}/{benchmark}.jsonl"
    wildcard_constraints:
        benchmark=one_of(PLAN["benchmarks"]["answers"]),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        scripts=SCRIPTS,
        rounding="--rounding" if PLAN["evaluation"]["rounding"] else "",
        identity=identity("group_answers", rounding=PLAN["evaluation"]["rounding"]),
    message:
        "Sorting answers of {wildcards.model} to {wildcards.benchmark} into classes"
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


rule evaluate_judge:
    input:
        answers="<results>/evaluation/{model}/{benchmark}/answers.parquet",
        groups="<results>/evaluation/{model}/{benchmark}/groups.parquet",
        problems="<results>/problems/sources/{benchmark}.parquet",
    output:
        table="<results>/evaluation/{model}/{benchmark}/judged.parquet",
    log:
        "<logs>/evaluate_judge/{model}/{benchmark}.log",
    benchmark:
        "<benchmarks>/evaluate_judge/{model}/{benchmark}.jsonl"
    wildcard_constraints:
        benchmark=one_of(PLAN["benchmarks"]["answers"]),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        scripts=SCRIPTS,
        identity=identity("judge_answers"),
    message:
        "Judging answers of {wildcards.model} to {wildcards.benchmark}"
    shell:
        r"""
        python {params.scripts:q}/judge_answers.py \
            --answers {input.answers:q} \
            --groups {input.groups:q} \
            --problems {input.problems:q} \
            --output {output.table:q} \
            &>{log:q}
        """
