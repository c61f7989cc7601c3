"""A real Slurm on this machine: munge, accounting, a controller and several emulated nodes on loopback.

Two partitions, mi300 and cuda, whose GPUs are counted but are plain files, one of CPUs, cpu, and one,
urgent, that preempts. Jobs need an account, as on most clusters. Everything lies in one folder and is stopped
by process id. Needs root, as slurmd does.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd", "sbatch", "srun", "sacct", "sacctmgr")
PACKAGES = "slurmctld slurmd slurmdbd slurm-client munge mariadb-server"
ACCOUNT = "maths"
DATABASE = """
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={database}
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
"""
CONFIGURATION = """
ClusterName=loopback
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=10
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={database}
AccountingStoragePass={folder}/munge/socket
AccountingStorageEnforce=associations
CredType=cred/munge
CommunicationParameters=NoAddrCache
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=2
MinJobAge=7200
KillWait=5
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmctldTimeout=120
SlurmdTimeout=60
InactiveLimit=0
NodeName=mi1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={mi1} CPUs=64 RealMemory=1500000 Gres=gpu:mi300x:1
NodeName=mi2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={mi2} CPUs=64 RealMemory=1500000
NodeName=cu[1-2] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[{cu}] CPUs=64 RealMemory=1500000 Gres=gpu:h200:8
PartitionName=mi300 Nodes=mi[1-2] Default=YES MaxTime=2-00:00:00 DefMemPerCPU=500 PriorityTier=1 State=UP
PartitionName=cpu Nodes=mi2 MaxTime=2-00:00:00 DefMemPerCPU=500 PriorityTier=1 State=UP
PartitionName=urgent Nodes=mi[1-2] MaxTime=1:00:00 DefMemPerCPU=500 PriorityTier=10 State=UP
PartitionName=cuda Nodes=cu[1-2] MaxTime=2-00:00:00 DefMemPerCPU=500 PriorityTier=1 State=UP
"""


def missing() -> str | None:
    """Why no Slurm can be started here, or None."""
    absent = [
        program for program in PROGRAMS if shutil.which(program) is None and not Path("/usr/sbin", program).exists()
    ]
    if absent:
        return f"not installed: {', '.join(absent)} (Debian: {PACKAGES})"
    return None if os.getuid() == 0 else "slurmd and slurmctld are started as root"


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _port_run(length: int) -> int:
    """The first of some free ports in a row: Slurm numbers its nodes' ports."""
    # another process may be starting its own cluster, and neither has bound its ports yet
    for start in random.sample(range(21_000, 32_000, 10), 1_100):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(start, start + length):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return start
    raise RuntimeError("no free ports")


# waits until the process that tests is gone, however it ended, and ends what it can no longer end itself
AFTERWARDS = """
cd {folder} && cat >/dev/null
scancel --full --user=root
sleep 15
for file in {daemons} database.pid; do kill "$(cat $file)"; done
"""
DAEMONS = ("slurmd-*.pid", "slurmctld.pid", "slurmdbd.pid", "munge/pid")  # in the order in which they are ended


