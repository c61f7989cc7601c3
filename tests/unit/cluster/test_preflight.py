"""What a node is found to be, and what of it is said to stop or slow a run."""

import copy
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from reasonlite.cluster import preflight
from reasonlite.workflow.checks import image_complaints

FOLDER = {"path": "/x", "free_gb": 500.0, "writable": True}
GPU = {"name": "MI300X", "memory_gb": 206.0, "free_gb": 205.0}
GOOD = {
    **{"cpus": 96, "hyper_threads": False, "memory_gb": 1500.0, "open_files": 65536, "srun": "/usr/bin/srun"},
    **{"clock_seconds": 0.2, "folders": {name: dict(FOLDER) for name in ("results", "home", "hub", "scratch", "shm")}},
    **{"gpus": {"torch": "2.13", "seen": [GPU] * 8}, "collective": {"hosts": ["a", "b"], "between": 90.0}},
    **{"read": {"mb_per_second": 2000.0, "model_gb": 65.0}, "canary": {"sane": True}},
}
ASKED = {"gpus": 8, "cpus": 96, "nodes": 2}


def said(kind="train", asked=ASKED, **changes):
    facts = copy.deepcopy(GOOD)
    for path, value in changes.items():
        place = facts
        *way, last = path.split("__")
        for key in way:
            place = place[key]
        place[last] = value
    return list(preflight.findings(kind, facts, asked))


def test_a_good_node_is_left_in_peace():
    assert said() == []
    assert said("cpu", {"gpus": 0, "cpus": 1, "nodes": 1}, hyper_threads=True, folders__shm__free_gb=0.1) == []


@pytest.mark.parametrize(
    ("changes", "stops", "what", "todo"),
    [
        ({"gpus__seen": []}, True, "8 GPUs are asked for and torch sees 0", "ROLE=cuda"),
        ({"gpus": None}, True, "torch sees 0", "see gres in the profile"),
        (
            {"gpus__seen": [GPU | {"free_gb": 100.0}] * 8},
            True,
            "106 GB of GPU 0, 1, 2",
            "exclude the node",
        ),
        ({"srun": None}, True, "there is no srun on this node", "--bind"),
        ({"folders__home__writable": False}, False, "read-only here", "set HF_HOME"),
        ({"folders__results__writable": False}, True, "cannot be written from this node", "shared file system"),
        ({"folders__scratch__free_gb": 1.0}, False, "1.0 GB are free in /x", "set TMPDIR"),
        ({"folders__shm__free_gb": 0.06}, False, "0.1 GB are free in /dev/shm", "larger /dev/shm"),
        ({"clock_seconds": 400.0}, False, "the clock is 400 s away", "staff"),
        ({"hyper_threads": True}, False, "hyper-threads are on", "--hint=nomultithread"),
        ({"cpus": 48}, False, "96 CPUs are asked for and this job has 48", "set-threads"),
        ({"open_files": 1024}, False, "only 1024 files may be open", "ulimit -n"),
        ({"read__mb_per_second": 50.0}, False, "50 MB/s: 22 minutes", "faster file system"),
        ({"read": {"lost": "/shared/hub/x"}}, True, "are links to /shared/hub/x, which is not here", "--bind"),
        ({"collective": {"error": "timed out"}}, True, "cannot talk to each other: timed out", "NCCL_SOCKET_IFNAME"),
        ({"collective": {"hosts": ["a"]}}, True, "2 nodes are asked for and the processes run on 1", "nodes, tasks"),
        ({"collective__between": 1.2}, False, "between nodes with 1.2 GB/s", "NCCL_DEBUG=INFO"),
        ({"canary": {"error": "garbage"}}, True, "the engine does not answer as it should: garbage", "log"),
    ],
)
def test_each_fault_is_named_with_what_to_do(changes, stops, what, todo):
    (found,) = said(**changes)
    assert found.stops == stops and what in found.what and todo in found.todo


def test_this_machine_is_described(tmp_path):
    (tmp_path / "home").mkdir()
    facts = preflight.node_facts(
        tmp_path, {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path), "NCCL_DEBUG": "INFO"}
    )
    assert facts["cpus"] == len(os.sched_getaffinity(0)) and facts["memory_gb"] > 0.5
    assert facts["switches"] == {"NCCL_DEBUG": "INFO"} and facts["clock_seconds"] < 60
    assert facts["folders"]["hub"]["path"] == str(tmp_path / "home" / ".cache" / "huggingface")
    assert all(folder["writable"] for folder in facts["folders"].values()) and not list(tmp_path.glob(".reason*"))
    assert preflight.read_speed(tmp_path / "none") is None
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "linked").symlink_to("/nowhere/at/all")
    assert preflight.read_speed(tmp_path / "model") == {"lost": "/nowhere/at/all"}
    (tmp_path / "model" / "linked").unlink()
    (tmp_path / "model" / "weights").write_bytes(b"x" * 10**6)
    assert preflight.read_speed(tmp_path / "model")["mb_per_second"] > 0
    assert preflight.folder_facts(Path("/proc/no"))["writable"] is False


def test_two_processes_measure_how_fast_they_exchange(tmp_path):
    """As training starts them, over gloo on a CPU."""
    root = Path(__file__).parents[3]
    config = (root / "envs" / "accelerate" / "gloo.yaml").read_text().replace("num_processes: 1", "num_processes: 2")
    (tmp_path / "two.yaml").write_text(config)
    line = [sys.executable, "scripts/preflight.py", "node", "--kind", "train", "--gres", "gpu:2", "--cpus", "2"]
    line += ["--config-file", str(tmp_path / "two.yaml"), "--results", str(tmp_path)]
    done = subprocess.run(
        [*line, "--output", str(tmp_path / "train.json")], cwd=root, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-3000:]
    report = [sys.executable, "scripts/preflight.py", "report", str(tmp_path / "train.json")]
    told = subprocess.run(report, cwd=root, capture_output=True, text=True).stdout
    assert "GB/s within nodes" in told and "verdict: 1 of this would stop the run" in told  # there are no GPUs here


def test_a_container_of_another_architecture_is_named_before_anything_runs(tmp_path):
    image = tmp_path / "image.sif"
    for architecture, complaint in (("02", "aarch64"), ("04", "x86_64")):
        image.write_bytes(
            b"#!/usr/bin/env run-singularity\n\0" + b"SIF_MAGIC\0" + b"01\0" + architecture.encode() + b"\0"
        )
        found = image_complaints(image)
        assert bool(found) == (platform.machine() == complaint)
        assert all("is for" in each and "what to do:" in each for each in found)
    image.write_bytes(b"half")
    assert "is no container" in image_complaints(image)[0]
