# What a run will take, and what it has taken.
# Requires: config/rates.yaml; the job's own benchmark files, answers, training logs.
# Gives: tables/ledger.csv; the estimate goes to the terminal.


rule tabulate_ledger:
    input:
        answers=of_shards(
            "<results>/answers/{effort}/{shard}.parquet", effort=PLAN["teacher"]["efforts"]
        ),
        evaluations=of_answered("<results>/evaluation/{model}/{benchmark}/answers.parquet"),
        training=expand(
            "<results>/training/{stage}.parquet",
            stage=PLAN["stages"],
        ),
        # the last steps of what is counted
        results="<results>/tables/results.csv",
        funnel="<results>/tables/funnel.csv",
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
        scripts=SCRIPTS,
        answers=files_in("answers"),
        evaluations=files_in("evaluations"),
        training=files_in("training"),
        benchmarks=f"{RESULTS}/benchmarks",
        logs=f"{RESULTS}/logs",
        identity=identity("tabulate_ledger"),
    message:
        "Adding up what the run has taken"
    shell:
        r"""
        python {params.scripts:q}/tabulate_ledger.py \
            --benchmarks {params.benchmarks:q} \
            --logs {params.logs:q} \
            --answers {params.answers:q} \
            --evaluations {params.evaluations:q} \
            --training {params.training:q} \
            --csv {output.csv:q} \
            &>{log:q}
        """


rule estimate:
    input:
        rates=str(HOME / "config" / "rates.yaml"),
        architectures=f"{PUBLISHED}/architectures.csv",
    log:
        "<logs>/estimate.log",
    localrule: True
    params:
        scripts=SCRIPTS,
        experiment=lambda wildcards: canonical_json(config),
        ledger=lambda wildcards: (
            f"--ledger {RESULTS}/tables/ledger.csv"
            if Path(f"{RESULTS}/tables/ledger.csv").is_file()
            else ""
        ),
        published=option(
            "--published",
            any(entry["published"] for entry in PLAN["evaluation"]["models"])
            and f"{PUBLISHED}/reasonlite_funnel.csv",
        ),
        identity=identity("estimate"),
    shell:
        r"""
        python {params.scripts:q}/estimate.py \
            {params.ledger} \
            {params.published} \
            --experiment {params.experiment:q} \
            --rates {input.rates:q} \
            --architectures {input.architectures:q} \
            2>&1 | tee {log:q}
        """
