"""One Slurm, one project and one undisturbed run for all cluster tests."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import slurm
import yaml
from running import ROOT, copy_project, need_vllm
from submitting import ANSWERS, TARGETS, Project


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    need_vllm()
    reason = slurm.missing()
    if reason:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("slurm")
    for parent in (folder, *folder.parents):
        if parent == Path("/tmp"):
            break
        parent.chmod(parent.stat().st_mode | 0o755)
    with slurm.running(folder / "cluster") as running:
        yield running


@pytest.fixture(scope="session")
def submitting(cluster, tiny_model, tmp_path_factory) -> Iterator[Project]:
    """The tiny chain with one shard: two engine jobs, then the cheap steps, then two stages."""
    folder = copy_project(tmp_path_factory.mktemp("cluster-project"))
    text = (ROOT / "tests" / "workflow" / "tiny.yaml").read_text().replace("TINY", str(tiny_model))
    config = yaml.safe_load(text)
    config["labels"] = {"min_share": 0.6, "min_votes": 2}
    config["problems"]["shards"] = 1
    # two replies at once and put on disk together, each long enough for a fault to come between two commits
    config["teacher"] |= {"commit": 2}
    config["teacher"]["engine"] |= {"max_num_seqs": 2, "batch_invariant": True}
    config["teacher"]["efforts"]["medium"]["sampling"] = {"temperature": 0.7, "max_tokens": 90}
    config["teacher"]["efforts"]["high"] = config["teacher"]["efforts"]["medium"]
    config["evaluation"]["benchmarks"] = {"heldout": config["evaluation"]["benchmarks"]["heldout"]}
    config["stages"] = [config["stages"][0]]
    config["stages"][0]["arguments"] |= {"max_steps": 80, "save_steps": 10, "save_total_limit": 2}
    config["evaluation"]["models"] = [config["evaluation"]["models"][0]]
    problems = [{"problem": f"What is {a} + {b}?", "answer": str(a + b)} for a in range(1, 4) for b in (4, 8)]
    (folder / "mine.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    (folder / "heldout.jsonl").write_text(json.dumps({"problem": "What is 5 + 5?", "answer": "10"}) + "\n")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config))
    project = Project(folder, cluster)
    yield project
    project.end()


@pytest.fixture(scope="session")
def undisturbed(submitting):
    """What a terminal and Snakemake's log showed, and the tables' rows, of a run that nothing happens to."""
    return submitting.run_in_a_terminal(), submitting.rows(TARGETS + ANSWERS)
