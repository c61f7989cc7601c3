# Benchmarks whose answers are programs: their tests are run in a sandbox.
# Requires: evaluation/{model}/{benchmark}/answers.parquet, problems/sources/{benchmark}.parquet.
# Gives: evaluation/{model}/{benchmark}/judged.parquet, executions.parquet.


rule evaluate_code:
    input:
        answers="<results>/evaluation/{model}/{benchmark}/answers.parquet",
        problems="<results>/problems/sources/{benchmark}.parquet",
    output:
        table="<results>/evaluation/{model}/{benchmark}/judged.parquet",
        executions="<results>/evaluation/{model}/{benchmark}/executions.parquet",
    log:
        "<logs>/evaluate_code/{model}/{benchmark}.log",
    benchmark:
        "<benchmarks>/evaluate_code/{model}/{benchmark}.jsonl"
    wildcard_constraints:
        benchmark=one_of(PLAN["benchmarks"]["code"]),
    threads: 2
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        scripts=SCRIPTS,
        identity=identity("judge_code"),
    message:
        "Running the programs of {wildcards.model} for {wildcards.benchmark}"
    shell:
        r"""
        python {params.scripts:q}/judge_code.py \
            --answers {input.answers:q} \
            --problems {input.problems:q} \
            --output {output.table:q} \
            --executions {output.executions:q} \
            &>{log:q}
        """
