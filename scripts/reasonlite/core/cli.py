"""What the scripts' command lines share."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError


def parser(description: str | None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def json_of(kind: Any) -> Callable[[str], Any]:
    """An argparse type: JSON text checked against a type of `reasonlite.config`."""
    adapter = TypeAdapter(kind)

    def convert(text: str) -> Any:
        try:
            return adapter.validate_python(json.loads(text))
        except (ValueError, ValidationError) as error:
            raise argparse.ArgumentTypeError(f"cannot be used: {error}") from None

    return convert
