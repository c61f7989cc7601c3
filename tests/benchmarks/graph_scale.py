"""Time and memory of Snakemake over the paper's graph and ten times that, beside a plain workflow of that shape.

    python tests/benchmarks/graph_scale.py [--shards 343 3430]

The plain workflow has the same rules, wildcards, inputs and outputs, and nothing else: no config
models, no identities, no logs, benchmark files, messages or resources; dressed it has these too,
with constant values. The profile for Slurm adds its groups and resources. Per job: what Snakemake
costs inside every job on a cluster (it reads the workflow again there, twice on Slurm: once for the
job, once for its step).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PLAIN = """
SHARDS = [f"{{n:05d}}" for n in range({shards})]
EFFORTS, STRATA, STAGES = ["medium", "high"], {{"short": "medium", "long": "high"}}, ["turbo", "final"]
R = "results/paper"
rule all:
    input: f"{{R}}/manifest.json"
rule fetch_model:
    output: directory("results/paper/models/{{model}}")
    shell: "true"
rule fetch_problems:
    output: "results/paper/problems/sources/{{source}}.parquet"
    shell: "true"
rule shard_problems:
    input: expand(R + "/problems/sources/{{s}}.parquet", s=["pol", "omr"])
    output: expand(R + "/problems/shards/{{s}}.parquet", s=SHARDS), R + "/problems/dropped.parquet"
    shell: "true"
rule generate_answers:
    input: R + "/problems/shards/{{shard}}.parquet", R + "/models/gpt-oss-120b"
    output: R + "/answers/{{effort}}/{{shard}}.parquet"
    shell: "true"
rule group_answers:
    input: expand(R + "/answers/{{e}}/{{{{shard}}}}.parquet", e=EFFORTS), R + "/problems/shards/{{shard}}.parquet"
    output: R + "/groups/{{shard}}.parquet", R + "/groups/pairs/{{shard}}.parquet"
    shell: "true"
rule vote_and_judge:
    input: expand(R + "/answers/{{e}}/{{{{shard}}}}.parquet", e=EFFORTS), R + "/groups/{{shard}}.parquet", R + "/problems/shards/{{shard}}.parquet"
    output: R + "/votes/{{shard}}.parquet", expand(R + "/judged/{{e}}/{{{{shard}}}}.parquet", e=EFFORTS)
    shell: "true"
rule curate:
    input: lambda w: f"{{R}}/judged/{{STRATA[w.stratum]}}/{{w.shard}}.parquet", lambda w: f"{{R}}/answers/{{STRATA[w.stratum]}}/{{w.shard}}.parquet", R + "/problems/shards/{{shard}}.parquet"
    output: R + "/curriculum/{{stratum}}/{{shard}}.parquet", R + "/curriculum/funnel/{{stratum}}/{{shard}}.parquet"
    wildcard_constraints: stratum="short|long"
    shell: "true"
rule turbo:
    input: expand(R + "/curriculum/short/{{s}}.parquet", s=SHARDS), R + "/models/qwen3-06b"
    output: directory(R + "/checkpoints/turbo")
    shell: "true"
rule final:
    input: expand(R + "/curriculum/long/{{s}}.parquet", s=SHARDS), R + "/checkpoints/turbo"
    output: directory(R + "/checkpoints/final")
    shell: "true"
rule funnel:
    input: expand(R + "/judged/{{e}}/{{s}}.parquet", e=EFFORTS, s=SHARDS), expand(R + "/votes/{{s}}.parquet", s=SHARDS), expand(R + "/problems/shards/{{s}}.parquet", s=SHARDS), expand(R + "/curriculum/funnel/{{t}}/{{s}}.parquet", t=STRATA, s=SHARDS)
    output: R + "/tables/funnel.csv"
    shell: "true"
rule distributions:
    input: expand(R + "/judged/{{e}}/{{s}}.parquet", e=EFFORTS, s=SHARDS), expand(R + "/votes/{{s}}.parquet", s=SHARDS)
    output: R + "/tables/lengths.csv"
    shell: "true"
rule ledger:
    input: expand(R + "/answers/{{e}}/{{s}}.parquet", e=EFFORTS, s=SHARDS)
    output: R + "/tables/ledger.csv"
    shell: "true"
rule manifest:
    input: R + "/tables/funnel.csv", R + "/tables/lengths.csv", R + "/tables/ledger.csv", R + "/checkpoints/final"
    output: R + "/manifest.json"
    shell: "true"
