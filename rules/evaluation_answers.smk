# Benchmark answers: the teacher's road, walked by every model compared.
# Requires: problems/sources/{benchmark}.parquet, models/{model}/ or checkpoints/{model}/.
# Gives: evaluation/{model}/{benchmark}/answers.parquet.

# with several engines a model each draws a part of the answers, and the parts are put together
ENGINES = PLAN["evaluation"]["engines"]
BY_ENGINE = "{model}/{engine}" if ENGINES > 1 else "{model}"
DRAWN = (
    "<results>/evaluation/{{model}}/parts/{{engine}}/{benchmark}.parquet"
    if ENGINES > 1
    else "<results>/evaluation/{{model}}/{benchmark}/answers.parquet"
)


rule evaluate_answers:
    input:
        problems=expand(
            "<results>/problems/sources/{benchmark}.parquet",
            benchmark=PLAN["benchmarks"]["all"],
        ),
        model=lambda wildcards: model_inputs(PLAN["weights"][wildcards.model]),
    output:
        tables=expand(DRAWN, benchmark=PLAN["benchmarks"]["all"]),
    log:
        f"<logs>/evaluate_answers/{BY_ENGINE}.log",
    benchmark:
        f"<benchmarks>/evaluate_answers/{BY_ENGINE}.jsonl"
    wildcard_constraints:
        model=one_of(PLAN["drawn"]),
    # before the teacher where both can begin: one long job at the end would be left with a part of the machine
    priority: 1
    threads: ENGINE_THREADS
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        scripts=SCRIPTS,
        problems=files_in("problems"),
        engine=lambda wildcards: canonical_json(PLAN["evaluation"]["engine"]),
        settings=lambda wildcards: [canonical_json(each) for each in PLAN["drawn"][wildcards.model]],
        seed=PLAN["seed"],
        lock=LOCK_OPTION,
        journals=[
            f"{RESULTS}/journals/evaluation/{BY_ENGINE}/{benchmark}"
            for benchmark in PLAN["benchmarks"]["all"]
        ],
        part=lambda wildcards: f"--part {wildcards.engine} {ENGINES}" if ENGINES > 1 else "",
        identity=lambda wildcards: identity(
            "generate_answers",
            engine=PLAN["evaluation"]["engine"],
            settings=PLAN["drawn"][wildcards.model],
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
            {params.part} \
            {params.lock} \
            --journal {params.journals:q} \
            --output {output.tables:q} \
            &>{log:q}
        """


if ENGINES > 1:

    rule gather_answers:
        input:
            parts=expand(
                "<results>/evaluation/{{model}}/parts/{engine}/{benchmark}.parquet",
                engine=range(ENGINES),
                benchmark=PLAN["benchmarks"]["all"],
            ),
        output:
            tables=expand(
                "<results>/evaluation/{{model}}/{benchmark}/answers.parquet",
                benchmark=PLAN["benchmarks"]["all"],
            ),
        log:
            "<logs>/gather_answers/{model}.log",
        benchmark:
            "<benchmarks>/gather_answers/{model}.jsonl"
        wildcard_constraints:
            model=one_of(PLAN["drawn"]),
        threads: 1
        resources:
            mem_mb=4000,
            runtime=30,
        params:
            scripts=SCRIPTS,
            folders=lambda wildcards, input: list(
                dict.fromkeys(str(Path(path).parent) for path in input.parts)
            ),
            benchmarks=PLAN["benchmarks"]["all"],
            output=lambda wildcards, output: str(Path(output.tables[0]).parents[1]),
            identity=identity("gather_answers"),
        message:
            "Putting the answers of {wildcards.model} together"
        shell:
            r"""
            python {params.scripts:q}/gather_answers.py \
                --parts {params.folders:q} \
                --benchmarks {params.benchmarks:q} \
                --output {params.output:q} \
                &>{log:q}
            """
