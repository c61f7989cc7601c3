# Figures, each as svg, png and pdf: from the run's own tables, and from published numbers alone.
# Requires: tables/*.csv, training/{stage}.parquet, config/published/*.csv.
# Gives: figures/{figure}.svg, .png, .pdf.

# figure: its tables, its part of the report
OWN_FIGURES = {
    "stages": ("<results>/tables/results.csv", "Results"),
    "pass_at_k": ("<results>/tables/curves.csv", "Results"),
    "budget": ("<results>/tables/curves.csv", "Results"),
    "lengths": ("<results>/tables/lengths.csv", "Data"),
    "vote_shares": ("<results>/tables/vote_shares.csv", "Data"),
    "funnel": ("<results>/tables/funnel.csv", "Data"),
    "loss": (
        [f"<results>/training/{stage.name}.parquet" for stage in EXPERIMENT.stages],
        "Training",
    ),
}
if any(entry.parameters for entry in EXPERIMENT.evaluation.models):
    OWN_FIGURES["compute"] = ("<results>/tables/compute.csv", "Results")
PUBLISHED_FIGURES = {
    "accuracy_vs_parameters": (
        "config/published/reasonlite_figures.csv",
        "Published",
    ),
    "accuracy_vs_compute": (
        "config/published/reasonlite_figures.csv",
        "Published",
    ),
}


rule figures:
    input:
        expand(
            "<results>/figures/{figure}.{suffix}",
            figure=OWN_FIGURES | PUBLISHED_FIGURES,
            suffix=["svg", "png", "pdf"],
        ),
    localrule: True


# the published numbers alone: no model, no engine, no training
rule published:
    input:
        expand(
            "<results>/figures/{figure}.{suffix}",
            figure=PUBLISHED_FIGURES,
            suffix=["svg", "png", "pdf"],
        ),
        "<results>/tables/published.md",
    localrule: True


for figure, (tables, category) in (OWN_FIGURES | PUBLISHED_FIGURES).items():

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
            f"<benchmarks>/plot_{figure}.tsv"
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
