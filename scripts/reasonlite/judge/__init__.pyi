from reasonlite.judge.equivalence import compare as compare
from reasonlite.judge.extraction import extract as extract
from reasonlite.judge.extraction import last_boxed as last_boxed
from reasonlite.judge.verdicts import Verdict as Verdict

__all__ = ["Verdict", "compare", "extract", "last_boxed"]
