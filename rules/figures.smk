# Figures, each as svg, png and pdf.
# Requires: tables/results.csv, tables/funnel.csv, training/{stage}.parquet, config/published/*.csv.
# Gives: figures/{figure}.svg, .png, .pdf.


rule figures:
    localrule: True
    input:
        expand(
            "<results>/figures/{figure}.{suffix}",
            figure=["stages", "funnel", "loss", "accuracy_vs_parameters"],
            suffix=["svg", "png", "pdf"],
        ),


rule plot_stages:
    input:
        tables="<results>/tables/results.csv",
    output:
        files=multiext("<results>/figures/stages", ".svg", ".png", ".pdf"),
    params:
        baseline=EXPERIMENT.evaluation.baseline,
        identity=identity("plot", baseline=EXPERIMENT.evaluation.baseline),
    log:
        "<logs>/plot_stages.log",
    benchmark:
        "<benchmarks>/plot_stages.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        r"""
        python scripts/plot.py stages \
            --tables {input.tables:q} \
            --baseline {params.baseline:q} \
            --outputs {output.files:q} \
            &> {log:q}
        """


rule plot_funnel:
    input:
        tables="<results>/tables/funnel.csv",
    output:
        files=multiext("<results>/figures/funnel", ".svg", ".png", ".pdf"),
    params:
        identity=identity("plot"),
    log:
        "<logs>/plot_funnel.log",
    benchmark:
        "<benchmarks>/plot_funnel.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        r"""
        python scripts/plot.py funnel \
            --tables {input.tables:q} \
            --outputs {output.files:q} \
            &> {log:q}
        """


rule plot_loss:
    input:
        tables=expand(
            "<results>/training/{stage}.parquet",
            stage=[stage.name for stage in EXPERIMENT.stages],
        ),
    output:
        files=multiext("<results>/figures/loss", ".svg", ".png", ".pdf"),
    params:
        identity=identity("plot"),
    log:
        "<logs>/plot_loss.log",
    benchmark:
        "<benchmarks>/plot_loss.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        r"""
        python scripts/plot.py loss \
            --tables {input.tables:q} \
            --outputs {output.files:q} \
            &> {log:q}
        """


rule plot_accuracy_vs_parameters:
    input:
        tables="config/published/reasonlite_figures.csv",
    output:
        files=multiext(
            "<results>/figures/accuracy_vs_parameters", ".svg", ".png", ".pdf"
        ),
    params:
        identity=identity("plot"),
    log:
        "<logs>/plot_accuracy_vs_parameters.log",
    benchmark:
        "<benchmarks>/plot_accuracy_vs_parameters.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        r"""
        python scripts/plot.py accuracy_vs_parameters \
            --tables {input.tables:q} \
            --outputs {output.files:q} \
            &> {log:q}
        """
