"""RO-Crate metadata of a release, as a Provenance Run Crate: every step an action with what it read, made and was told.

Files that the release does not hold, such as answers and weights, are named by their hashes. Profiles:
https://w3id.org/ro/wfrun/provenance/0.5, and those that it is built on.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reasonlite.audit.jobs import Job, experiment_of, inside, jobs_of, settings_of

NAME = "ro-crate-metadata.json"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = "https://w3id.org/ro/terms/workflow-run/context"


def write(folder: Path, about: dict[str, Any], manifest: dict[str, Any], sums: dict[str, str], pages: str) -> None:
    """Write the metadata into a release's folder.

    ``about``: name, description, license, authors; ``sums``: its files with their hashes; ``pages``: a folder of pages.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(TERMS)
    _root(crate, about, manifest)
    files = _files(crate, folder, sums, pages)
    jobs, experiment = jobs_of(manifest), experiment_of(manifest)
    workflow = _workflow(crate, folder, jobs)
    files |= _absent(crate, jobs, manifest, files, experiment)
    actions = [_action(crate, job, number, files, experiment) for number, job in enumerate(jobs, 1)]
    whole = _run(crate, workflow, jobs, actions, files, about["name"])
    number = manifest.get("locks", {}).get(manifest.get("lock"), {}).get("snakemake", "unknown")
    engine = _add(crate, "#snakemake", "SoftwareApplication", {"name": "Snakemake", "version": number})
    organize = _add(crate, "#organize", "OrganizeAction", {"name": f"Snakemake runs {about['name']}"})
    organize["instrument"], organize["result"] = engine, whole
    organize["object"] = [control for _, control in actions]
    crate.metadata.write(folder)


def _root(crate: Any, about: dict[str, Any], manifest: dict[str, Any]) -> None:
    from rocrate.model.contextentity import ContextEntity
    from rocrate.model.person import Person

    crate.name, crate.description, crate.license = about["name"], about["description"], about["license"]
    crate.creator = [crate.add(Person(crate, f"#{name}", {"name": name})) for name in about["authors"]]
    times = [entry["start"] for entry in manifest["outputs"].values() if entry.get("start")]
    crate.datePublished = max(times, default="")
    profiles = [
        crate.add(ContextEntity(crate, url, {"@type": "CreativeWork", "name": name, "version": url.rsplit("/", 1)[1]}))
        for url, name in PROFILES.items()
    ]
    crate.root_dataset["conformsTo"] = profiles


def _files(crate: Any, folder: Path, sums: dict[str, str], pages: str) -> dict[str, Any]:
    if (folder / pages).is_dir():
        name = "pages over the results; begin with index.html"
        crate.add_dataset(folder / pages, pages, properties={"name": name, "description": name})
    found = {}
    for name, digest in sums.items():
        if name != "workflow/Snakefile" and not name.startswith(f"{pages}/"):
            described = {"name": name, "sha256": digest, "contentSize": str((folder / name).stat().st_size)}
            described["encodingFormat"] = mimetypes.guess_type(name)[0] or "text/plain"
            found[name] = crate.add_file(folder / name, name, properties=described)
    return found


def _workflow(crate: Any, folder: Path, jobs: Iterable[Job]) -> Any:
    """The workflow, its steps in the order in which they first ran, and the program of each."""
    workflow = crate.add_workflow(
        folder / "workflow" / "Snakefile",
        "workflow/Snakefile",
        main=True,
        lang="snakemake",
        properties={
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": "reasonlite-snakemake",
            "description": "distils, evaluates and audits a reasoning model",
        },
    )
    steps, tools = [], []
    for place, rule in enumerate(dict.fromkeys(job.rule for job in jobs), 1):
        codes = sorted({job.code for job in jobs if job.rule == rule})
        tool = {"name": rule, "description": f"rule {rule} of the workflow", "version": ", ".join(codes)}
        tools.append(_add(crate, f"#rule/{rule}", "SoftwareApplication", tool))
        step = _add(crate, f"#step/{rule}", "HowToStep", {"name": rule, "position": str(place)})
        step["workExample"] = tools[-1]
        steps.append(step)
    workflow["hasPart"], workflow["step"] = tools, steps
    return workflow


