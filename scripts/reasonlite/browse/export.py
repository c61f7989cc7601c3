"""The same pages as files that need no server: whole for a small run, a stated sample of problems for a large one."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from reasonlite.browse import benchmarks, problems, views
from reasonlite.browse.folder import Missing
from reasonlite.browse.site import PAGES, Ask, Site
from reasonlite.core.errors import UserError
from reasonlite.core.files import atomic_path

STATIC = ("style.css", "page.js", "icon.svg")
Pairs = list[tuple[str, str]]
SEED = 0  # of the sample


def write(site: Site, folder: Path, most: int) -> tuple[int, str]:
    """Write all pages into ``folder``, which must be new or empty; how many, and what is left out in words.

    At most ``most`` problems of the training data, and of each benchmark, have a page of their own.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError("is there already", where=folder, todo="name a new folder, or delete this one first")
    chosen, told = _chosen(site, most)
    plan = list(_plan(site, chosen))
    names = {(view, tuple(sorted(pairs))): name for view, pairs, name in plan}
    fixed = Site(
        site.folder,
        site.root,
        site.against,
        link=lambda view, pairs: names.get((view, tuple(sorted(pairs)))),
        fixed=True,
        sample=told,
        chosen=chosen,
    )
    count = 0
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        for name in STATIC:
            shutil.copyfile(PAGES / name, temporary / name)
        for view, pairs, name in plan:
            target = temporary / name
            if target.exists():  # a page with two addresses
                continue
            target.parent.mkdir(exist_ok=True)
            if view == "file":
                shutil.copyfile(site.folder.inside(name), target)
            elif view == "picture":
                asked = dict(pairs)
                shutil.copyfile(fixed.states().pictures[asked["name"]][asked["side"] == "1"], target)
            else:
                target.write_text(_page(fixed, view, pairs), encoding="utf-8")
                count += 1
    return count, told


def _page(site: Site, view: str, pairs: Pairs) -> str:
    """A page; where what it shows cannot be read, one that says so, for links lead to it."""
    try:
        return views.page(site, view, Ask(pairs))
    except Missing as error:
        return site.render("missing", {"said": str(error)})


def _chosen(site: Site, most: int) -> tuple[dict[str, list[str]], str]:
    """Ids that have a page of their own, of the training problems ("") and of each benchmark, and what is left out."""
    table = problems.index(site.folder).table
    found, told = {}, []
    if table.height > most:
        told.append(f"{most:,} of {table.height:,} problems")
    found[""] = _sampled(table["id"].to_list(), most)
    for name in benchmarks.evaluated(site.folder):
        ids = benchmarks.pass_rates(site.folder, name).table["problem_id"].to_list()
        if len(ids) > most:
            told.append(f"{most:,} of the {len(ids):,} problems of {name}")
        found[name] = _sampled(ids, most)
    return found, f"A sample, drawn by hash: {', '.join(told)}." if told else ""


def _sampled(ids: list[str], most: int) -> list[str]:
    """At most ``most`` ids in their order; the same ones each time."""
    if len(ids) <= most:
        return ids
    kept = set(sorted(ids, key=lambda name: hashlib.sha256(f"{SEED}/{name}".encode()).digest())[:most])
    return [name for name in ids if name in kept]


def _plan(site: Site, chosen: dict[str, list[str]]) -> Iterator[tuple[str, Pairs, str]]:
    """Every page as view, what its address asks for, and its file."""
    folder = site.folder
    yield "overview", [], "index.html"
    if chosen[""]:
        yield "problems", [], "problems.html"
    yield from (("problem", [("id", name)], f"problem-{_slug(name)}.html") for name in chosen[""])
    found = [name for name in chosen if name]
    for place, name in enumerate(found):
        yield "benchmarks", [("name", name)], f"benchmark-{_slug(name)}.html"
        if not place:
            yield "benchmarks", [], f"benchmark-{_slug(name)}.html"
        for each in chosen[name]:
            pairs = [("benchmark", name), ("id", each)]
            yield "question", pairs, f"question-{_slug(f'{name}-{each}')}.html"
    if folder.files("training/*.parquet") or folder.files("curriculum/*/*.parquet"):
        yield "training", [], "training.html"
    tables = [path.stem for path in folder.files("tables/*.csv")]
    figures = [path.relative_to(folder.path).as_posix() for path in folder.files("figures/*.svg")]
    yield from (("table", [("name", name)], f"table-{name}.html") for name in tables)
    yield from (("file", [("name", name)], name) for name in figures)
    manifest = folder.manifest()
    for path in [*(f"tables/{name}.csv" for name in tables), *figures]:
        if manifest is not None and path in manifest["outputs"]:
            yield "origin", [("path", path)], f"origin-{_slug(path)}.html"
    results = folder.results()
    if manifest is not None and results is not None and "tables/results.csv" in manifest["outputs"]:
        for model, benchmark in results.select("model", "benchmark").unique(maintain_order=True).iter_rows():
            row = [("path", "tables/results.csv"), ("row", f"{model},{benchmark}")]
            yield "origin", row, f"origin-{_slug(f'results-{model}-{benchmark}')}.html"
    yield from _states(site)


def _states(site: Site) -> Iterator[tuple[str, Pairs, str]]:
    try:
        found = site.states()
    except Missing:
        return
    yield "states", [], "changes.html"
    for name in found.pictures:
        for side in ("0", "1"):
            yield "picture", [("name", name), ("side", side)], f"pictures/{name}-{side}.png"


def _slug(name: str) -> str:
    """A name for a file; where signs had to be replaced a hash keeps it apart from others."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:60]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
