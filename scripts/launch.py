"""Start a training script through accelerate: here, or with one launcher on each node of this Slurm job.

A single process becomes the script itself, in the environment that accelerate's launcher would give it: the launcher
imports torch, and a process of its own would import it once more.

The processes in accelerate's configuration file are those of one node. Over several nodes
srun starts this script once a node; the first node is where all meet, at a port made of the
job's number. When one node's launcher fails, srun ends the others.
"""

from __future__ import annotations

import argparse
import os
import runpy
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from reasonlite.cluster import devices
from reasonlite.core import cli, errors
from reasonlite.core.errors import UserError
from reasonlite.training.processes import read_configuration

LAUNCHER = [sys.executable, "-m", "accelerate.commands.launch"]


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--config-file", type=Path, required=True, help="accelerate's configuration, for one node")
    parser.add_argument("--nodes", type=int, default=1, help="nodes of this Slurm job to train on")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of one node")
    parser.add_argument("--on-node", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="+", help="the script and its arguments, after --")
    arguments = parser.parse_args(argv)
    devices.prepare()
    command = launch_command(arguments, os.environ, list(sys.argv[1:] if argv is None else argv))
    if is_alone(arguments):
        become(command[len(LAUNCHER) :], max(arguments.threads, 1))
        return
    own = len(command) - len(arguments.command)
    print(shlex.join(command[:own]), arguments.command[0], "…", file=sys.stderr, flush=True)
    os.execvp(command[0], command)


def is_alone(arguments: argparse.Namespace) -> bool:
    """Whether one process trains, without a library that spreads a model."""
    if arguments.nodes > 1:
        return False
    configuration = read_configuration(arguments.config_file)
    return configuration["num_processes"] == 1 and configuration.get("distributed_type") == "NO"


def become(arguments: list[str], threads: int) -> None:
    """Run a script in this process as `accelerate launch` with these arguments would run it in another."""
    os.environ["OMP_NUM_THREADS"] = str(threads)  # read when torch is loaded, so before accelerate is
    import torch
    from accelerate.commands import launch
    from accelerate.utils.launch import prepare_simple_launcher_cmd_env

    given, _, _ = launch._validate_launch_command(launch.launch_command_parser().parse_args(arguments))
    command, environment = prepare_simple_launcher_cmd_env(given)
    os.environ.update(environment)
    torch.set_num_threads(threads)
    sys.argv[:] = command[1:]
    runpy.run_path(command[1], run_name="__main__")


def launch_command(arguments: argparse.Namespace, environment: Mapping[str, str], own: list[str]) -> list[str]:
    """What this process becomes: srun with itself, or accelerate on this node."""
    if arguments.nodes > 1 and not arguments.on_node:
        if "SLURM_JOB_ID" not in environment:
            raise UserError(
                f"{arguments.nodes} nodes are asked for outside a Slurm job",
                where="resources.nodes",
                todo="use a cluster profile, or set the rule's resource nodes to 1",
            )
        return [
            *("srun", f"--nodes={arguments.nodes}", f"--ntasks={arguments.nodes}", "--ntasks-per-node=1"),
            *(f"--cpus-per-task={arguments.threads}", "--kill-on-bad-exit=1", "--export=ALL"),
            *(sys.executable, __file__, "--on-node", *own),
        ]
    return _accelerate(arguments, environment)


def _accelerate(arguments: argparse.Namespace, environment: Mapping[str, str]) -> list[str]:
    processes = read_configuration(arguments.config_file)["num_processes"]
    command = [
        *LAUNCHER,
        *("--config_file", str(arguments.config_file)),
        *("--num_cpu_threads_per_process", str(max(arguments.threads // processes, 1))),
    ]
    if arguments.nodes > 1:
        command += [
            *("--num_machines", str(arguments.nodes), "--num_processes", str(arguments.nodes * processes)),
            *("--machine_rank", environment["SLURM_NODEID"], "--rdzv_backend", "static"),
            *("--main_process_ip", environment["SLURM_LAUNCH_NODE_IPADDR"]),
            *("--main_process_port", str(_port(environment))),
        ]
    elif processes > 1:  # accelerate's own port is always the same, and two trainings may share a node
        command += ["--main_process_port", str(_port(environment))]
    return [*command, *arguments.command]


def _port(environment: Mapping[str, str]) -> int:
    """A port made of the Slurm job's number, below those that the kernel gives out; 0, any free one, without a job."""
    return 20_000 + int(environment["SLURM_JOB_ID"]) % 10_000 if "SLURM_JOB_ID" in environment else 0


if __name__ == "__main__":
    errors.run_main(main)