def _absent(
    crate: Any, jobs: Iterable[Job], manifest: dict[str, Any], held: dict[str, Any], experiment: str
) -> dict[str, Any]:
    """What jobs read or made and the release does not hold, by the names that the workflow has for it."""
    found: dict[str, Any] = {}
    for job in jobs:
        read = {inside(name, experiment): digest for name, digest in job.inputs.items()}
        for name, digest in (*read.items(), *job.outputs.items()):
            if name not in held and name not in found:
                known = manifest["outputs"].get(name) or manifest["sources"].get(name) or {}
                told = {"name": name, "description": "not in this release"} | ({"sha256": digest} if digest else {})
                told |= {"contentSize": str(known["bytes"])} if "bytes" in known else {}
                found[name] = _add(crate, f"#file/{name}", "CreativeWork", told)
    return found


def _action(crate: Any, job: Job, number: int, files: dict[str, Any], experiment: str) -> tuple[Any, Any]:
    """A job's action, and the one that says of which step it was."""
    times = {"startTime": job.start, "endTime": job.end} if job.start else {}
    action = _add(crate, f"#job/{number}", "CreateAction", {"name": job.name, **times})
    action["instrument"] = crate.dereference(f"#rule/{job.rule}")
    told = [_parameter(crate, job.rule, name, value) for name, value in settings_of(job.settings)]
    action["object"] = [*(files[inside(name, experiment)] for name in job.inputs), *told]
    action["result"] = [files[name] for name in job.outputs]
    if job.machine:
        gpus = ", ".join(map(str, job.machine.get("gpus") or [])) or "no GPU"
        action["description"] = f"on {job.machine.get('processor')}, {gpus}, Python {job.machine.get('python')}"
    control = _add(crate, f"#control/{number}", "ControlAction", {"name": f"run of {job.name}"})
    control["instrument"], control["object"] = crate.dereference(f"#step/{job.rule}"), action
    return action, control


def _parameter(crate: Any, rule: str, name: str, value: str) -> Any:
    """A setting with its value; jobs that were told the same share it."""
    digest = hashlib.sha256(value.encode()).hexdigest()[:12]
    known = crate.dereference(f"#value/{rule}/{name}/{digest}")
    if known is not None:
        return known
    formal = crate.dereference(f"#parameter/{rule}/{name}")
    if formal is None:
        formal = _add(crate, f"#parameter/{rule}/{name}", "FormalParameter", {"name": name, "additionalType": "Text"})
    found = _add(crate, f"#value/{rule}/{name}/{digest}", "PropertyValue", {"name": name, "value": value})
    found["exampleOfWork"] = formal
    formal.append_to("workExample", found)
    return found


def _run(crate: Any, workflow: Any, jobs: list[Job], actions: list[Any], files: dict[str, Any], name: str) -> Any:
    """The run as a whole: what came from outside and what is given out."""
    times = [time for job in jobs for time in (job.start, job.end) if time]
    whole = _add(crate, "#run", "CreateAction", {"name": name})
    if times:
        whole["startTime"], whole["endTime"] = min(times), max(times)
    made = {output for job in jobs for output in job.outputs}
    read = dict.fromkeys(key for job in jobs for key in job.inputs if key in files and key not in made)
    whole["instrument"], whole["object"] = workflow, [files[key] for key in read]
    whole["result"] = [files[key] for key in sorted(made) if key.startswith(("tables/", "figures/"))]
    crate.root_dataset["mentions"] = [whole, *(action for action, _ in actions)]
    return whole


def _add(crate: Any, identifier: str, kind: str, properties: dict[str, Any]) -> Any:
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, identifier.replace(" ", "%20"), {"@type": kind, **properties}))
