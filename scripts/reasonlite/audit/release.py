"""A release: what others need to cite and check a run, in one archive with RO-Crate metadata.

manifest.json, tables/, figures/, report.html, cards/    from the results
browse/                                                  pages over its problems and answers, a stated sample
config/, envs/, workflow/                                what made them
SHA256SUMS                                               every file above
sbom.cdx.json                                            the packages of the environment (CycloneDX)
ro-crate-metadata.json                                   who, what, under which licence, and every step that was run
"""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reasonlite.audit import cards, crate
from reasonlite.audit import manifest as manifests
from reasonlite.audit.sides import MOST_BYTES, MOST_FILES
from reasonlite.audit.verifying import Fault
from reasonlite.config.experiment import Config, Experiment
from reasonlite.core.errors import UserError
from reasonlite.core.files import atomic_path, sha256_file, write_json

SUMS, SBOM = "SHA256SUMS", "sbom.cdx.json"
# all that a run needs, so that the archive can be run again
WORKFLOW = (
    *("Snakefile", "rules", "scripts", "envs", "profiles/default", "Makefile", "config/published", "config/rates.yaml"),
    *("README.md", "LICENSE", "CITATION.cff"),
)
PARTS = ("tables/", "figures/")
PAGES = "browse"


def build(
    results: Path, root: Path, config: Experiment, config_file: Path, output: Path, pages: Path | None = None
) -> int:
    """Write the archive; the number of its files. The results must be what their manifest says.

    ``pages``: a folder of static pages over the results, which the archive takes in.
    """
    manifest = manifests.read(results / manifests.NAME)
    missing = [name for name in manifest["outputs"] if name.startswith(PARTS) and not (results / name).is_file()]
    if missing:
        raise UserError(f"{missing[0]} is missing", where=results, todo="run the workflow, then make the release again")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "release"
        folder.mkdir()
        for target, source in _gathered(results, root, manifest, config_file):
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / target)
        if isinstance(config, Config):
            _cards(folder / "cards", config, results)
        if pages is not None:
            shutil.copytree(pages, folder / PAGES)
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        sums = {name: sha256_file(folder / name) for name in names}
        sums[SBOM] = _sbom(folder, config.environment.lock.name, manifest)
        crate.write(folder, _about(config), manifest, sums, PAGES)
        sums[crate.NAME] = sha256_file(folder / crate.NAME)
        (folder / SUMS).write_text("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))
        with atomic_path(output) as temporary:
            _pack(folder, [*sums, SUMS], temporary, config.experiment)
    return len(sums) + 1


def _gathered(results: Path, root: Path, manifest: dict[str, Any], config_file: Path) -> Iterator[tuple[str, Path]]:
    yield manifests.NAME, results / manifests.NAME
    yield from ((name, results / name) for name in manifest["outputs"] if name.startswith(PARTS))
    if (results / "report.html").is_file():
        yield "report.html", results / "report.html"
    yield f"config/{config_file.name}", config_file
    for path in [*sorted((root / "config" / "published").glob("*.csv")), *sorted((root / "envs").glob("*.lock"))]:
        yield path.relative_to(root).as_posix(), path
    for name in WORKFLOW:
        path = root / name
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".sif":  # no container image
                yield f"workflow/{file.relative_to(root).as_posix()}", file


def _cards(folder: Path, config: Config, results: Path) -> None:
    (folder / "models").mkdir(parents=True)
    (folder / "dataset.md").write_text(cards.dataset_card(config, results), encoding="utf-8")
    for stage in config.stages:
        if (results / "checkpoints" / stage.name / "README.md").is_file():
            (folder / "models" / f"{stage.name}.md").write_text(cards.model_card(config, results, stage.name), "utf-8")


def _about(config: Experiment) -> dict[str, Any]:
    release = config.release
    return {
        "name": release.title or config.experiment,
        "description": release.description or f"Results of the experiment {config.experiment}.",
        "license": release.license or cards.UNSTATED,
        "authors": release.authors,
    }


def _sbom(folder: Path, lock: str, manifest: dict[str, Any]) -> str:
    """The packages of the lock that the run was made with, as CycloneDX 1.6; the file's hash."""
    packages = manifest["locks"].get(manifest["lock"], {})
    components = [
        {"type": "library", "name": name, "version": number, "purl": f"pkg:pypi/{name}@{number}"}
        for name, number in sorted(packages.items())
    ]
    root = {"type": "application", "name": lock, "hashes": [{"alg": "SHA-256", "content": manifest["lock"]}]}
    whole = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}
    write_json(folder / SBOM, whole | {"metadata": {"component": root}, "components": components})
    return sha256_file(folder / SBOM)


def _pack(folder: Path, names: list[str], target: Path, experiment: str) -> None:
    """The same files give the same archive: no times, owners or order of the file system."""
    with (
        target.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(names):
            content = (folder / name).read_bytes()
            entry = tarfile.TarInfo(f"{experiment}/{name}")
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))


def verify(archive: Path) -> tuple[int, list[Fault]]:
    """Number of files, and every way in which an archive is not what it says; nothing is written."""
    found: dict[str, str] = {}
    texts: dict[str, str] = {}
    try:
        with tarfile.open(archive, "r:gz") as opened:
            whole = 0
            for member in opened:
                name = member.name.split("/", 1)[-1]
                whole += member.size
                if whole > MOST_BYTES or len(found) > MOST_FILES:
                    raise UserError("unpacks to more than a release does", where=archive, todo="do not use it")
                if name in found:
                    raise UserError(f"holds {member.name} twice", where=archive, todo="do not use it")
                handle = opened.extractfile(member) if member.isfile() else None  # no link is followed
                if handle is None or name.startswith("/") or ".." in Path(name).parts:
                    raise UserError(f"holds something that is no plain file: {member.name}", where=archive)
                content = handle.read()
                found[name] = hashlib.sha256(content).hexdigest()
                if name in {SUMS, manifests.NAME}:
                    texts[name] = content.decode("utf-8", "replace")
    except FileNotFoundError:
        raise UserError("no such file", where=archive) from None
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise UserError(f"is not a whole release ({error})", where=archive, todo="fetch it again") from None
    if texts.keys() != {SUMS, manifests.NAME}:
        raise UserError(f"has no {SUMS} or no {manifests.NAME}", where=archive, todo="name a release")
    lines = [line.split("  ", 1) for line in texts[SUMS].splitlines() if "  " in line]
    said = {name: digest for digest, name in lines}
    faults = [Fault(name, "missing") for name in said if name not in found]
    faults += [Fault(name, "extra") for name in found if name not in {*said, SUMS}]
    faults += [Fault(name, "altered") for name in found if name in said and found[name] != said[name]]
    entries = manifests.parse(texts[manifests.NAME], archive)["outputs"]
    for name in found:
        if name.startswith(PARTS) and entries.get(name, {}).get("sha256") != found[name]:
            faults.append(Fault(name, "not as in the manifest"))
    return len(found), sorted(faults)
