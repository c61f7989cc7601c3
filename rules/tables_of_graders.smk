# The same benchmark answers under several graders.
# Requires: evaluation/{model}/{benchmark}/answers.parquet, judged.parquet, pairs.parquet; log.parquet of recorded ones.
# Gives: evaluation/{model}/{benchmark}/graded.parquet; tables/graders.csv, .md; grader_disagreements.csv; explained.csv, .md.


rule grade_answers:
    input:
        answers="<results>/evaluation/{model}/{benchmark}/answers.parquet",
        judged="<results>/evaluation/{model}/{benchmark}/judged.parquet",
        pairs="<results>/evaluation/{model}/{benchmark}/pairs.parquet",
        problems="<results>/problems/sources/{benchmark}.parquet",
        rows=lambda wildcards: (
            f"<results>/evaluation/{wildcards.model}/{wildcards.benchmark}/log.parquet"
            if wildcards.model in PLAN["recorded"]
            else []
        ),
        adjudicated=(
            "<results>/evaluation/{model}/{benchmark}/adjudicated.parquet"
            if "llm" in GRADERS
            else []
        ),
    output:
        table="<results>/evaluation/{model}/{benchmark}/graded.parquet",
    log:
        "<logs>/grade_answers/{model}/{benchmark}.log",
    benchmark:
        "<benchmarks>/grade_answers/{model}/{benchmark}.jsonl"
    wildcard_constraints:
        benchmark=one_of(PLAN["benchmarks"]["answers"]),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        scripts=SCRIPTS,
        rows=lambda wildcards, input: option("--rows", input.rows),
        adjudicated=lambda wildcards, input: option("--adjudicated", input.adjudicated),
        graders=GRADERS,
        rounding="--rounding" if PLAN["evaluation"]["rounding"] else "",
        identity=identity("grade_answers", graders=GRADERS, rounding=PLAN["evaluation"]["rounding"]),
    message:
        "Grading answers of {wildcards.model} to {wildcards.benchmark} by others"
    shell:
        r"""
        python {params.scripts:q}/grade_answers.py \
            --answers {input.answers:q} \
            --judged {input.judged:q} \
            --pairs {input.pairs:q} \
            --problems {input.problems:q} \
            {params.rows} \
            {params.adjudicated} \
            {params.rounding} \
            --graders {params.graders:q} \
            --output {output.table:q} \
            &>{log:q}
        """


rule tabulate_graders:
    input:
        graded=[
            path
            for path in of_answered("<results>/evaluation/{model}/{benchmark}/graded.parquet")
            if Path(path).parent.name in PLAN["benchmarks"]["answers"]
        ],
    output:
        csv="<results>/tables/graders.csv",
        readable=report(
            "<results>/tables/graders.md",
            caption="captions/graders.rst",
            category="Results",
            labels={"table": "graders"},
        ),
        disagreements="<results>/tables/grader_disagreements.csv",
        explained=report(
            "<results>/tables/explained.md",
            caption="captions/explained.rst",
            category="Results",
            labels={"table": "what differences are made of"},
        ),
        others=multiext("<results>/tables/explained", ".csv"),
    log:
        "<logs>/tabulate_graders.log",
    benchmark:
        "<benchmarks>/tabulate_graders.jsonl"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        scripts=SCRIPTS,
        graded=files_in("graded"),
        evaluation=of_plan("evaluation"),
        seed=PLAN["seed"],
        folder=lambda wildcards, output: str(Path(output.csv).parent),
        identity=lambda wildcards: identity(
            "tabulate_graders", evaluation=PLAN["evaluation"], seed=PLAN["seed"]
        ),
    message:
        "Comparing the graders"
    shell:
        r"""
        python {params.scripts:q}/tabulate_graders.py \
            --graded {params.graded:q} \
            --evaluation {params.evaluation:q} \
            --seed {params.seed} \
            --folder {params.folder:q} \
            &>{log:q}
        """
