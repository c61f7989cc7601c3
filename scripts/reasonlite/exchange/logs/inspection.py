"""Inspect: a log file .json, or .eval, which is a zip of header.json and a file for each sample and epoch.

Written against log format 2 (inspect_ai 0.3); read here, because the library's pins do not go with the workflow's. The
tests compare with what the library itself reads.
"""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zipfile_zstd  # noqa: F401  # teaches zipfile the compression of .eval files
import zstandard

from reasonlite.config.recorded import InspectLog
from reasonlite.core.errors import UserError
from reasonlite.exchange.logs import Drawn, Opened, choose, lacking

VERSION = 2
# correct, partial, incorrect, no answer: the library's letters; and its words
VALUES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
MEANS = (None, "mean")  # reducers of epochs
CUT = {"max_tokens", "model_length"}
ATTACHMENT = "attachment://"
MEMBER_BYTES = 256 * 2**20  # of one sample unpacked: more is no log of answers


def read(path: Path, log: InspectLog) -> Opened:
    """A log with its settings and its stated score (accuracy, else mean)."""
    header, samples = _archive(path) if zipfile.is_zipfile(path) else _document(path)
    if not isinstance(header.get("eval"), dict):
        raise lacking(path, "Inspect", "0.3", "eval")
    if header.get("version") != VERSION:
        raise UserError(
            f"is a log of format {header.get('version')!r}, and format {VERSION} is read here",
            where=path,
            todo="convert it with: inspect log convert",
        )
    if header.get("status") != "success":
        todo = "finish it with: inspect eval-retry"
        raise UserError(f"its run ended with status {header.get('status')!r}", where=path, todo=todo)
    ran = header["eval"]
    generation = ran.get("model_generate_config") or {}
    settings = {
        "task": ran.get("task"),
        "model": ran.get("model"),
        "solver": (header.get("plan") or {}).get("name"),
        "steps": (header.get("plan") or {}).get("steps"),
        "epochs": (ran.get("config") or {}).get("epochs"),
        "generation": {key: value for key, value in generation.items() if value is not None},
        "packages": ran.get("packages"),
    }
    # of several ways to put epochs together the mean is the one that verdicts can be compared with
    told = [score for score in (header.get("results") or {}).get("scores") or [] if score.get("reducer") in MEANS]
    scorers = list(dict.fromkeys(score["name"] for score in told))
    chosen = choose(log.verdict, scorers, "scorer", "verdict", path) if scorers else log.verdict
    of = next((score.get("scorer") for score in told if score["name"] == chosen), None)
    known = {key: value for key, value in settings.items() if value is not None} | {"scorer": chosen}
    return Opened(_drawn(path, samples, (chosen, of)), known, _stated(told, chosen))


def _stated(scores: list[dict[str, Any]], chosen: str | None) -> float | None:
    """The score that the log states: accuracy, else mean."""
    for score in scores:
        if score["name"] == chosen:
            values = score.get("metrics") or {}
            for name in ("accuracy", "mean"):
                if name in values:
                    return float(values[name]["value"])
    return None


def _document(path: Path) -> tuple[dict[str, Any], Iterator[tuple[str, dict[str, Any]]]]:
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"is neither an .eval file nor JSON: {error}", where=path) from None
    if not isinstance(whole, dict):
        raise lacking(path, "Inspect", "0.3", "eval")
    listed = whole.get("samples") or []
    return whole, ((f"{path}: sample {place}", sample) for place, sample in enumerate(listed))


def _archive(path: Path) -> tuple[dict[str, Any], Iterator[tuple[str, dict[str, Any]]]]:
    with _opened(path) as archive:
        return _member(archive, path, "header.json"), _samples(path)


