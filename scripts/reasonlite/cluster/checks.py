"""What a run asks of a Slurm cluster, and whether the cluster has it: told before anything is submitted.

Takes Snakemake's jobs as they are (rule, resources, threads); does not import Snakemake and
does not know what the rules do.
"""

from __future__ import annotations

import getpass
import math
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonlite.core.layout import plain

LOCAL_FILE_SYSTEMS = {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "tmpfs", "ramfs", "overlay"}


@dataclass(frozen=True)
class Request:
    """What each job of a rule asks for; ``minutes`` is its limit, ``memory`` (MB), ``gpus``, ``cpus`` are of a node."""

    rule: str
    partition: str
    account: str
    gpu_type: str | None
    gpus: int
    nodes: int
    cpus: int
    memory: int
    minutes: int

    @property
    def gpu_hours(self) -> float:
        """At most: all of the time limit."""
        return self.gpus * self.nodes * self.minutes / 60


@dataclass(frozen=True)
class NodeKind:
    """Nodes of a partition that are alike. ``minutes`` is the partition's limit, None without one."""

    partition: str
    gpus: tuple[tuple[str, int], ...]
    minutes: float | None
    cpus: int
    memory: int
    nodes: int


def requests(jobs: Iterable[Any]) -> Counter[Request]:
    """How many jobs ask for what."""
    return Counter(request_of(job) for job in jobs)


def last_tries(jobs: Iterable[Any], tries: int) -> set[Request]:
    """What one job of each rule asks for on its last try, when memory and time have grown the most."""
    found = set()
    for job in {job.rule.name: job for job in jobs}.values():
        first = job.attempt
        job.attempt = tries
        found.add(request_of(job))
        job.attempt = first
    return found


def request_of(job: Any) -> Request:
    resources = job.resources
    kind, gpus = gpus_of(str(resources.get("gres") or ""))
    return Request(
        rule=job.rule.name,
        partition=str(resources.get("slurm_partition") or ""),
        account=str(resources.get("slurm_account") or ""),
        gpu_type=kind,
        gpus=gpus,
        nodes=int(resources.get("nodes") or 1),
        cpus=int(resources.get("cpus_per_task") or job.threads),
        memory=_integer(resources.get("mem_mb")),
        minutes=_integer(resources.get("runtime")),
    )


def _integer(value: Any) -> int:
    return value if isinstance(value, int) else 0


def gpus_of(gres: str) -> tuple[str | None, int]:
    """Type and number of the GPUs in Slurm's notation: ``gpu:mi300x:8``, ``gpu:8`` or ``gpu``; the first if several."""
    return next(_all_gpus(gres), (None, 0))


def _all_gpus(gres: str) -> Iterator[tuple[str | None, int]]:
    for part in re.sub(r"\([^)]*\)", "", gres).split(","):
        names = part.split(":")
        if names[0] == "gpu":
            yield names[1] if len(names) > 2 else None, int(names[-1]) if len(names) > 1 else 1


def plan(asked: Counter[Request]) -> str:
    """Jobs by rule with GPUs and hours, as text; the hours are limits, not estimates."""
    rules: dict[str, list[tuple[Request, int]]] = {}
    for request, jobs in asked.items():
        rules.setdefault(request.rule, []).append((request, jobs))
    rows = [("rule", "jobs", "GPUs each", "hours each", "GPU-hours")]
    total_jobs, total_hours = 0, 0.0
    for rule, parts in rules.items():
        jobs = sum(count for _, count in parts)
        hours = sum(request.gpu_hours * count for request, count in parts)
        gpus = max(request.gpus * request.nodes for request, _ in parts)
        limit = max(request.minutes for request, _ in parts) / 60
        rows.append((rule, f"{jobs:,}", f"{gpus}", f"{limit:.1f}", f"{hours:,.0f}"))
        total_jobs, total_hours = total_jobs + jobs, total_hours + hours
    rows.append(("total", f"{total_jobs:,}", "", "", f"{total_hours:,.0f}"))
    title = "What Slurm is asked for at most (hours are limits; for an estimate: snakemake estimate)"
    return "\n".join([title, *plain(rows)])


def _ask(*command: str) -> str | None:
    """What a command of Slurm's prints, or None when it is not here or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def node_kinds() -> list[NodeKind]:
    """What `sinfo` says of the cluster; empty when it does not answer."""
    said = _ask("sinfo", "-h", "-e", "-a", "-o", "%R|%G|%l|%c|%m|%D") or ""
    return [_node_kind(line) for line in said.splitlines()]


def _node_kind(line: str) -> NodeKind:
    partition, gres, limit, *sizes = (field.strip() for field in line.split("|"))
    gpus: Counter[str] = Counter()
    for kind, number in _all_gpus(gres):
        gpus[kind or ""] += number
    cpus, memory, nodes = (int(number.rstrip("+")) for number in sizes)
    return NodeKind(partition, tuple(sorted(gpus.items())), minutes_of(limit), cpus, memory, nodes)


def minutes_of(limit: str) -> float | None:
    """Minutes in Slurm's notation of times (``2-00:00:00``, ``1:00:00``, ``30:00``); None for ``infinite``."""
    if limit in {"infinite", "UNLIMITED", "n/a"}:
        return None
    days, _, clock = limit.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    if days:
        parts += [0] * (3 - len(parts))
    hours, minutes, seconds = [0] * (3 - len(parts)) + parts
    return int(days or 0) * 1440 + hours * 60 + minutes + seconds / 60