class Cluster:
    """The daemons, and the environment in which Slurm's commands reach them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database: subprocess.Popen | None = None
        self.watcher: subprocess.Popen | None = None
        self.environment = {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "MYSQL_UNIX_PORT": str(folder / "database.socket"),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}:/usr/sbin:/usr/bin",
        }

    def configure(self) -> None:
        (self.folder / "state").mkdir(parents=True)
        (self.folder / "munge").mkdir(mode=0o700)
        first = _port_run(4)
        ports = {"mi1": first, "mi2": first + 1, "cu": f"{first + 2}-{first + 3}"}
        controller, database = _free_ports(2)
        text = CONFIGURATION.format(folder=self.folder, controller=controller, database=database, **ports)
        (self.folder / "slurm.conf").write_text(text)
        accounting = self.folder / "slurmdbd.conf"
        accounting.write_text(DATABASE.format(folder=self.folder, database=database))
        accounting.chmod(0o600)
        # Snakemake's plugin clears SLURM_… inside jobs; a cluster's programs know their configuration without it
        step = self.folder / "bin" / "srun"
        step.parent.mkdir()
        step.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
        step.chmod(0o755)
        scontrol = step.with_name("scontrol")
        scontrol.write_text(step.read_text().replace(str(shutil.which("srun")), str(shutil.which("scontrol"))))
        scontrol.chmod(0o755)
        gpus = self.folder / "gpus"
        gpus.mkdir()
        for number in range(8):
            (gpus / f"gpu{number}").touch()
        # one MI300X in all: engines run one after the other, as this machine's cores want it
        lines = [f"NodeName=mi1 Name=gpu Type=mi300x File={gpus}/gpu0"]
        lines.append(f"NodeName=cu[1-2] Name=gpu Type=h200 File={gpus}/gpu[0-7]")
        (self.folder / "gres.conf").write_text("\n".join(["AutoDetect=off", *lines, ""]))

    def start(self) -> None:
        script = AFTERWARDS.format(folder=self.folder, daemons=" ".join(DAEMONS))
        self.watcher = subprocess.Popen(
            ["sh", "-c", script], env=os.environ | self.environment, stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        munge = self.folder / "munge"
        key = munge / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self._run(
            ["munged", "--force", f"--key-file={key}", f"--socket={munge}/socket", f"--pid-file={munge}/pid"]
            + [f"--log-file={munge}/log", f"--seed-file={munge}/seed"]
        )
        munge.chmod(0o755)
        self._start_accounting()
        self.start_controller()
        for name in ("mi1", "mi2", "cu1", "cu2"):
            self.start_node(name)
        self.wait_for(
            lambda: self.command("sinfo", "-N", "-h", "-p", "mi300,cuda", "-o", "%T").split().count("idle") == 4,
            "idle nodes",
            600,
        )

    def _start_accounting(self) -> None:
        data = self.folder / "database"
        self._run(["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root", "--skip-test-db"])
        where = [f"--datadir={data}", f"--socket={self.environment['MYSQL_UNIX_PORT']}", "--skip-networking"]
        where.append(f"--pid-file={self.folder}/database.pid")
        small = ["--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M", "--skip-grant-tables"]
        with (self.folder / "database.log").open("w") as log:
            self.database = subprocess.Popen(
                ["/usr/sbin/mariadbd", "--no-defaults", "--user=root", *where, *small], stdout=log, stderr=log
            )
        self.wait_for(lambda: Path(self.environment["MYSQL_UNIX_PORT"]).exists(), "database")
        self._run(["slurmdbd"])
        self.wait_for(lambda: "Cluster" in self.command("sacctmgr", "list", "cluster"), "accounting")
        for words in (["cluster", "loopback"], ["account", ACCOUNT], ["user", "root", f"account={ACCOUNT}"]):
            self._run(["sacctmgr", "-i", "add", *words])

    def start_controller(self) -> None:
        self._run(["slurmctld"])

    def start_node(self, name: str) -> None:
        self._run(["slurmd", "-N", name])

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stderr or done.stdout}")

    def command(self, *command: str) -> str:
        """The output of one of Slurm's commands."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return done.stdout

    def wait_for(self, condition, what: str, seconds: float = 1800, every: float = 0.5) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what} after {seconds} s: {self.command('sinfo')} {self.command('squeue')}")
            time.sleep(every)

    def jobs(self, form: str = "%i %T", *, everything: bool = False) -> list[list[str]]:
        """One list of fields a job; with ``everything`` those that have ended too."""
        states = ["--states=all"] if everything else []
        return [line.split() for line in self.command("squeue", "-h", *states, "-o", form).splitlines()]

    def stop_controller(self) -> None:
        _end(int((self.folder / "slurmctld.pid").read_text()))

    def stop(self) -> None:
        if self.watcher is not None:
            self.watcher.kill()
            self.watcher.wait()
        self.command("scancel", "--full", "--user=root")  # a list of partitions it takes for the name of one
        with contextlib.suppress(TimeoutError):  # or the jobs' processes outlive their daemons
            self.wait_for(lambda: not self.jobs(), "end of all jobs", 30)
        for path in [path for pattern in DAEMONS for path in self.folder.glob(pattern)]:
            with contextlib.suppress(OSError, ValueError):
                _end(int(path.read_text()))
        if self.database is not None:
            self.database.terminate()
            self.database.wait(60)


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        for _ in range(100):
            os.kill(pid, 0)
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A cluster in a folder, stopped and its jobs cancelled at the end whatever happens."""
    cluster = Cluster(folder)
    cluster.configure()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
