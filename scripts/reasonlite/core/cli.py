"""What the scripts' command lines share."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from reasonlite.core.paths import expanded


def parser(description: str | None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def json_of(kind: Any) -> Callable[[str], Any]:
    """An argparse type: JSON text checked against a type of `reasonlite.config`.

    ``@FILE:KEY`` takes that key of a JSON file, for what may be too long for an argument.
    """
    adapter = TypeAdapter(kind)

    def convert(text: str) -> Any:
        try:
            return adapter.validate_python(_from_file(text[1:]) if text.startswith("@") else json.loads(text))
        except OSError as error:
            raise argparse.ArgumentTypeError(f"cannot be read: {error}") from None
        except (ValueError, ValidationError) as error:
            raise argparse.ArgumentTypeError(f"cannot be used: {error}") from None

    return convert


def _from_file(text: str) -> Any:
    file, _, key = text.rpartition(":")
    found = json.loads(Path(file).read_text(encoding="utf-8"))
    if key not in found:
        raise ValueError(f"{file} has no key {key!r}")
    return found[key]


class Paths(argparse.Action):
    """Files, any number of them; ``votes/{00000..00342}.parquet`` and ``{medium,high}`` as in the shell."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **{"nargs": "+", "metavar": "FILE", **settings})

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        setattr(namespace, self.dest, [Path(path) for value in values for path in expanded(value)])
