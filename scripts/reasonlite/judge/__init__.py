"""The judge: reads final answers out of text and says whether two of them are the same, and why.

It gives ``extract`` and ``compare`` with their verdicts, to this workflow and to other programs alike. It never
knows problems, labels, votes or files, and imports nothing of the other rooms.

    from reasonlite.judge import compare, extract

    answer = extract(r"So the probability is \\boxed{\\frac12}.")  # "\\frac12"
    compare(answer, "50%")  # Verdict(verdict="equal", method="percent")
"""

from __future__ import annotations

import importlib
from typing import Any

# loaded when asked for: extracting answers is a matter of one module, comparing them of many
_HOMES = {
    "Verdict": "reasonlite.judge.verdicts",
    "compare": "reasonlite.judge.equivalence",
    "compare_with_label": "reasonlite.judge.equivalence",
    "extract": "reasonlite.judge.extraction",
    "last_boxed": "reasonlite.judge.extraction",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
