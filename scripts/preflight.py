"""Look at a node that a run will use, before hours are spent on it, and say what of it would stop or slow the run.

`node` is a cluster's job and always writes what it saw; `report` reads all of it and gives the verdict.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reasonlite.cluster import checks, devices, preflight
from reasonlite.core import cli, errors, files, logs, schemas, tables
from reasonlite.training import collective

SCRIPTS = Path(__file__).parent
MINUTES = 25  # for an engine to read its model and answer


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    node = commands.add_parser("node", help="look at this node")
    node.add_argument("--kind", choices=["cpu", "engine", "train"], required=True)
    node.add_argument("--gres", default="", help="GPUs of each node as the profile asks for them")
    node.add_argument("--cpus", type=int, default=1, help="CPUs of each node, likewise")
    node.add_argument("--nodes", type=int, default=1)
    node.add_argument("--config-file", type=Path, help="accelerate's configuration, for train")
    node.add_argument("--model", type=Path, help="folder of the engine's model; may not be there yet")
    node.add_argument("--engine", help="as in teacher.engine, for engine")
    node.add_argument("--effort", help="as one of teacher.efforts, for engine")
    node.add_argument("--results", type=Path, required=True, help="the run's folder")
    node.add_argument("--output", type=Path, required=True, help="facts as JSON")
    seen = commands.add_parser("gpus", help="what torch sees, in a process of its own: it holds the GPUs while it runs")
    seen.add_argument("--output", type=Path, required=True)
    exchange = commands.add_parser("exchange", help="one process of the collective's measurement")
    exchange.add_argument("--output", type=Path, required=True)
    report = commands.add_parser("report", help="the verdict")
    report.add_argument("facts", action=cli.Paths, help="what the nodes have written")
    given = parser.parse_args(argv)
    if given.command == "report":
        tell([json.loads(path.read_text(encoding="utf-8")) for path in given.facts])
    elif given.command == "gpus":
        files.write_json(given.output, collective.gpus())
    elif given.command == "exchange":
        if found := collective.measure():
            files.write_json(given.output, found)
    else:
        logs.set_up()
        devices.prepare()
        files.write_json(given.output, look(given))


def look(given: argparse.Namespace) -> dict[str, Any]:
    """The facts of this node, and what was asked for."""
    _, gpus = checks.gpus_of(given.gres.strip("'"))
    facts = preflight.node_facts(given.results)
    if gpus:
        output = given.output.with_suffix(".gpus.json")
        error = run([sys.executable, __file__, "gpus", "--output", str(output)], collective.SECONDS)
        facts["gpus"] = _taken(output) if error is None else {"seen": [], "error": error}
    if given.kind == "train" and (given.nodes > 1 or gpus > 1):
        facts["collective"] = exchanged(given)
    if given.model is not None:
        facts["read"] = preflight.read_speed(given.model)
    if given.kind == "engine":
        facts["canary"] = answered(given)
    return {"kind": given.kind, "asked": {"gpus": gpus, "cpus": given.cpus, "nodes": given.nodes}, "facts": facts}


def exchanged(given: argparse.Namespace) -> dict[str, Any]:
    """The measurement of collectives, started as training is."""
    output = given.output.with_suffix(".exchange.json")
    line = [sys.executable, str(SCRIPTS / "launch.py"), "--config-file", str(given.config_file)]
    line += ["--nodes", str(given.nodes), "--threads", str(given.cpus), "--"]
    line += [str(SCRIPTS / "preflight.py"), "exchange", "--output", str(output)]
    error = run(line, 4 * collective.SECONDS)
    if error is None and output.is_file():
        return _taken(output)
    return {"error": error or "no process gave a result"}


def _taken(output: Path) -> dict[str, Any]:
    """What a process of ours has left in a file that is not needed any more."""
    found: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    output.unlink()
    return found


def answered(given: argparse.Namespace) -> dict[str, Any]:
    """The canary's first round with the engine's own model, if that is here already."""
    if given.model is None or not given.model.is_dir():
        return {"skipped": "the model is not here yet; every engine asks the canary when it starts"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        problem = {"id": "p:0", "source": "p", "problem": "What is 1 + 1?", "answer": "2"}
        tables.write_table(folder / "p.parquet", tables.frame_of([problem], schemas.PROBLEMS), schemas.PROBLEMS)
        settings = json.loads(given.effort) | {"answers_per_problem": 1, "problems": [0, 1]}
        # one short real answer; the canary's own length is its settings' and not above this
        most = (json.loads(given.engine).get("canary") or {}).get("max_tokens", 64)
        settings["sampling"] |= {"temperature": 0.0, "max_tokens": min(settings["sampling"]["max_tokens"], most)}
        line = [sys.executable, str(SCRIPTS / "generate_answers.py"), "--problems", str(folder / "p.parquet")]
        line += ["--model", str(given.model), "--engine", given.engine, "--effort", "preflight", "--seed", "0"]
        line += ["--settings", json.dumps(settings), "--journal", str(folder / "j")]
        line += ["--output", str(folder / "a.parquet")]
        error = run(line, 60 * MINUTES)
        record = folder / "j" / "canary.jsonl"
        if error is not None:
            return {"error": error}
        if not record.is_file():
            return {"skipped": "the engine's settings have no canary"}
        first = json.loads(record.read_text(encoding="utf-8").splitlines()[0])
        return {key: first[key] for key in ("sane", "accuracy", "log_probability", "drift")}


def run(line: list[str], seconds: float) -> str | None:
    """Run a program; its last words if it failed, which also go to the log."""
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"nothing after {seconds / 60:.0f} minutes"
    print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
    if done.returncode == 0:
        return None
    said = [text for text in done.stderr.splitlines() if text.strip()]
    told = [text for text in said if text.startswith("error: ")]
    return (told or said or [f"exit status {done.returncode}"])[-1]


def tell(looks: list[dict[str, Any]]) -> None:
    """Print what each kind of node is, what is wrong with it and what to do, then the verdict."""
    stops = 0
    for look in looks:
        facts = look["facts"]
        print(f"{look['kind']}: {summary(look)}")
        for finding in preflight.findings(look["kind"], facts, look["asked"]):
            stops += finding.stops
            print(f"  {'STOP' if finding.stops else 'note'}: {finding.what}\n        what to do: {finding.todo}")
    print(f"verdict: {stops} of this would stop the run" if stops else "verdict: nothing here stops the run")


def summary(look: dict[str, Any]) -> str:
    """One line on a node: processors, memory, GPUs, bandwidth, speed of reading, canary."""
    facts = look["facts"]
    parts = [f"{facts['host']}, {facts['architecture']}, {facts['cpus']} CPUs, {facts['memory_gb']:.0f} GB"]
    if seen := (facts.get("gpus") or {}).get("seen"):
        parts.append(f"{len(seen)} x {seen[0]['name']} of {seen[0]['memory_gb']:.0f} GB")
    for name, value in (facts.get("collective") or {}).items():
        if name in ("within", "between") and value:
            parts.append(f"{value:.1f} GB/s {name} nodes")
    if (read := facts.get("read")) and "lost" not in read:
        parts.append(f"model read with {read['mb_per_second']:.0f} MB/s")
    canary = facts.get("canary") or {}
    if canary.get("sane"):
        parts.append(f"canary sane, {canary['accuracy']:.0%} right")
    elif "skipped" in canary:
        parts.append(f"no canary: {canary['skipped']}")
    free = ", ".join(f"{name} {folder['free_gb']:.0f}" for name, folder in facts["folders"].items())
    return "; ".join([*parts, f"GB free: {free}"])


if __name__ == "__main__":
    errors.run_main(main)
