"""What of this machine a run takes."""

import pytest

from reasonlite.core import machine


@pytest.mark.parametrize(
    ("cores", "threads"), [(1, 1), (2, 1), (4, 1), (6, 2), (8, 2), (16, 4), (32, 8), (96, 8), (None, 8)]
)
def test_up_to_four_engines_share_a_processor(monkeypatch, cores, threads):
    monkeypatch.setattr(machine, "_gpus", list)
    assert machine.engine_threads(cores) == threads


def test_beside_a_gpu_an_engine_has_as_many_as_it_can_use(monkeypatch):
    monkeypatch.setattr(machine, "_gpus", lambda: ["NVIDIA H100"])
    assert machine.engine_threads(16) == 8


def test_an_engine_shares_the_cores_of_the_run_that_started_it(monkeypatch):
    monkeypatch.setattr(machine, "_gpus", list)
    around = {"OMP_NUM_THREADS": "1"}
    machine.share_cores(around)
    assert around == {"OMP_NUM_THREADS": "1"}  # started by hand, or by a cluster
    machine.hand_on_cores(6, around)
    machine.share_cores(around)
    assert around["OMP_NUM_THREADS"] == around["MKL_NUM_THREADS"] == "6" and around["OMP_WAIT_POLICY"] == "PASSIVE"
    machine.hand_on_cores(96, around)
    assert around[machine.CORES] == "32"
    machine.hand_on_cores(None, around)  # the Snakemake of a cluster's job, which inherits what surrounds the first one
    assert machine.CORES not in around


def test_beside_a_gpu_threads_are_left_alone(monkeypatch):
    monkeypatch.setattr(machine, "_gpus", lambda: ["NVIDIA H100"])
    around = {machine.CORES: "16", "OMP_NUM_THREADS": "8"}
    machine.share_cores(around)
    assert around["OMP_NUM_THREADS"] == "8"
