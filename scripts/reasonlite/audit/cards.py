"""Cards in the hub's form: for the training data, and for each model that was evaluated.

Only counts, settings and results that the run's own tables hold; what was not stated is said to be so.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from reasonlite.audit.scores import model_index
from reasonlite.config.experiment import Config
from reasonlite.config.settings import Effort
from reasonlite.core import layout

UNSTATED = "not stated (release.licenses in the config)"


def _front(fields: dict[str, Any]) -> list[str]:
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=1000)
    return ["---", *text.rstrip().splitlines(), "---", ""]


def _table(header: list[str], rows: Iterable[Iterable[Any]]) -> list[str]:
    body = [[str(cell).replace("|", r"\|").replace("\n", " ") for cell in row] for row in rows]
    return [f"| {' | '.join(cells)} |" for cells in [header, ["---"] * len(header), *body]]


def _where(source: Any) -> str:
    """Where a source or a model comes from, with its revision."""
    told = source.model_dump(mode="json", exclude_none=True)
    names = [str(told[name]) for name in ("repo", "package", "architecture") if name in told]
    if told["kind"] in {"jsonl", "parquet", "local"}:
        names = [Path(told["path"]).name]  # a name without the folders of this machine
    if told["kind"] == "reasoning_gym":
        names = [task["name"] for task in told["tasks"]]
    return f"{told['kind']}: {', '.join(dict.fromkeys(names))}" + (
        f" @ {told['revision']}" if "revision" in told else ""
    )


def dataset_card(config: Config, results: Path) -> str:
    """The data set card of the curriculum: strata as configurations, sources with licences, the whole funnel."""
    release, teacher = config.release, config.teacher
    strata = [
        {"config_name": name, "data_files": [{"split": "train", "path": f"{name}/*.parquet"}]} for name in config.strata
    ]
    fields = {
        **({"license": release.license} if release.license else {}),
        **{
            "task_categories": ["text-generation"],
            "language": ["en"],
            "pretty_name": release.title or config.experiment,
        },
        **{"tags": ["reasoning", "math", "distillation", "reasonlite-snakemake"], "configs": strata},
    }
    funnel = pl.read_csv(results / "tables" / "funnel.csv", infer_schema_length=None)
    licenses = release.licenses
    sources = [[name, _where(each), licenses.get(name, UNSTATED)] for name, each in config.problems.sources.items()]
    filters = [[name, ", ".join(each.efforts), f"`{each.filter}`"] for name, each in config.strata.items()]
    efforts = [_effort(name, teacher.asked(name)[0], each) for name, each in teacher.efforts.items()]
    teachers = [
        f"- {name} ({_where(config.models[name])}), licence: {licenses.get(name, UNSTATED)}"
        for name in dict.fromkeys(teacher.asked(effort)[0] for effort in teacher.efforts)
    ]
    return "\n".join(
        [
            *_front(fields),
            *(f"# {release.title or config.experiment}", "", release.description, ""),
            *("Training examples of a reasoning model: problems, and a teacher's answers that were judged.", ""),
            *("## Sources", "", *_table(["source", "from", "licence"], sources), ""),
            *("## Teachers" if len(teachers) > 1 else "## Teacher", "", *teachers, ""),
            *(*_table(["effort", "teacher", "answers a problem", "of the problems", "sampling"], efforts), ""),
            *("## Strata", "", *_table(["stratum", "efforts", "filter"], filters), ""),
            *("## Funnel", "", *_table(funnel.columns, _blank(funnel)), ""),
            *(
                "## Lineage",
                "",
                "Hashes of all files and the way back: manifest.json, `audit.py trace`.",
                "",
            ),
        ]
    )


def _effort(name: str, model: str, effort: Effort) -> list[Any]:
    low, high = effort.problems
    share = "all" if (low, high) == (0, 1) else f"{high - low:.0%}, places {low:g} to {high:g}"
    return [name, model, effort.answers_per_problem, share, f"`{effort.sampling.model_dump_json(exclude_none=True)}`"]


def _blank(frame: pl.DataFrame) -> list[list[Any]]:
    return [["" if cell is None else cell for cell in row] for row in frame.iter_rows()]


def model_card(config: Config, results: Path, name: str) -> str:
    """The model card: how it was trained, and its results beside the others'."""
    release = config.release
    own = results / "checkpoints" / name / "README.md"
    trained = own.read_text(encoding="utf-8").split("---\n", 2)[-1].strip().split("\n", 1)[-1].strip()
    table = pl.read_csv(results / "tables" / "results.csv", infer_schema_length=None)
    index = model_index(config, results, name)
    fields = {
        **({"license": release.license} if release.license else {}),
        **{"library_name": "transformers", "pipeline_tag": "text-generation", "tags": ["reasonlite-snakemake", "trl"]},
        **({"model-index": index} if index else {}),
    }
    header, body = layout.wide(table)
    return "\n".join(
        [
            *_front(fields),
            *(f"# {name}", "", release.description, "", trained, ""),
            *("## Results", "", layout.markdown(header, body, layout.NOTE)),
        ]
    )
