from reasonlite.judge.equivalence import compare as compare
from reasonlite.judge.equivalence import compare_with_label as compare_with_label
from reasonlite.judge.extraction import extract as extract
from reasonlite.judge.extraction import last_boxed as last_boxed
from reasonlite.judge.verdicts import Verdict as Verdict

__all__ = ["Verdict", "compare", "compare_with_label", "extract", "last_boxed"]
