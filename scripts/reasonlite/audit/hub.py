"""What goes to the hub: the training data with its card, and a model with its card. Nothing is sent unasked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from reasonlite.audit import cards
from reasonlite.audit.scores import eval_results
from reasonlite.config.experiment import Config
from reasonlite.core.errors import UserError


def plan(results: Path, config: Config, stage: str | None) -> Iterator[tuple[str, Path | str]]:
    """Name in the repository, and the file or the text that goes there: of a stage's model, or of the data set."""
    if stage is None:
        yield "README.md", cards.dataset_card(config, results)
        for stratum in config.strata:
            files = sorted((results / "curriculum" / stratum).glob("*.parquet"))
            if not files:
                raise UserError("has no files", where=results / "curriculum" / stratum, todo="run the workflow first")
            yield from ((f"{stratum}/{file.name}", file) for file in files)
    else:
        folder = results / "checkpoints" / stage
        if not (folder / "config.json").is_file():
            raise UserError("no such checkpoint", where=folder, todo="name a stage of the config that was trained")
        yield "README.md", cards.model_card(config, results, stage)
        yield from eval_results(config, results, stage).items()
        yield from (
            (file.name, file) for file in sorted(folder.iterdir()) if file.is_file() and file.name != "README.md"
        )
    yield "manifest.json", results / "manifest.json"


def send(repo: str, kind: str, files: list[tuple[str, Path | str]], private: bool) -> str:
    """Make the repository if need be and upload all in one commit; its address. ``kind``: dataset or model."""
    import httpx
    from huggingface_hub import HfApi

    with tempfile.TemporaryDirectory() as scratch:
        for name, content in files:
            target = Path(scratch) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                _place(content, target)
            else:
                target.write_text(content, encoding="utf-8")
        try:
            api = HfApi()
            api.create_repo(repo, repo_type=kind, private=private, exist_ok=True)
            done = api.upload_folder(repo_id=repo, repo_type=kind, folder_path=scratch)
        except (httpx.HTTPError, OSError, ValueError) as error:
            todo = "check the network and the name, or log in with: hf auth login; then send it again"
            raise UserError(f"the hub did not take it: {error}", where=repo, todo=todo) from None
    return str(done.commit_url)


def _place(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source.resolve())
    except OSError:
        shutil.copyfile(source, target)
