"""The judge in the forms that other programs call: TRL's rewards, Inspect's scorers, lighteval's metrics.

A library is imported when its form is asked for, so that this module costs nothing where it is not installed. What
the rules leave undecided earns nothing anywhere, and is said to be undecided where the form has room for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from reasonlite.judge.equivalence import compare
from reasonlite.judge.extraction import extract
from reasonlite.judge.verdicts import Verdict, best, different

if TYPE_CHECKING:
    from inspect_ai.scorer import Scorer
    from lighteval.metrics.utils.metric_utils import SampleLevelMetric

NO_ANSWER = different("no answer")


class Grade(NamedTuple):
    """A reply's final answer, None if it has none, and the verdict beside the label that suits it best."""

    answer: str | None
    verdict: Verdict


def grade(reply: str, labels: str | Sequence[str], *, prose: bool = True) -> Grade:
    """Judge a whole reply. ``labels``: one, or several of which any counts; each may be a worked solution.

    Of a reply that reasons between think tags only what follows counts: one that is cut off in its reasoning has no
    answer. ``prose`` as in ``extract``: also an answer that stands in no box and behind no mark.
    """
    _, closed, said = reply.rpartition("</think>")  # the whole reply if there is none
    if not closed and "<think>" in reply:
        return Grade(None, NO_ANSWER)
    answer = extract(said, prose=prose)
    if answer is None:
        return Grade(None, NO_ANSWER)
    golds = [labels] if isinstance(labels, str) else labels
    verdicts = [compare(extract(gold, prose=True) or gold, answer) for gold in golds]
    return Grade(answer, best(verdicts or [NO_ANSWER]))


def reward(completions: Sequence[Any], answer: Sequence[str], **_: Any) -> list[float]:
    """A reward function for TRL's trainers: 1 for a completion equal to its row's column ``answer``, else 0.

    ``completions``: texts, or conversations of which the last message counts. An answer has to be marked as one, in a
    box or by words: a reward for any last number in a text would be earned by numbers.
    """
    pairs = zip(map(text_of, completions), answer, strict=True)
    return [float(grade(text, label, prose=False).verdict.is_equal) for text, label in pairs]


def text_of(completion: Any) -> str:
    """The reply's text; TRL gives a conversation's completion as a list of one message."""
    return completion if isinstance(completion, str) else completion[-1]["content"]


def inspect_scorer(*, prose: bool = True) -> Scorer:
    """A scorer for Inspect: ``Task(…, scorer=inspect_scorer())``. The score's metadata has verdict and method."""
    from inspect_ai.scorer import CORRECT, INCORRECT, NOANSWER, Score, Target, accuracy, scorer, stderr
    from inspect_ai.solver import TaskState

    @scorer(metrics=[accuracy(), stderr()], name="reasonlite")
    def equivalent() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            answer, verdict = grade(state.output.completion, list(target), prose=prose)
            value = NOANSWER if answer is None else CORRECT if verdict.is_equal else INCORRECT
            said = {"verdict": verdict.verdict, "method": verdict.method}
            return Score(value=value, answer=answer, explanation=f"{verdict.verdict}: {verdict.method}", metadata=said)

        return score

    return equivalent()


def lighteval_metric(*, prose: bool = True) -> SampleLevelMetric:
    """A metric for lighteval's tasks: the share of a sample's texts that are equal to one of its golds."""
    import numpy as np
    from lighteval.metrics.metrics_sample import SampleLevelComputation
    from lighteval.metrics.utils.metric_utils import SampleLevelMetric
    from lighteval.tasks.requests import SamplingMethod

    class Equivalence(SampleLevelComputation):
        """Final answers that mean the same as the gold, by reasonlite's judge."""

        def compute(self, doc: Any, model_response: Any, **_: Any) -> float:
            found = [grade(text, doc.get_golds(), prose=prose) for text in model_response.final_text]
            return float(np.mean([each.verdict.is_equal for each in found])) if found else 0.0

    return SampleLevelMetric(
        metric_name="reasonlite_equivalence",
        sample_level_fn=Equivalence(),
        category=SamplingMethod.GENERATIVE,
        corpus_level_fn=np.mean,
        higher_is_better=True,
    )
