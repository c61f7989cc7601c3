"""Where a training is shown while it goes on: a matter of the machine, like its processes, not of the experiment.

Everything stays on this machine; what is shown elsewhere is the tracker's own setting, by its environment variables.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from reasonlite.core.errors import UserError

NONE = "none"
# by name: the package, and the variable that says where it keeps what it was told
KNOWN = {
    "trackio": ("trackio", "TRACKIO_DIR"),
    "tensorboard": ("tensorboard", "TENSORBOARD_LOGGING_DIR"),
    "wandb": ("wandb", "WANDB_DIR"),
}
# the trainer's arguments that follow from it
ARGUMENTS = {"report_to", "run_name", "project", "trackio_static_space_id"}


def parse(text: str, where: str = "resources.report_to") -> list[str]:
    """Trackers of a comma-separated list; one that is not known or not installed is named with what to do."""
    names = [name.strip() for name in text.split(",") if name.strip() not in ("", NONE)]
    for name in names:
        if name not in KNOWN:
            raise UserError(f"{name!r} is no tracker", where=where, todo=f"one of {', '.join([*KNOWN, NONE])}")
    return names


def check_installed(names: list[str], where: str = "resources.report_to") -> None:
    for name in names:
        package, _ = KNOWN[name]
        if importlib.util.find_spec(package) is None:
            file = "--no-deps --requirement envs/trackio.in" if name == "trackio" else package
            todo = f"uv pip install --python .venv/bin/python {file}, or set it to {NONE}"
            raise UserError(f"{package} is not installed", where=where, todo=todo)


def settings(names: list[str], stage: str, folder: Path) -> dict[str, Any]:
    """The trainer's arguments; files go to ``folder``/<tracker> unless the environment says otherwise.

    The project is the experiment, the run is the stage: one that goes on after a kill goes on there too.
    """
    if not names:
        return {"report_to": NONE}
    for name in names:
        place = folder.resolve() / name / (stage if name == "tensorboard" else "")
        os.environ.setdefault(KNOWN[name][1], str(place))
        Path(os.environ[KNOWN[name][1]]).mkdir(parents=True, exist_ok=True)
    project = folder.resolve().parent.name
    own = {"WANDB_PROJECT": project, "WANDB_MODE": "offline"}
    for name, value in (own | {"WANDB_RUN_ID": f"{project}-{stage}", "WANDB_RESUME": "allow"}).items():
        os.environ.setdefault(name, value)
    return {"report_to": names, "run_name": stage, "project": project, "trackio_static_space_id": False}