"""  # noqa: E501


# what Snakemake's own best practices ask of each rule, and what a command with flags needs
DRESS = """    log: R + "/logs/{name}{wildcards}.log"
    benchmark: R + "/benchmarks/{name}{wildcards}.jsonl"
    threads: 1
    resources: mem_mb=2000, runtime=30
    params: one="1", two="2", three="3", identity="a hash"
    message: "Doing {name}{shown}"
    shell: "python x.py --in {{input:q}} --one {{params.one}} --two {{params.two}} --three {{params.three:q}} --out {{output:q}} &>{{log:q}}"
"""  # noqa: E501


def dressed(plain: str) -> str:
    """The plain workflow with log, benchmark, resources, params, message and a command in every rule that runs."""
    head, *rules = re.split(r"(?m)^(?=rule )", plain)
    made = [head]
    for rule in rules:
        name, outputs = rule.split(":")[0].removeprefix("rule "), re.search(r"output:(.*)", rule)
        if outputs is None:
            made.append(rule)
            continue
        names = [n for n in ("model", "source", "effort", "stratum", "shard") if re.search(rf"{{{n}}}", outputs[1])]
        wildcards = "".join(f"/{{{n}}}" for n in names)
        shown = "".join(f" {{wildcards.{n}}}" for n in names)
        dress = DRESS.replace("{{", "<<").replace("}}", ">>").replace("{name}", name)
        dress = dress.replace("{wildcards}", wildcards).replace("{shown}", shown)
        made.append(rule.replace('    shell: "true"\n', dress.replace("<<", "{").replace(">>", "}")))
    return "".join(made)


def measured(command: list[str], folder: Path) -> tuple[float, float, float, str]:
    """Wall seconds, CPU seconds, peak MiB of a process of its own, and what it printed."""
    output = folder / "output"
    started = time.monotonic()
    with output.open("w") as handle:
        process = subprocess.Popen(command, cwd=folder, stdout=handle, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    text = output.read_text()
    if status:
        raise SystemExit(text[-3000:])
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text


def jobs_of(text: str) -> int:
    """Snakemake's own count; the plan for Slurm above it has a total too, with commas."""
    return next(int(words[1]) for words in map(str.split, text.splitlines()) if len(words) == 2 and words[0] == "total")


def prepared(folder: Path, shards: int) -> dict[str, list[str]]:
    """The two workflows in a folder; by name, the options with which Snakemake runs them."""
    (folder / "Snakefile.plain").write_text(PLAIN.format(shards=shards))
    (folder / "Snakefile.dressed").write_text(dressed(PLAIN.format(shards=shards)))
    config = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())
    config["problems"]["shards"] = shards
    (folder / "paper.yaml").write_text(yaml.safe_dump(config))
    for name in ("Snakefile", "rules", "scripts", "config", "profiles", "envs"):
        (folder / name).symlink_to(ROOT / name)
    ours = ["--configfile", "paper.yaml"]
    return {
        "ours": [*ours, "--cores", "1"],
        "plain": ["--snakefile", "Snakefile.plain", "--cores", "1"],
        "plain, dressed": ["--snakefile", "Snakefile.dressed", "--cores", "1"],
        "ours, Slurm": [*ours, "--profile", "profiles/slurm-mi300"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, nargs="+", default=[343, 3430])
    parser.add_argument("--rounds", type=int, default=3, help="of the per-job measure; the smallest is shown")
    arguments = parser.parse_args()
    snakemake = [sys.executable, "-m", "snakemake", "--nolock"]
    print("dry run            shards     jobs   wall s    CPU s    MiB")
    for shards in arguments.shards:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for which, options in prepared(folder, shards).items():
                wall, cpu, memory, text = measured([*snakemake, *options, "-n", "--quiet", "rules"], folder)
                print(f"{which:14} {shards:10} {jobs_of(text):8} {wall:8.1f} {cpu:8.1f} {memory:6.0f}", flush=True)
    print("\none job's reading of the workflow")
    for shards in arguments.shards:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            target = [
                "--target-jobs",
                "generate_answers:effort=medium,shard=00000",
                "--allowed-rules",
                "generate_answers",
            ]
            for path in ("results/paper/problems/shards/00000.parquet", "results/paper/models/gpt-oss-120b/x"):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).touch()
            ways = prepared(folder, shards)
            measured([*snakemake, *ways["ours"], "--list"], folder)  # as in a run, the main process reads it first
            for which, options in ((name, ways[name]) for name in ("ours", "plain")):
                command = [*snakemake, *options, *target, "--force", "-n", "--mode", "remote"]
                wall, cpu, memory, _ = min(measured(command, folder) for _ in range(arguments.rounds))
                print(f"{which:14} {shards:10} {1:8} {wall:8.1f} {cpu:8.1f} {memory:6.0f}", flush=True)


if __name__ == "__main__":
    main()
