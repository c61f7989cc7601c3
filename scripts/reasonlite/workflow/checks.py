"""What can be known to be wrong before any job runs. Only the main process asks; does not know Snakemake."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from reasonlite.answers.sampling import check_sampling
from reasonlite.config.experiment import Config, Experiment, parse_config
from reasonlite.config.sources import FileSource
from reasonlite.config.stages import OnPolicy
from reasonlite.core.conditions import parse_filter, parse_weight
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import DIFFICULTY, JUDGED
from reasonlite.models.folders import check_model_folder
from reasonlite.training import teachers, trackers
from reasonlite.training.arguments import check_arguments, trainer_of
from reasonlite.training.processes import accumulation, read_configuration
from reasonlite.workflow.plan import all_sources

ARCHITECTURES = {b"02": "x86_64", b"04": "aarch64"}


def checked(raw: dict[str, Any]) -> Experiment:
    """The config, checked as a whole: keys, values, filters, trainers' arguments, local paths."""
    config = parse_config(raw)
    for name, source in all_sources(config).items():
        if isinstance(source, FileSource) and not source.path.is_file():
            raise UserError("no such file", where=source.path, todo=f"correct the path of the source {name!r}")
    for model in config.models.values():
        if model.kind == "local":
            check_model_folder(model.path)
    for entry in config.evaluation.models:
        for name, recorded in (entry.recorded or {}).items():
            for path in recorded.paths:
                if not path.exists():
                    todo = f"correct the recorded answers of {entry.model} to {name}"
                    raise UserError("no such log", where=path, todo=todo)
    for entry in config.evaluation.models:
        if entry.sampling is not None:
            check_sampling(entry.sampling, f"evaluation.models.{entry.model}", served=False)
    grading = config.evaluation.llm
    if grading is not None and grading.engine is not None:
        check_sampling(grading.sampling, "evaluation.llm", served=grading.engine.kind == "server")
    if isinstance(config, Config):
        for name, effort in config.teacher.efforts.items():
            served = config.teacher.asked(name)[1].kind == "server"
            check_sampling(effort.sampling, f"teacher.efforts.{name}", served=served)
        judge = config.labels.adjudicator
        served = (judge.engine or config.teacher.engine).kind == "server"
        check_sampling(judge.sampling, "labels.adjudicator", served=served)
        for stage in config.stages:
            check_arguments(trainer_of(stage), stage.arguments, f"stages.{stage.name}.arguments")
        for name, stratum in config.strata.items():
            parse_filter(stratum.filter, f"strata.{name}.filter", JUDGED)
        _check_problems(config)
    return config


def _check_problems(config: Config) -> None:
    """How stages choose their problems, and how the probes that say how hard those are draw."""
    for stage in config.stages:
        if isinstance(stage, OnPolicy):
            if stage.filter is not None:
                parse_filter(stage.filter, f"stages.{stage.name}.filter", DIFFICULTY)
            if stage.weight is not None:
                parse_weight(stage.weight, f"stages.{stage.name}.weight", DIFFICULTY)
    for name, probe in config.probes.items():
        check_sampling(probe.sampling, f"probes.{name}", served=False)


def training_complaints(jobs: Iterable[Any], stages: Mapping[str, Any], *, here: bool = True) -> list[str]:
    """Trainings whose processes do not make up their stage's batch, or of which the accelerate file, the tracker or the
    teacher's server cannot be taken.

    ``jobs``: Snakemake's; ``stages``: the plan's, by name; ``here``: they run in this environment.
    """
    found = []
    for job in jobs:
        if job.rule.name == "train":
            processes = int(job.resources.get("nodes") or 1)
            try:
                processes *= read_configuration(Path(str(job.resources.get("accelerate_config"))))["num_processes"]
                shown = trackers.parse(str(job.resources.get("report_to") or trackers.NONE), "train: report_to")
                if here:
                    trackers.check_installed(shown, "train: report_to")
                settings = stages[job.wildcards.stage]["settings"]
                accumulation(settings, processes)
                if settings.get("served"):
                    teachers.address(str(job.resources.get("teacher_server") or ""), f"stages.{job.wildcards.stage}")
            except UserError as error:
                found.append(str(error))
    return list(dict.fromkeys(found))  # the stages of a grid share one file


def python_complaint(found: str | None, own: str) -> str | None:
    """What is wrong with the Python that jobs will call: ``found`` on PATH, where ``own`` runs Snakemake."""
    todo = f"\n  what to do: source {Path(own).parent / 'activate'}, then run the same command again"
    if found is None:
        return f"jobs call python, and there is none on PATH{todo}"
    if Path(found).parent != Path(own).parent:
        return f"jobs will call {found}, not the Python that runs Snakemake, and may miss its packages{todo}"
    return None


def image_complaints(image: Path) -> list[str]:
    """What is wrong with the container that jobs are to run in."""
    if " " in str(image):
        return [f"{image}: Snakemake takes no container from such a path\n  what to do: clone into one without spaces"]
    if image.is_file():
        return _architecture_complaints(image)
    todo = f"apptainer build {image} envs/ROLE.def (ROLE: cpu, cuda or rocm)"
    return [f"{image}: no such container\n  what to do: {todo}"]


def _architecture_complaints(image: Path) -> list[str]:
    """An image for other processors, by the head of its file (Singularity's image format, SIF)."""
    with image.open("rb") as file:
        head = file.read(48)
    todo = f"build it on a machine like the nodes: apptainer build {image} envs/ROLE.def"
    if head[32:41] != b"SIF_MAGIC":
        return [f"{image}: is no container of Apptainer's, or was half copied\n  what to do: {todo}"]
    made_for = ARCHITECTURES.get(head[45:47], "processors that are not known here")
    if made_for != platform.machine():
        return [f"{image}: is for {made_for}, and this is {platform.machine()}\n  what to do: {todo}"]
    return []
