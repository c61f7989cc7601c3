"""What a release of a large experiment takes: 10,000 outputs in its manifest, made, checked, compared, explained.

python tests/benchmarks/release_scale.py [--outputs 10000]

Each command is a process of its own; printed are its seconds and peak memory, and beside them those of tar and
sha256sum over the same files, which know nothing of what is in them.
"""

from __future__ import annotations

import argparse
import copy
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from reasonlite.audit import manifest  # noqa: E402
from reasonlite.core.files import sha256_text  # noqa: E402

MACHINE = {"processor": "x86_64", "python": "3.11.7", "gpus": [], "packages": {"polars": "2.1.0"}}
STEPS = {  # rule: its outputs of a shard, what it reads of the one before
    "generate_answers": (["answers/high"], ["problems/shards"]),
    "group_answers": (["groups", "groups/pairs"], ["answers/high"]),
    "vote_and_judge": (["votes", "judged/high"], ["groups"]),
    "curate": (["curriculum/long", "curriculum/funnel/long"], ["judged/high"]),
}
SETTINGS = {
    "curate": {"stratum": {"efforts": ["high"], "filter": "correct_vote"}},
    "vote_and_judge": {"min_share": 0.9},
}


def results(folder: Path, outputs: int, max_tokens: int, value: float) -> None:
    """A results folder whose tables are there, and whose other outputs only the manifest knows."""
    shards = outputs // sum(len(made) for made, _ in STEPS.values())
    found = {}
    for shard in range(shards):
        for number, (rule, (made, read)) in enumerate(STEPS.items()):
            for name in made:
                path = f"{name}/{shard:05d}.parquet"
                wildcards = {"shard": f"{shard:05d}", "effort": "high", "stratum": "long"}
                found[path] = entry(rule, f"{path}{max_tokens}", number, wildcards)
                inputs = [f"results/large/{each}/{shard:05d}.parquet" for each in read]
                found[path] |= {
                    "inputs": {each: sha256_text(each) for each in inputs},
                    "schema": {"answer_id": "string"},
                }
                found[path]["settings"] = {"sampling": {"max_tokens": max_tokens}} if rule == "generate_answers" else {}
    table = f"model,benchmark,metric,value,low,high\nfinal,aime24,avg@16,{value},40.0,50.0\n"
    (folder / "tables").mkdir(parents=True)
    for name in ("results", "comparisons", "curves"):
        (folder / "tables" / f"{name}.csv").write_text(table)
        found[f"tables/{name}.csv"] = entry("tabulate_results", table, 9, {}) | {"bytes": len(table)}
        found[f"tables/{name}.csv"]["inputs"] = {f"results/large/{path}": None for path in found if "judged" in path}
    whole = {"version": manifest.VERSION, "outputs": found, "sources": {}, "code": {}, "functions": {}, "shells": {}}
    whole |= {"lock": "", "locks": {}}
    (folder / "manifest.json").write_text(json.dumps(whole))


def entry(rule: str, text: str, minute: int, wildcards: dict[str, str]) -> dict:
    return {
        **{"rule": rule, "sha256": sha256_text(text), "bytes": 40_000_000, "seconds": 600.5, "code": "c" * 64},
        **{"start": f"2026-11-26T16:{minute:02d}:00+00:00", "machine": copy.copy(MACHINE), "wildcards": wildcards},
        **{"shell": "s" * 16, "settings": {}, "rows": 9},
    }


def timed(what: str, line: list[str], folder: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True)
    seconds = time.monotonic() - began
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of the largest child so far
    told = done.stdout.strip().splitlines()
    note = (told[0] if told else done.stderr.strip()[-200:])[:90]
    print(f"{what:32s} {seconds:7.2f} s  largest process so far {memory:5.0f} MB  [{done.returncode}] {note}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outputs", type=int, default=10_000)
    outputs = parser.parse_args().outputs
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        config = {
            **{"experiment": "large", "seed": 1, "models": {"m": {"kind": "package", "package": "p"}}},
            "evaluation": {
                "engine": {"kind": "vllm", "max_model_len": 64},
                "benchmarks": {"aime24": {"source": {"kind": "jsonl", "path": "x.jsonl"}}},
                **{"answers_per_problem": 16, "pass_at": [1], "baseline": "m"},
                "models": [{"model": "m", "sampling": {"temperature": 0, "max_tokens": 9}}],
            },
        }
        for name in ("Snakefile", "rules", "scripts", "envs", "profiles", "Makefile", "config", "README.md", "LICENSE"):
            (root / name).symlink_to(ROOT / name)
        (root / "large.yaml").write_text(json.dumps(config))
        python, script = sys.executable, ROOT / "scripts"
        for name, tokens, value in (("one", 30_000, 44.5), ("two", 40_000, 46.5)):
            results(root / "results" / "large", outputs, tokens, value)
            build = [python, str(script / "release.py"), "build", "--config", "large.yaml", "--problems", "0"]
            timed(f"release build, {name}", [*build, "--output", f"{name}.tar.gz"], root)
            if name == "one":
                (root / "results" / "large").rename(root / "first")
        audit = [python, str(script / "audit.py")]
        timed("release verify", [python, str(script / "release.py"), "verify", "one.tar.gz"], root)
        timed("audit diff of two releases", [*audit, "diff", "one.tar.gz", "two.tar.gz"], root)
        timed("audit explain of a release", [*audit, "explain", "one.tar.gz", "final aime24 avg@16"], root)
        timed("audit prov of a release", [*audit, "prov", "one.tar.gz", "--output", "prov.json"], root)
        print(f"archive {(root / 'one.tar.gz').stat().st_size / 1e6:.1f} MB")
        (root / "taken").mkdir()
        timed("tar: unpack the same", ["tar", "xzf", "one.tar.gz", "-C", "taken"], root)
        timed("sha256sum: check the same", ["sha256sum", "--check", "--quiet", "SHA256SUMS"], root / "taken" / "large")


if __name__ == "__main__":
    main()
