# Tables of scores: every model on every benchmark, models in pairs, arms of a grid, and published numbers.
# Requires: evaluation/{model}/{benchmark}/judged.parquet; config/published/reasonlite_table1.csv.
# Gives: tables/results.csv, .md, .tex, .html; comparisons.csv, per_problem.csv, curves.csv, compute.csv;
# beside_published.csv, .md, .tex, .html; published.md, .tex; arms.csv, .md, .tex with a grid.

JUDGED_BENCHMARKS = of_answered("<results>/evaluation/{model}/{benchmark}/judged.parquet")


rule tabulate_results:
    input:
        judged=JUDGED_BENCHMARKS,
        published=f"{PUBLISHED}/reasonlite_table1.csv",
    output:
        csv="<results>/tables/results.csv",
        page=report(
            "<results>/tables/results.html",
            caption="captions/results.rst",
            category="Results",
            labels={"table": "results"},
        ),
        comparisons=report(
            "<results>/tables/comparisons.csv",
            caption="captions/comparisons.rst",
            category="Results",
            labels={"table": "models in pairs"},
        ),
        beside=report(
            "<results>/tables/beside_published.html",
            caption="captions/beside_published.rst",
            category="Published",
            labels={"table": "published beside measured"},
        ),
        others=multiext(
            "<results>/tables/",
            "results.md",
            "results.tex",
            "beside_published.csv",
            "beside_published.md",
            "beside_published.tex",
            "per_problem.csv",
            "curves.csv",
            "compute.csv",
        ),
    log:
        "<logs>/tabulate_results.log",
    benchmark:
        "<benchmarks>/tabulate_results.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        scripts=SCRIPTS,
        judged=files_in("judged"),
        evaluation=of_plan("evaluation"),
        seed=PLAN["seed"],
        folder=lambda wildcards, output: str(Path(output.csv).parent),
        # by functions, here and below: braces in prompts, such as \boxed{12}, are no wildcards
        identity=lambda wildcards: identity(
            "tabulate_results", evaluation=PLAN["evaluation"], seed=PLAN["seed"]
        ),
    message:
        "Writing the tables of results"
    shell:
        r"""
        python {params.scripts:q}/tabulate_results.py \
            --judged {params.judged:q} \
            --evaluation {params.evaluation:q} \
            --published {input.published:q} \
            --seed {params.seed} \
            --folder {params.folder:q} \
            &>{log:q}
        """


rule tabulate_published:
    input:
        table=f"{PUBLISHED}/reasonlite_table1.csv",
    output:
        markdown="<results>/tables/published.md",
        latex="<results>/tables/published.tex",
    log:
        "<logs>/tabulate_published.log",
    benchmark:
        "<benchmarks>/tabulate_published.jsonl"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        scripts=SCRIPTS,
        identity=identity("tabulate_published"),
    message:
        "Writing the published table"
    shell:
        r"""
        python {params.scripts:q}/tabulate_published.py \
            --table {input.table:q} \
            --markdown {output.markdown:q} \
            --latex {output.latex:q} \
            &>{log:q}
        """


rule tabulate_arms:
    input:
        judged=JUDGED_BENCHMARKS,
        training=expand("<results>/training/{stage}.parquet", stage=PLAN["stages"]),
    output:
        csv="<results>/tables/arms.csv",
        readable=report(
            "<results>/tables/arms.md",
            caption="captions/arms.rst",
            category="Results",
            labels={"table": "arms of the grid"},
        ),
        tex="<results>/tables/arms.tex",
    log:
        "<logs>/tabulate_arms.log",
    benchmark:
        "<benchmarks>/tabulate_arms.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        scripts=SCRIPTS,
        judged=files_in("judged"),
        training=files_in("training"),
        evaluation=of_plan("evaluation"),
        grid=of_plan("grid"),  # in the order of the config
        seed=PLAN["seed"],
        identity=lambda wildcards: identity(
            "tabulate_arms",
            evaluation=PLAN["evaluation"],
            grid=PLAN["grid"],
            seed=PLAN["seed"],
        ),
    message:
        "Comparing the arms of the grid"
    shell:
        r"""
        python {params.scripts:q}/tabulate_arms.py \
            --judged {params.judged:q} \
            --evaluation {params.evaluation:q} \
            --grid {params.grid:q} \
            --training {params.training:q} \
            --seed {params.seed} \
            --csv {output.csv:q} \
            &>{log:q}
        """
