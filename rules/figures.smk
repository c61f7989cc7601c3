# Figures, each as svg, png and pdf.
# Requires: tables/results.csv, tables/funnel.csv, training/{stage}.parquet, config/published/*.csv.
# Gives: figures/{figure}.svg, .png, .pdf.


rule figures:
    input:
        expand(
            "<results>/figures/{figure}.{suffix}",
            figure=["stages", "funnel", "loss", "accuracy_vs_parameters"],
            suffix=["svg", "png", "pdf"],
        ),
    localrule: True


rule plot_stages:
    input:
        tables="<results>/tables/results.csv",
    output:
        svg=report(
            "<results>/figures/stages.svg",
            caption="captions/stages.rst",
            category="Results",
        ),
        others=multiext("<results>/figures/stages", ".png", ".pdf"),
    log:
        "<logs>/plot_stages.log",
    benchmark:
        "<benchmarks>/plot_stages.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        baseline=EXPERIMENT.evaluation.baseline,
        identity=identity("plot", baseline=EXPERIMENT.evaluation.baseline),
    message:
        "Drawing the stages"
    shell:
        r"""
        python scripts/plot.py stages \
            --tables {input.tables:q} \
            --baseline {params.baseline:q} \
            --outputs {output:q} \
            &>{log:q}
        """


rule plot_funnel:
    input:
        tables="<results>/tables/funnel.csv",
    output:
        svg=report(
            "<results>/figures/funnel.svg",
            caption="captions/funnel.rst",
            category="Data",
        ),
        others=multiext("<results>/figures/funnel", ".png", ".pdf"),
    log:
        "<logs>/plot_funnel.log",
    benchmark:
        "<benchmarks>/plot_funnel.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        identity=identity("plot"),
    message:
        "Drawing the funnel"
    shell:
        r"""
        python scripts/plot.py funnel \
            --tables {input.tables:q} \
            --outputs {output:q} \
            &>{log:q}
        """


rule plot_loss:
    input:
        tables=expand(
            "<results>/training/{stage}.parquet",
            stage=[stage.name for stage in EXPERIMENT.stages],
        ),
    output:
        svg=report(
            "<results>/figures/loss.svg",
            caption="captions/loss.rst",
            category="Training",
        ),
        others=multiext("<results>/figures/loss", ".png", ".pdf"),
    log:
        "<logs>/plot_loss.log",
    benchmark:
        "<benchmarks>/plot_loss.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        identity=identity("plot"),
    message:
        "Drawing the loss"
    shell:
        r"""
        python scripts/plot.py loss \
            --tables {input.tables:q} \
            --outputs {output:q} \
            &>{log:q}
        """


rule plot_accuracy_vs_parameters:
    input:
        tables="config/published/reasonlite_figures.csv",
    output:
        svg=report(
            "<results>/figures/accuracy_vs_parameters.svg",
            caption="captions/accuracy_vs_parameters.rst",
            category="Published",
        ),
        others=multiext("<results>/figures/accuracy_vs_parameters", ".png", ".pdf"),
    log:
        "<logs>/plot_accuracy_vs_parameters.log",
    benchmark:
        "<benchmarks>/plot_accuracy_vs_parameters.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        identity=identity("plot"),
    message:
        "Drawing the published accuracies"
    shell:
        r"""
        python scripts/plot.py accuracy_vs_parameters \
            --tables {input.tables:q} \
            --outputs {output:q} \
            &>{log:q}
        """
