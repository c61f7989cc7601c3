"""Whole replies judged, as other programs have them; those programs' own calls are in tests/peers."""

import pytest

from reasonlite.judge.graders import NO_ANSWER, grade, reward


@pytest.mark.parametrize(
    ("reply", "labels", "answer", "verdict"),
    [
        (r"So it is \boxed{\frac{1}{2}}.", "0.5", r"\frac{1}{2}", "equal"),
        (r"<think>perhaps \boxed{2}</think>No: \boxed{3}", "3", "3", "equal"),
        (r"<think>perhaps \boxed{2}", "2", None, "different"),
        (r"perhaps \boxed{2}</think>\boxed{3}", "3", "3", "equal"),  # the template had opened it
        ("The answer is 7.", ["6", "7"], "7", "equal"),
        (r"\boxed{5\text{ apples}}", [r"5\text{ pears}", "6"], r"5\text{ apples}", "undecided"),
        ("", "1", None, "different"),
        (r"\boxed{12}", "We add 5 and 7.\n#### 12", "12", "equal"),
        (r"\boxed{12}", [], "12", "different"),
    ],
)
def test_the_final_answer_of_a_reply_is_judged(reply, labels, answer, verdict):
    found = grade(reply, labels)
    assert (found.answer, found.verdict.verdict) == (answer, verdict)
    assert answer is not None or found.verdict == NO_ANSWER


def test_rewards_are_for_marked_answers_of_texts_and_of_conversations():
    texts = [r"\boxed{4/2}", "so 2", r"\boxed{3}"]
    conversations = [[{"role": "assistant", "content": text}] for text in texts]
    for completions in (texts, conversations):
        assert reward(completions, answer=["2"] * 3, prompts=[], completion_ids=[]) == [1.0, 0.0, 0.0]
