# Tables of results and of the data funnel.
# Requires: evaluation/{model}/{benchmark}/judged.parquet; problems, votes, judged, curriculum/funnel.
# Gives: tables/results.csv, .md, .tex; comparisons.csv, per_problem.csv, curves.csv, compute.csv; beside_published.csv,
# .md, .tex; published.md, .tex; funnel.csv; vote_sweep.csv; lengths.csv, vote_shares.csv; ledger.csv; and
# agreement.csv, disagreements.csv where a model judges too; arms.csv, .md, .tex with a grid.


rule tabulate_results:
    input:
        judged=expand(
            "<results>/evaluation/{model}/{benchmark}/judged.parquet",
            model=[entry.model for entry in EXPERIMENT.evaluation.models],
            benchmark=EXPERIMENT.evaluation.benchmarks,
        ),
        published="config/published/reasonlite_table1.csv",
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
        evaluation=as_json(EXPERIMENT.evaluation),
        seed=EXPERIMENT.seed,
        folder=lambda wildcards, output: str(Path(output.csv).parent),
        identity=identity(
            "tabulate_results", evaluation=EXPERIMENT.evaluation, seed=EXPERIMENT.seed
        ),
    message:
        "Writing the tables of results"
    shell:
        r"""
        python scripts/tabulate_results.py \
            --judged {input.judged:q} \
            --evaluation {params.evaluation:q} \
            --published {input.published:q} \
            --seed {params.seed} \
            --folder {params.folder:q} \
            &>{log:q}
        """


rule tabulate_published:
    input:
        table="config/published/reasonlite_table1.csv",
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
        identity=identity("tabulate_published"),
    message:
        "Writing the published table"
    shell:
        r"""
        python scripts/tabulate_published.py \
            --table {input.table:q} \
            --markdown {output.markdown:q} \
            --latex {output.latex:q} \
            &>{log:q}
        """


rule tabulate_distributions:
    input:
        judged=expand(
            "<results>/judged/{effort}/{shard}.parquet",
            effort=EXPERIMENT.teacher.efforts,
            shard=SHARDS,
        )
        + rules.tabulate_results.input.judged,
        votes=expand("<results>/votes/{shard}.parquet", shard=SHARDS),
    output:
        lengths="<results>/tables/lengths.csv",
        shares="<results>/tables/vote_shares.csv",
    log:
        "<logs>/tabulate_distributions.log",
    benchmark:
        "<benchmarks>/tabulate_distributions.jsonl"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        identity=identity("tabulate_distributions"),
    message:
        "Counting lengths and vote shares"
    shell:
        r"""
        python scripts/tabulate_distributions.py \
            --judged {input.judged:q} \
            --votes {input.votes:q} \
            --lengths {output.lengths:q} \
            --shares {output.shares:q} \
            &>{log:q}
        """


rule tabulate_funnel:
    input:
        shards=expand("<results>/problems/shards/{shard}.parquet", shard=SHARDS),
        dropped="<results>/problems/dropped.parquet",
        votes=expand("<results>/votes/{shard}.parquet", shard=SHARDS),
        judged=expand(
            "<results>/judged/{effort}/{shard}.parquet",
            effort=EXPERIMENT.teacher.efforts,
            shard=SHARDS,
        ),
        strata=expand(
            "<results>/curriculum/funnel/{stratum}/{shard}.parquet",
            stratum=EXPERIMENT.strata,
            shard=SHARDS,
        ),
        published="config/published/reasonlite_funnel.csv",
    output:
        csv="<results>/tables/funnel.csv",
    log:
        "<logs>/tabulate_funnel.log",
    benchmark:
        "<benchmarks>/tabulate_funnel.jsonl"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        identity=identity("tabulate_funnel"),
    message:
        "Counting what is left after each step"
    shell:
        r"""
        python scripts/tabulate_funnel.py \
            --shards {input.shards:q} \
            --dropped {input.dropped:q} \
            --votes {input.votes:q} \
            --judged {input.judged:q} \
            --strata {input.strata:q} \
            --published {input.published:q} \
            --csv {output.csv:q} \
            &>{log:q}
        """


rule tabulate_sweep:
    input:
        votes=expand("<results>/votes/{shard}.parquet", shard=SHARDS),
    output:
        csv="<results>/tables/vote_sweep.csv",
    log:
        "<logs>/tabulate_sweep.log",
    benchmark:
        "<benchmarks>/tabulate_sweep.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        min_share=EXPERIMENT.labels.min_share,
        min_votes=EXPERIMENT.labels.min_votes,
        identity=identity(
            "tabulate_labels",
            min_share=EXPERIMENT.labels.min_share,
            min_votes=EXPERIMENT.labels.min_votes,
        ),
    message:
        "Trying other thresholds of the vote"
    shell:
        r"""
        python scripts/tabulate_labels.py sweep \
            --votes {input.votes:q} \
            --min-share {params.min_share} \
            --min-votes {params.min_votes} \
            --csv {output.csv:q} \
            &>{log:q}
        """


