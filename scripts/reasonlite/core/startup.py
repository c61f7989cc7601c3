"""How often Python looks for cyclic garbage: seldom while a program starts, as usual once its work begins.

The imports of torch, transformers and vLLM make millions of objects that all stay. Looking through them again and
again took a fifth of the imports' time.
"""

from __future__ import annotations

import atexit
import gc

USUAL = gc.get_threshold()
SELDOM = (100_000, 50, 100)


def begin() -> None:
    """Called when a program starts; what never calls `done` looks seldom to its end."""
    gc.set_threshold(*SELDOM)


def done() -> None:
    """Called when the work begins: what is there now stays, and is not looked through any more.

    At the end it is again, or libraries that count their objects then (Triton's) tell of hundreds that are left.
    """
    gc.freeze()
    atexit.register(gc.unfreeze)
    gc.set_threshold(*USUAL)
