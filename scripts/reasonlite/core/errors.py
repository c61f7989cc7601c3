"""What a user is told when something is wrong: what, where, and what to do next."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Sequence

from reasonlite.core import startup

ROOM = "free or add space (results are large: snakemake estimate), then run again; nothing is lost"
RIGHTS = "make the place writable, or work in a copy that is"
SURROUNDINGS = {
    errno.ENOSPC: ("the disk is full", ROOM),
    errno.EDQUOT: ("the quota is used up", ROOM),
    errno.EROFS: ("the file system is read-only", RIGHTS),
    errno.EACCES: ("no right to write or read there", RIGHTS),
    errno.EPERM: ("no right to write or read there", RIGHTS),
}
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: nothing is wrong with the input, the same command continues


class UserError(Exception):
    """A mistake in the user's input. Its text is the whole message; no traceback is shown.

    ``where`` is a file, line or key; ``todo`` the next step for the user.
    """

    def __init__(self, what: str, *, where: object = None, todo: str | None = None) -> None:
        parts = [f"{where}: {what}" if where is not None else what]
        if todo:
            parts.append(f"  what to do: {todo}")
        super().__init__("\n".join(parts))


def surroundings(error: OSError) -> UserError | None:
    """What a user is told when disk, quota or rights end a job; None for any other error."""
    if error.errno not in SURROUNDINGS:
        return None
    what, todo = SURROUNDINGS[error.errno]
    return UserError(what, where=error.filename, todo=todo)


def run_main(main: Callable[[Sequence[str] | None], int | None]) -> None:
    """Run a script's ``main`` and exit: 0 on success, 2 with a plain message on a `UserError`, 130 after Ctrl-C.

    A status that ``main`` asks for by `sys.exit` is kept.
    """
    startup.begin()
    try:
        code = main(None)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on where this one was", file=sys.stderr)
        code = 130
    except SystemExit as asked:  # the job is to be tried again, or argparse has shown its help
        if not isinstance(asked.code, int | None):
            raise
        code = asked.code
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except OSError as error:  # of the place where it runs; others are mistakes of ours and show where
        known = surroundings(error)
        if known is None:
            raise
        print(f"error: {known}", file=sys.stderr)
        code = 2
    if main.__module__ != "__main__":  # called by a program that goes on, as tests do
        sys.exit(code or 0)
    startup.leave(code or 0)
