# Figures, each as svg, png and pdf: from the run's own tables, and from published numbers alone.
# Requires: tables/*.csv, training/{stage}.parquet, config/published/*.csv.
# Gives: figures/{figure}.svg, .png, .pdf.

# figure: its tables, its part of the report, what has to exist for it to be drawn alone
RESULTS_CURVES = "<results>/tables/curves.csv"
OWN_FIGURES = {
    "stages": ("<results>/tables/results.csv", "Results", {"results"}),
    "pass_at_k": (RESULTS_CURVES, "Results", {"results"}),
    "budget": (RESULTS_CURVES, "Results", {"results"}),
    "lengths": ("<results>/tables/lengths.csv", "Data", {"results", "labels"}),
    "vote_shares": (
        "<results>/tables/vote_shares.csv",
        "Data",
        {"results", "labels"},
    ),
    "funnel": ("<results>/tables/funnel.csv", "Data", {"labels"}),
    "loss": (
        [f"<results>/training/{stage.name}.parquet" for stage in EXPERIMENT.stages],
        "Training",
        {"training"},
    ),
}
if any(entry.parameters for entry in EXPERIMENT.evaluation.models):
    OWN_FIGURES["compute"] = ("<results>/tables/compute.csv", "Results", {"results"})
PUBLISHED = "config/published/reasonlite_figures.csv"
PUBLISHED_FIGURES = {
    "accuracy_vs_parameters": (PUBLISHED, "Published", set()),
    "accuracy_vs_compute": (PUBLISHED, "Published", set()),
}
ALL_FIGURES = OWN_FIGURES | PUBLISHED_FIGURES


# what can be drawn from what exists; the default target draws all
rule figures:
    input:
        lambda wildcards: figure_files(
            possible({figure: needs for figure, (_, _, needs) in ALL_FIGURES.items()})
        ),
    localrule: True


# the published numbers alone: no model, no engine, no training
rule published:
    input:
        figure_files(PUBLISHED_FIGURES),
        rules.tabulate_published.output,
    localrule: True


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
            figure=figure,
            baseline=EXPERIMENT.evaluation.baseline,
            identity=identity("plot", baseline=EXPERIMENT.evaluation.baseline),
        message:
            "Drawing {params.figure}"
        shell:
            r"""
            python scripts/plot.py {params.figure} \
                --tables {input.tables:q} \
                --baseline {params.baseline:q} \
                --outputs {output:q} \
                &>{log:q}
            """
