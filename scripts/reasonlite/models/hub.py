"""Snapshots of the hub's repositories in the hub's own cache: with progress, and with plain words for what may fail.

Does not know what the files are for. A token is read by the hub's library alone and never stands in a message.
"""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import Any, Literal

from reasonlite.core.errors import UserError
from reasonlite.core.logs import get_logger
from reasonlite.core.pace import Pace
from reasonlite.core.stalls import Guard

log = get_logger(__name__)
MB = 1_000_000


def download(repo: str, revision: str, kind: Literal["model", "dataset"], files: list[str] | None = None) -> Path:
    """The folder of a pinned snapshot; files that the cache holds whole are not fetched again.

    ``files``: globs of those wanted. The hub's settings apply: HF_TOKEN, HF_ENDPOINT for a mirror, HF_HOME and
    HF_HUB_CACHE for the place, HF_HUB_OFFLINE to take what is there and ask nobody.
    """
    from huggingface_hub import constants, is_offline_mode, snapshot_download

    get = functools.partial(snapshot_download, repo, revision=revision, repo_type=kind, allow_patterns=files)
    where = f"{kind} {repo} at {revision}"
    try:
        if is_offline_mode():
            return Path(get(local_files_only=True))
        pace = Pace("MB")
        wanted: Any = get(dry_run=True, tqdm_class=_bars(pace, 0, None))
        total = sum(file.file_size or 0 for file in wanted)
        lacking = sum(file.file_size or 0 for file in wanted if file.will_download)
        _check_space(Path(constants.HF_HUB_CACHE), lacking, where)
        log.info("%s: %d files, %d MB, %d MB of them to fetch", where, len(wanted), total // MB, lacking // MB)
        with Guard("byte of a download") as guard:
            folder = get(tqdm_class=_bars(pace, lacking, guard))
        if lacking:
            pace.tell(lacking // MB, lacking // MB, now=True)
        return Path(folder)
    except UserError:
        raise
    except Exception as error:
        raise _told(error, where) from None


def _check_space(cache: Path, lacking: int, where: str) -> None:
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if lacking > free:
        raise UserError(
            f"{lacking // MB:,} MB are to be fetched and {free // MB:,} MB are free in {cache}",
            where=where,
            todo="free space there, or set HF_HOME to a folder on a larger file system",
        )


def _told(error: Exception, where: str) -> UserError:
    """What went wrong, and what to do, for the errors of the hub's library, of HTTP and of the disk."""
    from huggingface_hub import constants, errors, get_token

    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.GatedRepoError | errors.RepositoryNotFoundError) or status in (401, 403):
        gated = isinstance(error, errors.GatedRepoError)
        what = "it is gated: its owner lets in who has asked" if gated else "the hub does not show it to you"
        if get_token() is None:
            todo = "set HF_TOKEN to a token of yours (hub: Settings, Access Tokens)"
            todo += ", and ask for access on its page" if gated else "; if it needs none, check the repository's name"
            return UserError(f"{what}, and HF_TOKEN is not set", where=where, todo=todo)
        todo = "ask for access on its page, or use a token that may read it" if gated else "check name and token"
        return UserError(f"{what}, the token that is set notwithstanding", where=where, todo=todo)
    if isinstance(error, errors.RevisionNotFoundError | errors.EntryNotFoundError) and status == 404:
        return UserError(f"has no such revision or file: {reason}", where=where, todo="correct revision or files")
    if constants.HF_HUB_OFFLINE:
        todo = "unset HF_HUB_OFFLINE where the network can be reached, or copy the hub's cache here (HF_HOME)"
        return UserError(
            "is not whole in the hub's cache, and HF_HUB_OFFLINE forbids to fetch it", where=where, todo=todo
        )
    todo = f"see whether {constants.ENDPOINT} can be reached from here; a mirror is set by HF_ENDPOINT; files that came"
    todo += " whole are kept, so run again; or fetch it elsewhere and give it as a local path"
    return UserError(f"cannot be had from the hub: {reason}", where=where, todo=todo)


def _bars(pace: Pace, lacking: int, guard: Guard | None) -> type:
    """A class in place of the hub's progress bars that tells the bytes as lines in the log."""
    from huggingface_hub.utils.tqdm import tqdm  # of this class alone the hub says which bar is for what

    class Told(tqdm):
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            self._of_bytes = settings.get("name") == "huggingface_hub.snapshot_download"
            super().__init__(*arguments, **{**settings, "disable": True})
            self._seen = 0

        def update(self, n: float | None = 1) -> None:
            if self._of_bytes and lacking:
                self._seen += int(n or 0)
                if guard is not None:
                    guard.beat()
                pace.tell(min(self._seen, lacking) // MB, lacking // MB)

    return Told
