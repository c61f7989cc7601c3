"""A manifest as W3C PROV in its JSON form (https://www.w3.org/submissions/prov-json/): files, jobs, programs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from reasonlite.audit.jobs import experiment_of, inside, jobs_of, settings_of

PREFIXES = {"run": "urn:reasonlite:run:", "rl": "https://w3id.org/ro/terms/workflow-run#"}


def document(manifest: dict[str, Any]) -> dict[str, Any]:
    """Entities are files with their hashes, activities are jobs with their settings, agents are the rules' programs."""
    experiment = experiment_of(manifest)
    found: dict[str, dict[str, Any]] = {"prefix": dict(PREFIXES)}
    for kind in ("entity", "activity", "agent", "used", "wasGeneratedBy", "wasAssociatedWith"):
        found[kind] = {}
    for part in ("sources", "outputs"):
        for name, entry in manifest[part].items():
            found["entity"][_id("file", name)] = {"prov:label": name, "rl:sha256": entry["sha256"]}
    for number, job in enumerate(jobs_of(manifest), 1):
        activity, agent = f"run:job/{number}", _id("rule", job.rule)
        times = {"prov:startTime": job.start, "prov:endTime": job.end} if job.start else {}
        settings = {f"run:{quote(name, safe='')}": value for name, value in settings_of(job.settings)}
        found["activity"][activity] = {"prov:label": job.name, **times, **settings}
        found["agent"].setdefault(
            agent, {"prov:type": "prov:SoftwareAgent", "prov:label": job.rule, "run:code": job.code}
        )
        found["wasAssociatedWith"][f"_:a{number}"] = {"prov:activity": activity, "prov:agent": agent}
        for place, name in enumerate(job.inputs):
            entity = _id("file", inside(name, experiment))
            found["entity"].setdefault(entity, {"prov:label": inside(name, experiment)})
            found["used"][f"_:u{number}.{place}"] = {"prov:activity": activity, "prov:entity": entity}
        for place, name in enumerate(job.outputs):
            made = {"prov:activity": activity, "prov:entity": _id("file", name)}
            found["wasGeneratedBy"][f"_:g{number}.{place}"] = made
    return found


def _id(kind: str, name: str) -> str:
    return f"run:{kind}/{quote(name)}"