rule tabulate_agreement:
    input:
        adjudicated=expand("<results>/groups/adjudicated/{shard}.parquet", shard=SHARDS),
    output:
        csv="<results>/tables/agreement.csv",
        disagreements="<results>/tables/disagreements.csv",
    log:
        "<logs>/tabulate_agreement.log",
    benchmark:
        "<benchmarks>/tabulate_agreement.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        identity=identity("tabulate_labels"),
    message:
        "Comparing the rules' verdicts with the model's"
    shell:
        r"""
        python scripts/tabulate_labels.py agreement \
            --adjudicated {input.adjudicated:q} \
            --csv {output.csv:q} \
            --disagreements {output.disagreements:q} \
            &>{log:q}
        """


rule tabulate_arms:
    input:
        judged=rules.tabulate_results.input.judged,
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
        evaluation=as_json(EXPERIMENT.evaluation),
        grid=as_json(EXPERIMENT.grid) if EXPERIMENT.grid else "{}",
        seed=EXPERIMENT.seed,
        identity=identity(
            "tabulate_arms",
            evaluation=EXPERIMENT.evaluation,
            grid=EXPERIMENT.grid,
            seed=EXPERIMENT.seed,
        ),
    message:
        "Comparing the arms of the grid"
    shell:
        r"""
        python scripts/tabulate_arms.py \
            --judged {input.judged:q} \
            --evaluation {params.evaluation:q} \
            --grid {params.grid:q} \
            --seed {params.seed} \
            --csv {output.csv:q} \
            &>{log:q}
        """


rule tabulate_ledger:
    input:
        answers=expand(
            "<results>/answers/{effort}/{shard}.parquet",
            effort=EXPERIMENT.teacher.efforts,
            shard=SHARDS,
        ),
        evaluations=expand(
            "<results>/evaluation/{model}/{benchmark}/answers.parquet",
            model=[entry.model for entry in EXPERIMENT.evaluation.models],
            benchmark=EXPERIMENT.evaluation.benchmarks,
        ),
        training=expand(
            "<results>/training/{stage}.parquet",
            stage=[stage.name for stage in EXPERIMENT.stages],
        ),
        # the last steps of what is counted
        results=rules.tabulate_results.output.csv,
        funnel=rules.tabulate_funnel.output.csv,
    output:
        csv="<results>/tables/ledger.csv",
    log:
        "<logs>/tabulate_ledger.log",
    benchmark:
        "<benchmarks>/tabulate_ledger.jsonl"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        benchmarks=f"{RESULTS}/benchmarks",
        identity=identity("tabulate_ledger"),
    message:
        "Adding up what the run has taken"
    shell:
        r"""
        python scripts/tabulate_ledger.py \
            --benchmarks {params.benchmarks:q} \
            --answers {input.answers:q} \
            --evaluations {input.evaluations:q} \
            --training {input.training:q} \
            --csv {output.csv:q} \
            &>{log:q}
        """


# before a run: what it will take
rule estimate:
    input:
        rates="config/rates.yaml",
    log:
        "<logs>/estimate.log",
    localrule: True
    params:
        experiment=canonical_json(config),
        ledger=lambda wildcards: (
            f"--ledger {RESULTS}/tables/ledger.csv"
            if Path(f"{RESULTS}/tables/ledger.csv").is_file()
            else ""
        ),
        identity=identity("estimate"),
    shell:
        r"""
        python scripts/estimate.py \
            {params.ledger} \
            --experiment {params.experiment:q} \
            --rates {input.rates:q} \
            2>&1 | tee {log:q}
        """


# table rules, and what has to exist for each to be made alone
TABLES = {
    "tabulate_published": set(),
    "tabulate_results": {"results"},
    "tabulate_distributions": {"results", "labels"},
    "tabulate_funnel": {"labels"},
    "tabulate_sweep": {"labels"},
    "tabulate_ledger": {"labels", "results", "training"},
}
if EXPERIMENT.labels.judge != "rules":
    TABLES["tabulate_agreement"] = {"labels"}
if EXPERIMENT.grid:
    TABLES["tabulate_arms"] = {"results"}


# what can be made of what exists; the default target makes all
rule tables:
    input:
        lambda wildcards: [
            path for name in possible(TABLES) for path in getattr(rules, name).output
        ],
    localrule: True
