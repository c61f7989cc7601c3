# Benchmark answers and their verdicts: the teacher's road, walked by every model compared.
# Requires: problems/sources/{benchmark}.parquet, models/{model}/ or checkpoints/{model}/.
# Gives: evaluation/{model}/{benchmark}/answers.parquet, groups.parquet, pairs.parquet, judged.parquet.
# A benchmark with tests has its programs run instead: evaluation_code.smk.


rule evaluate_answers:
    input:
        problems=expand(
            "<results>/problems/sources/{benchmark}.parquet",
            benchmark=PLAN["benchmarks"]["all"],
        ),
        model=lambda wildcards: model_inputs(wildcards.model),
    output:
        tables=expand(
            "<results>/evaluation/{{model}}/{benchmark}/answers.parquet",
            benchmark=PLAN["benchmarks"]["all"],
        ),
    log:
        "<logs>/evaluate_answers/{model}.log",
    benchmark:
        "<benchmarks>/evaluate_answers/{model}.jsonl"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        scripts=SCRIPTS,
        problems=files_in("problems"),
        engine=canonical_json(PLAN["evaluation"]["engine"]),
        settings=lambda wildcards: [
            canonical_json(each) for each in PLAN["evaluated"][wildcards.model]
        ],
        seed=PLAN["seed"],
        lock=LOCK_OPTION,
        journals=[
            f"{RESULTS}/journals/evaluation/{{model}}/{benchmark}"
            for benchmark in PLAN["benchmarks"]["all"]
        ],
        identity=lambda wildcards: identity(
            "generate_answers",
            engine=PLAN["evaluation"]["engine"],
            settings=PLAN["evaluated"][wildcards.model],
            seed=PLAN["seed"],
        ),
    message:
        "Drawing answers of {wildcards.model} to all benchmarks"
    shell:
        r"""
        python {params.scripts:q}/generate_answers.py \
            --problems {params.problems:q} \
            --model {input.model[0]:q} \
            --engine {params.engine:q} \
            --effort evaluation \
            --settings {params.settings:q} \
            --seed {params.seed} \
            {params.lock} \
            --journal {params.journals:q} \
            --output {output.tables:q} \
            &>{log:q}
        """


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
        identity=identity("group_answers"),
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
