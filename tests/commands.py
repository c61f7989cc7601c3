"""Print one command of every rule as JSON: python commands.py CONFIGFILE, in the workflow's folder.

Snakemake's own objects give it in seconds where planning a graph of ten thousand shards takes minutes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.dag import DAG
from snakemake.jobs import Job
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings


def commands(config: Path) -> dict[str, str]:
    """The shell command of one job of each rule that has one."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[config]),
            snakefile=Path("Snakefile"),
        )._workflow
        workflow.dag_settings = DAGSettings()
        dag = DAG(workflow, workflow.rules)
        plan = workflow.globals["PLAN"]
        found = {}
        for rule in workflow.rules:
            if rule.shellcmd:
                job = Job(rule, dag, {name: _value(name, rule.name, plan) for name in rule.wildcard_names})
                dag._jobid[job] = 0
                found[rule.name] = job.shellcmd
        return found


def _value(wildcard: str, rule: str, plan: dict) -> str:
    choices = {
        "shard": plan["shards"],
        "engine": ["0"],
        "effort": plan["teacher"]["efforts"],
        "stratum": plan["strata"],
        "stage": plan["stages"],
        "benchmark": plan["benchmarks"]["code" if rule == "evaluate_code" else "answers"] or ["none"],
        "source": plan["sources"],
        "model": plan["models"] if rule == "fetch_model" else plan["evaluated"],
    }
    return next(iter(choices[wildcard]))


if __name__ == "__main__":
    print(json.dumps(commands(Path(sys.argv[1]))))
