# A model's verdict on each distinct benchmark answer beside its label, where llm is among the graders.
# Requires: evaluation/{model}/{benchmark}/groups.parquet, pairs.parquet; models/{model}/ (not with a server).
# Gives: evaluation/{model}/{benchmark}/adjudicated.parquet; keeps journals/grading/{model}/{benchmark}/.

GRADING = PLAN["evaluation"]["llm"]


rule grade_by_model:
    input:
        groups="<results>/evaluation/{model}/{benchmark}/groups.parquet",
        pairs="<results>/evaluation/{model}/{benchmark}/pairs.parquet",
        problems="<results>/problems/sources/{benchmark}.parquet",
        model=model_inputs(GRADING["model"]) if GRADING["engine"]["kind"] == "vllm" else [],
    output:
        table="<results>/evaluation/{model}/{benchmark}/adjudicated.parquet",
    log:
        "<logs>/grade_by_model/{model}/{benchmark}.log",
    benchmark:
        "<benchmarks>/grade_by_model/{model}/{benchmark}.jsonl"
    wildcard_constraints:
        benchmark=one_of(PLAN["benchmarks"]["answers"]),
    threads: ENGINE_THREADS
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        scripts=SCRIPTS,
        model=lambda wildcards, input: option("--model", input.model and input.model[0]),
        engine=lambda wildcards: canonical_json(GRADING["engine"]),
        settings=lambda wildcards: canonical_json(GRADING),
        seed=PLAN["seed"],
        lock=LOCK_OPTION,
        journal=f"{RESULTS}/journals/grading/{{model}}/{{benchmark}}",
        identity=lambda wildcards: identity("adjudicate", settings=GRADING, seed=PLAN["seed"]),
    message:
        "Asking a model about answers of {wildcards.model} to {wildcards.benchmark}"
    shell:
        r"""
        python {params.scripts:q}/adjudicate.py \
            --groups {input.groups:q} \
            --pairs {input.pairs:q} \
            --problems {input.problems:q} \
            --mode label \
            {params.model} \
            --engine {params.engine:q} \
            --settings {params.settings:q} \
            --seed {params.seed} \
            {params.lock} \
            --journal {params.journal:q} \
            --output {output.table:q} \
            &>{log:q}
        """
