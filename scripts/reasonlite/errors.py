"""What a user is told when something is wrong: what, where, and what to do next."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence


class UserError(Exception):
    """A mistake in the user's input. Its text is the whole message; no traceback is shown.

    ``where`` is a file, line or key; ``todo`` the next step for the user.
    """

    def __init__(self, what: str, *, where: object = None, todo: str | None = None) -> None:
        parts = [f"{where}: {what}" if where is not None else what]
        if todo:
            parts.append(f"  what to do: {todo}")
        super().__init__("\n".join(parts))


def run_main(main: Callable[[Sequence[str] | None], int | None]) -> None:
    """Run a script's ``main`` and exit: 0 on success, 2 with a plain message on a `UserError`."""
    try:
        code = main(None)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(code or 0)
