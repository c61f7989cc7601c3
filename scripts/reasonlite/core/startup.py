"""How a program starts and ends quickly: Python seldom looks for cyclic garbage, and takes nothing apart at the end.

The imports of torch, transformers and vLLM make millions of objects that all stay. Looking through them again and
again took a fifth of the imports' time, and taking them apart at the end four seconds (docs/findings.md).
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import sys
from typing import NoReturn

USUAL = gc.get_threshold()
SELDOM = (100_000, 50, 100)
_codes: list[int] = []


def begin() -> None:
    """Called when a program starts; what never calls `done` looks seldom to its end."""
    gc.set_threshold(*SELDOM)
    atexit.unregister(_end)  # a program that another one has become begins twice
    atexit.register(_end)


def loaded() -> None:
    """Called when a program's libraries are there: they are not looked through any more."""
    gc.freeze()


def done() -> None:
    """Called when the work begins: what is there now stays, and is not looked through any more.

    After an error it is again, or libraries that count their objects then (Triton's) tell of hundreds that are left.
    """
    loaded()
    atexit.register(gc.unfreeze)
    gc.set_threshold(*USUAL)


def leave(code: int) -> NoReturn:
    """End the program as `sys.exit` does; with torch's objects without taking them apart one by one."""
    _codes[:] = [code] if "torch" in sys.modules else []
    sys.exit(code)


def _end() -> None:
    """The last of what is done at the end, because it was registered first: threads are joined by then."""
    if not _codes:
        return
    try:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads any more; Python has its own way to say so
        return
    os._exit(_codes[0])