def _samples(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with _opened(path) as archive:  # once: its list of members is read anew each time
        # a sample that was scored again stands twice; the last one counts, as for the library
        for name in dict.fromkeys(name for name in archive.namelist() if name.startswith("samples/")):
            yield f"{path}: {name}", _member(archive, path, name)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise UserError(f"cannot be read: {error}", where=path) from None


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> dict[str, Any]:
    try:
        if archive.getinfo(name).file_size > MEMBER_BYTES:
            raise UserError(f"unpacks to more than {MEMBER_BYTES // 2**20} MiB", where=f"{path}: {name}")
        found = json.loads(archive.read(name))
    except KeyError:
        todo = "the run did not end: finish it with inspect eval-retry"
        raise UserError(f"has no {name}", where=path, todo=todo) from None
    except (zipfile.BadZipFile, zlib.error, zstandard.ZstdError, NotImplementedError, ValueError, OSError) as error:
        raise UserError(f"cannot be read: {error}", where=f"{path}: {name}") from None
    if not isinstance(found, dict):
        raise lacking(f"{path}: {name}", "Inspect", "0.3", "sample")
    return found


def _drawn(
    path: Path, samples: Iterator[tuple[str, dict[str, Any]]], chosen: tuple[str | None, str | None]
) -> Iterator[Drawn]:
    empty = True
    for where, sample in samples:
        empty = False
        for key in ("id", "epoch", "input", "target"):
            if key not in sample:
                raise lacking(where, "Inspect", "0.3", key)
        attached = sample.get("attachments") or {}
        choice = next(iter((sample.get("output") or {}).get("choices") or []), None)
        score = _score(sample.get("scores") or {}, *chosen)
        target = sample["target"]
        usage = (sample.get("output") or {}).get("usage") or {}
        error = sample.get("error") or {}
        metadata = [value for value in (sample.get("metadata") or {}).values() if isinstance(value, str)]
        asked = [message for message in sample.get("messages") or [] if message.get("role") in ("system", "user")]
        yield Drawn(
            where,
            [_text(sample["input"], attached), *metadata],
            str(sample["id"]),
            _reply(choice, attached) if choice and not error else None,
            number=int(sample["epoch"]) - 1,
            target=str(target[0] if isinstance(target, list) and target else target),
            score=_value(score.get("value")),
            extracted=score.get("answer"),
            prompt="\n\n".join(_text(message.get("content"), attached) for message in asked) or None,
            tokens=usage.get("output_tokens"),
            finish_reason=None if not choice else "length" if choice.get("stop_reason") in CUT else "stop",
            error=str(error.get("message") or "the log has no reply") if error or not choice else None,
        )
    if empty:
        raise UserError("holds no samples", where=path, todo="it is only a header: read the log with its samples")


def _score(scores: dict[str, Any], name: str | None, scorer: str | None) -> dict[str, Any]:
    """A sample's score by its name; a scorer that gives several values at once has them under their names."""
    found: dict[str, Any] = scores.get(str(name)) or scores.get(str(scorer)) or {}
    value = found.get("value")
    return found | {"value": value.get(name)} if isinstance(value, dict) else found


def _value(value: Any) -> float | None:
    """A score as a number, by the library's own table; None for what is no number, such as one that was left out."""
    if isinstance(value, str):
        known = VALUES.get(value, VALUES.get(value.lower()))
        if known is not None:
            return known
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _reply(choice: dict[str, Any], attached: dict[str, str]) -> str:
    return _text((choice.get("message") or {}).get("content"), attached)


def _text(content: Any, attached: dict[str, str]) -> str:
    """A message's text: plain, or parts of it, of which reasoning is set apart as think tags do it."""
    if content is None:
        return ""
    if isinstance(content, str):
        return attached.get(content.removeprefix(ATTACHMENT), content) if content.startswith(ATTACHMENT) else content
    found = []
    for part in content:
        if "role" in part:  # an input of several messages
            found.append(_text(part.get("content"), attached))
        elif part.get("type") == "reasoning":
            found.append(f"<think>\n{_text(part.get('reasoning') or part.get('summary'), attached)}\n</think>")
        elif part.get("type") == "text":
            found.append(_text(part.get("text"), attached))
    return "".join(found) if not any("role" in part for part in content) else "\n\n".join(found)
