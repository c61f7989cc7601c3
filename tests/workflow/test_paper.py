"""The paper's config on stand-ins of its hub data sets: real problems in the hub's own layouts, all 343 shards."""

import json
import os
import re
import subprocess

import polars as pl
import pytest
import yaml
from running import ROOT, environment

from reasonlite.core.seeding import shard_of

pytestmark = [pytest.mark.slow, pytest.mark.full]
PAPER = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())


def rows(folder, name, *keys, count=None, **renamed):
    """Rows of a shared file, with some of its columns under the names they have on the hub."""
    found = []
    for line in (folder / f"{name}.jsonl").read_text().split("\n")[:count]:
        if line:
            row = json.loads(line)
            found.append({key: row[renamed.get(key, key)] for key in (*keys, *renamed)})
    return found


def put(cache, source, name, records):
    """A file of a data set, where the hub's client keeps it."""
    path = cache / f"datasets--{source['repo'].replace('/', '--')}" / "snapshots" / source["revision"] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".parquet"):
        pl.DataFrame(records).write_parquet(path)
    else:
        path.write_text("".join(json.dumps(record) + "\n" for record in records))


def reasoning(row, kind="has_answer_extracted"):
    """A row of OpenMathReasoning: one of a problem's solutions."""
    return {
        "expected_answer": row["answer"],
        "problem_type": kind,
        "problem_source": "aops_c6_high_school_olympiads",
        "generation_model": "DeepSeek-R1",
        "pass_rate_72b_tir": "0.5",
        "problem": row["problem"],
        "generated_solution": "<think>\nlong\n</think>" * 50,
        "inference_mode": "cot",
        "used_in_kaggle": True,
    }


@pytest.fixture(scope="module")
def paper(project, shared_data, tmp_path_factory):
    cache = tmp_path_factory.mktemp("hub")
    train, bench = shared_data / "train", shared_data / "bench"
    maths = rows(train, "deepscaler_math", "problem", "answer", count=3000)
    sources = PAPER["problems"]["sources"]
    difficulty = {"difficulty": "3/8"}
    twin = rows(bench, "aime24", "problem", "answer", count=1)[0]
    polaris = [{**row, **difficulty} for row in [*maths[:2000], twin]]
    put(cache, sources["pol"], "polaris-data-53K.jsonl", polaris)
    solutions = [reasoning(row) for row in maths[1500:] for _ in range(3)]
    solutions += [reasoning({"problem": "Prove that 1 < 2.", "answer": "1 < 2"}, "converted_proof")]
    solutions += [reasoning({"problem": "A problem that nobody answered?", "answer": None}, "no_answer_extracted")]
    half = len(solutions) // 2
    put(cache, sources["omr"], "data/cot-00000-of-00002.parquet", solutions[:half])
    put(cache, sources["omr"], "data/cot-00001-of-00002.parquet", solutions[half:])
    held = {name: entry["source"] for name, entry in PAPER["evaluation"]["benchmarks"].items()}
    put(cache, held["aime24"], "data/train-00000-of-00001.parquet", rows(bench, "aime24", "problem", "answer"))
    put(cache, held["aime25"], "test.jsonl", rows(bench, "aime25_nemo", "problem", "answer"))
    put(cache, held["amc23"], "test-00000-of-00001.parquet", rows(bench, "amc23", "answer", question="problem"))
    put(cache, held["math500"], "test.jsonl", rows(bench, "math500", "problem", "answer", unique_id="id"))
    put(
        cache,
        held["gsm8k"],
        "main/test-00000-of-00001.parquet",
        rows(bench, "gsm8k_test", "answer", question="problem"),
    )
    programs = rows(bench, "humaneval", "task_id", "prompt", "test", "entry_point")
    put(cache, held["humaneval"], "openai_humaneval/test-00000-of-00001.parquet", programs)

    def run(*arguments):
        settings = environment() | {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
        done = subprocess.run(
            ["snakemake", "--configfile", "config/paper.yaml", *arguments],
            cwd=project, env=settings, capture_output=True, text=True, timeout=3600,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout + done.stderr

    made = run("--cores", "2", "--", "results/paper/problems/dropped.parquet")
    return run, made, project / "results" / "paper", maths


def test_the_two_sources_are_read_cleaned_and_sharded(paper):
    _, _, results, maths = paper
    read = {name: pl.read_parquet(results / f"problems/sources/{name}.parquet") for name in ("pol", "omr")}
    assert read["pol"].height == 2001 and read["omr"].height == 1502  # three solutions a problem, read once
    dropped = pl.read_parquet(results / "problems/dropped.parquet")
    reasons = dict(dropped.group_by("source", "reason").len().select(pl.concat_str("source", "reason"), "len").rows())
    assert reasons["omrproof"] == reasons["omrno answer"] == 1 and reasons["omrduplicate"] >= 499
    assert ("pol:2000", "aime24:0") in dropped.select("id", "twin").rows()
    shards = sorted((results / "problems/shards").glob("*.parquet"))
    assert len(shards) == 343
    kept = pl.concat([pl.read_parquet(path).with_columns(shard=int(path.stem)) for path in shards])
    assert kept.height + dropped.height == 3503 and kept["id"].n_unique() == kept.height
    assert [shard_of(name, 343) for name in kept["id"]] == kept["shard"].to_list()
    assert set(kept["problem"]) <= {row["problem"].strip() for row in maths}


def test_the_whole_plan_has_every_shard(paper):
    run, *_ = paper
    planned = dict(re.findall(r"^(\w+) +(\d+)$", run("-n", "--quiet", "rules"), re.MULTILINE))
    assert "shard_problems" not in planned and "fetch_problems" not in planned
    wanted = {"generate_answers": 686, "group_answers": 343, "vote_and_judge": 343, "curate": 686}
    assert {name: int(planned[name]) for name in wanted} == wanted and planned["train"] == "2"


def test_a_source_that_cannot_be_reached_is_named(paper, tmp_path):
    settings = environment() | {"HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    source = json.dumps(PAPER["problems"]["sources"]["omr"])
    command = [
        "python",
        "scripts/fetch_problems.py",
        "--name",
        "omr",
        "--source",
        source,
        "--output",
        str(tmp_path / "o"),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, timeout=3600
    )
    assert done.returncode == 2 and "nvidia/OpenMathReasoning" in done.stderr and "Traceback" not in done.stderr
