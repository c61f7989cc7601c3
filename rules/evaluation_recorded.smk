# Benchmark answers that another program drew, with that program's own verdicts.
# Requires: problems/sources/{benchmark}.parquet; the logs that the config names.
# Gives: evaluation/{model}/{benchmark}/answers.parquet, log.parquet, log.json.


rule take_answers:
    input:
        problems="<results>/problems/sources/{benchmark}.parquet",
        logs=lambda wildcards: recorded(wildcards)["files"],
    output:
        table="<results>/evaluation/{model}/{benchmark}/answers.parquet",
        rows="<results>/evaluation/{model}/{benchmark}/log.parquet",
        facts="<results>/evaluation/{model}/{benchmark}/log.json",
    log:
        "<logs>/take_answers/{model}/{benchmark}.log",
    benchmark:
        "<benchmarks>/take_answers/{model}/{benchmark}.jsonl"
    wildcard_constraints:
        model=one_of(PLAN["recorded"]),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        scripts=SCRIPTS,
        recorded=lambda wildcards: canonical_json(recorded(wildcards)["log"]),
        identity=lambda wildcards: identity("take_answers", recorded=recorded(wildcards)["log"]),
    message:
        "Taking the answers of {wildcards.model} to {wildcards.benchmark} in"
    shell:
        r"""
        python {params.scripts:q}/take_answers.py \
            --log {params.recorded:q} \
            --problems {input.problems:q} \
            --output {output.table:q} \
            --rows {output.rows:q} \
            --facts {output.facts:q} \
            &>{log:q}
        """
