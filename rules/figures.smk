# Figures, each as svg, png and pdf: from the run's own tables, and from published numbers alone.
# Requires: tables/*.csv, training/{stage}.parquet, config/published/*.csv.
# Gives: figures/{figure}.svg, .png, .pdf.

# figure: its tables, its part of the report, what has to exist for it to be drawn alone
RESULTS_CURVES = "<results>/tables/curves.csv"
OWN_FIGURES = {
    "stages": ("<results>/tables/results.csv", "Results", {"results"}),
    "pass_at_k": (RESULTS_CURVES, "Results", {"results"}),
}
if PLAN["drawn"]:  # other programs' logs often lack the tokens
    OWN_FIGURES["budget"] = (RESULTS_CURVES, "Results", {"results"})
if PLAN["teacher"]:
    OWN_FIGURES |= {
        "lengths": ("<results>/tables/lengths.csv", "Data", {"results", "labels"}),
        "vote_shares": (
            "<results>/tables/vote_shares.csv",
            "Data",
            {"results", "labels"},
        ),
        "funnel": ("<results>/tables/funnel.csv", "Data", {"labels"}),
        "loss": (
            [f"<results>/training/{stage}.parquet" for stage in PLAN["stages"]],
            "Training",
            {"training"},
        ),
    }
if PLAN["grid"]:
    OWN_FIGURES["arms"] = ("<results>/tables/arms.csv", "Results", {"results", "training"})
if RL_STAGES:
    logs_of_rl = [f"<results>/training/{stage}.parquet" for stage in RL_STAGES]
    OWN_FIGURES["reinforcement"] = (logs_of_rl, "Training", {"training"})
if GRADERS:
    OWN_FIGURES["graders"] = ("<results>/tables/graders.csv", "Results", {"results"})
if PLAN["compares_compute"]:
    OWN_FIGURES["compute"] = ("<results>/tables/compute.csv", "Results", {"results"})
PUBLISHED_FIGURES = {
    "accuracy_vs_parameters": (f"{PUBLISHED}/reasonlite_figures.csv", "Published", set()),
    "accuracy_vs_compute": (f"{PUBLISHED}/reasonlite_figures.csv", "Published", set()),
}
ALL_FIGURES = OWN_FIGURES | PUBLISHED_FIGURES


for figure, (tables, category, _) in ALL_FIGURES.items():

    rule:
        name:
            f"plot_{figure}"
        input:
            tables=tables,
        output:
            svg=report(
                f"<results>/figures/{figure}.svg",
                caption=f"captions/{figure}.rst",
                category=category,
                labels={"figure": figure.replace("_", " ")},
            ),
            others=multiext(f"<results>/figures/{figure}", ".png", ".pdf"),
        log:
            f"<logs>/plot_{figure}.log",
        benchmark:
            f"<benchmarks>/plot_{figure}.jsonl"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            scripts=SCRIPTS,
            tables=files_in("tables"),
            figure=figure,
            baseline=PLAN["evaluation"]["baseline"],
            identity=identity("plot", baseline=PLAN["evaluation"]["baseline"]),
        message:
            "Drawing {params.figure}"
        shell:
            r"""
            python {params.scripts:q}/plot.py {params.figure} \
                --tables {params.tables:q} \
                --baseline {params.baseline:q} \
                --outputs {output:q} \
                &>{log:q}
            """