def complaints(asked: Iterable[Request], kinds: list[NodeKind], edit: str) -> list[str]:
    """What the cluster cannot give, each with what to change; ``edit`` names the file to change it in."""
    found: dict[str, None] = {}
    partitions = sorted({kind.partition for kind in kinds})
    for request in asked:
        nodes = [kind for kind in kinds if kind.partition == request.partition]
        if not request.partition:
            continue  # Slurm's default partition
        if not nodes:
            found[
                f"the cluster has no partition {request.partition!r}; it has {', '.join(partitions)}\n"
                f"  what to do: correct slurm_partition or gpu_partition in {edit}"
            ] = None
            continue
        for what in _lacking(request, nodes):
            found[f"{request.rule}: {what} in {edit}"] = None
    return list(found)


def too_few_gpus(asked: Iterable[Request], wanted: dict[str, int], edit: str) -> list[str]:
    """Rules whose engine spreads over more GPUs (``tensor_parallel_size``) than their jobs are given."""
    return [
        f"{rule}: its engine has tensor_parallel_size {wanted[rule]} and its jobs ask for {gpus} GPU"
        f"\n  what to do: set gres of {rule} in {edit}, or correct the config"
        for rule, gpus in sorted({(request.rule, request.gpus) for request in asked})
        if 0 < gpus < wanted.get(rule, 0)
    ]


def _lacking(request: Request, nodes: list[NodeKind]) -> Iterable[str]:
    where = f"partition {request.partition}"
    if request.gpus:
        types = Counter[str]()
        for kind in nodes:
            for name, number in kind.gpus:
                types[name] = max(types[name], number)
        have = ", ".join(f"gpu:{name}:{number}" if name else f"gpu:{number}" for name, number in sorted(types.items()))
        fits = max([number for name, number in types.items() if request.gpu_type in {None, name}], default=0)
        if fits < request.gpus:
            wanted = f"gpu:{request.gpu_type}:{request.gpus}" if request.gpu_type else f"gpu:{request.gpus}"
            yield f"no node of {where} has {wanted}; a node has {have or 'no GPU'}\n  what to do: correct gres"
    longest = max(math.inf if kind.minutes is None else kind.minutes for kind in nodes)
    if request.minutes > longest:
        yield f"{request.minutes} minutes are more than {where} allows ({longest:.0f})\n  what to do: lower runtime"
    memory = max(kind.memory for kind in nodes)
    if request.memory > memory:
        yield f"{request.memory} MB are more than a node of {where} has ({memory})\n  what to do: lower mem_mb"
    cpus = max(kind.cpus for kind in nodes)
    if request.cpus > cpus:
        yield f"{request.cpus} CPUs are more than a node of {where} has ({cpus})\n  what to do: lower set-threads"
    count = sum(kind.nodes for kind in nodes)
    if request.nodes > count:
        yield f"{request.nodes} nodes are more than {where} has ({count})\n  what to do: lower nodes and tasks"


def account_complaints(asked: Iterable[Request], edit: str) -> list[str]:
    """No account where the cluster wants one and the user has no default, or one that is not the user's."""
    enforced = re.search(r"AccountingStorageEnforce\s*=\s*(\S+)", _ask("scontrol", "show", "config") or "")
    if not enforced or "associations" not in enforced.group(1):
        return []
    user = getpass.getuser()
    own = sorted(set(_asked_words("sacctmgr", "-n", "-P", "list", "associations", f"user={user}", "format=account")))
    default = _asked_words("sacctmgr", "-n", "-P", "list", "user", user, "format=defaultaccount")
    choices = f"yours: {', '.join(own)}" if own else "ask the cluster's staff for one"
    found = []
    for account in sorted({request.account for request in asked}):
        if not account and not default:
            found.append(f"no account is set and the cluster wants one ({choices})")
        elif account and account not in own:
            found.append(f"{account!r} is not an account of yours ({choices})")
    return [f"{what}\n  what to do: set slurm_account in {edit}" for what in found]


def _asked_words(*command: str) -> list[str]:
    return (_ask(*command) or "").split()


def check(asked: Iterable[Request], edit: str) -> list[str]:
    """Everything that would keep these jobs from starting, as far as it can be known from here."""
    if shutil.which("sbatch") is None:
        return [
            "Slurm's commands are not here (no sbatch on PATH)\n"
            "  what to do: run this on a login node of the cluster, or leave the --profile away to run on this machine"
        ]
    kinds = node_kinds()
    if not kinds:
        return ["Slurm does not answer (sinfo)\n  what to do: see whether its controller is up: scontrol ping"]
    return complaints(asked, kinds, edit) + account_complaints(asked, edit)


def doubts(folder: Path) -> list[str]:
    """What may keep jobs from working but cannot be known from here: a folder that other nodes do not see."""
    kind = (_ask("stat", "--file-system", "--format=%T", str(folder)) or "").strip().split("/")[0]
    if kind not in LOCAL_FILE_SYSTEMS:
        return []
    return [
        f"{folder} is on a file system of the kind {kind}, which other nodes seldom see; if they do not, jobs end\n"
        "  without a log. What to do: clone into the cluster's shared file system"
    ]
