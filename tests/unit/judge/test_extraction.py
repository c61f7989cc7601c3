"""Final answers in text, and parts of replies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonlite.answers.transcripts import Transcript, final_answer, split_reply, training_text
from reasonlite.judge.extraction import LONGEST, extract, last_boxed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"so \boxed{42}", "42"),
        (r"first \boxed{1}, no, \boxed{2}.", "2"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\fbox{7}", "7"),
        (r"\boxed 5.", "5"),
        (r"\boxed{3} and then an unclosed \boxed{4", "3"),
        (r"an empty \boxed{} after \boxed{9}", "9"),
        ("The answer is 12.", "12"),
        ("The final answer is: **3.5**", "3.5"),
        ("So the answer is $x+1$.\nDone.", "x+1"),
        ("reasoning\n#### 1,234", "1,234"),
        ("2 * 13 = 26\nA: 26", "26"),
        ("The final answer is 27 + 9 = 36.", "36"),
        ("the answer is 3, which is the sum of 1 and 2.", "3"),
        ("The answer is y = 2x", "y = 2x"),
        ('{"reasoning": "16 - 7 = 9", "answer": "18"}', "18"),
        ("I do not know", None),
        (r"The final answer is \boxed{}.", None),
        (r"The answer is \boxed{ }", None),
        ("", None),
        (r"\boxed{a \boxed{b}}", "b"),
        (r"\boxed{\text{a \} b}}", r"\text{a \} b}"),
        (r"} \boxed{1}", "1"),
        ("\\boxed{" + "{" * 100_000, None),
    ],
)
def test_extract(text, expected):
    assert extract(text) == expected


@pytest.mark.parametrize("piece", ["\\boxed{", "{", "}", "\\", "answer is ", "#### ", "\\boxed{}"])
def test_a_hostile_megabyte_has_no_answer_and_does_not_hang(piece):
    assert extract(piece * (1_000_000 // len(piece))) is None


@given(st.text(alphabet=st.characters(exclude_characters="\\{}"), min_size=1, max_size=50), st.text(max_size=80))
def test_whatever_is_boxed_last_is_found(content, before):
    found = last_boxed(before + " \\boxed{" + content + "}")
    assert found == (content.strip() or None)


@given(st.text(max_size=400))
def test_extract_never_fails_and_stays_short(text):
    found = extract(text)
    assert found is None or (found == found.strip() and 0 < len(found) <= LONGEST)


HARMONY = "<|channel|>analysis<|message|>2 and 2 make 4<|end|><|start|>assistant<|channel|>final<|message|>\\boxed{4}"


@pytest.mark.parametrize(
    ("text", "finish", "expected"),
    [
        (HARMONY, "stop", Transcript("2 and 2 make 4", r"\boxed{4}", "complete")),
        (HARMONY + "<|return|>", "stop", Transcript("2 and 2 make 4", r"\boxed{4}", "complete")),
        (HARMONY, "length", Transcript("2 and 2 make 4", None, "cut")),
        ("<|channel|>analysis<|message|>2 and 2", "length", Transcript("2 and 2", None, "cut")),
        ("<|channel|>analysis<|message|>only thinking<|end|>", "stop", Transcript("only thinking", None, "malformed")),
        ("<|channel|>final<|message|>\\boxed{4}", "stop", Transcript(None, None, "malformed")),
        (
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary to=functions.x"
            " <|constrain|>json<|message|>{}<|call|>",
            "stop",
            Transcript("a", None, "malformed"),
        ),
        (
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>analysis<|message|>b<|end|>"
            "<|start|>assistant<|channel|>final<|message|>c",
            "stop",
            Transcript("a", None, "malformed"),
        ),
        ("<|channel|>analysis<|message|>a<|channel|>final<|message|>b", "stop", Transcript(None, None, "malformed")),
        ("<think>\nwhy\n</think>\n\\boxed{1}", "stop", Transcript("why", r"\boxed{1}", "complete")),
        ("why\n</think>\\boxed{1}", "stop", Transcript("why", r"\boxed{1}", "complete")),
        ("<think>\nwhy", "length", Transcript("why", None, "cut")),
        ("<think>\nwhy", "stop", Transcript("why", None, "malformed")),
        ("<think>why</think>\\boxed{1", "length", Transcript("why", None, "cut")),
        ("2+2=4. So \\boxed{4}.", "stop", Transcript("2+2=4.", r"So \boxed{4}.", "complete")),
        ("2+2=4\nSo \\boxed{4}.", "stop", Transcript("2+2=4", r"So \boxed{4}.", "complete")),
        ("\\boxed{4}", "stop", Transcript(None, r"\boxed{4}", "complete")),
        ("no box", "stop", Transcript(None, "no box", "complete")),
        ("no end", "length", Transcript("no end", None, "cut")),
    ],
)
def test_split_reply(text, finish, expected):
    assert split_reply(text, finish) == expected


def test_a_cut_reply_has_no_answer_even_with_a_box():
    assert final_answer(split_reply(r"\boxed{4} but wait", "length")) is None


def test_the_box_in_the_reasoning_does_not_count():
    assert final_answer(split_reply(r"<think>\boxed{3}</think>It is \boxed{4}.", "stop")) == "4"


def test_training_text_has_reasonlites_form():
    assert training_text(split_reply(HARMONY, "stop")) == "<think>\n2 and 2 make 4\n</think>\\boxed{4}"
    assert training_text(split_reply("\\boxed{4}", "stop")) is None
    assert training_text(split_reply(HARMONY, "length")) is None


@given(st.text(max_size=300), st.sampled_from(["stop", "length", None]))
def test_splitting_never_fails(text, finish):
    for prefix in ("", "<|channel|>analysis<|message|>", "<think>"):
        transcript = split_reply(prefix + text, finish)
        assert (transcript.final is not None) <= (transcript.status == "complete")


@given(st.text(min_size=1, max_size=100), st.text(min_size=1, max_size=100))
def test_training_text_splits_back_into_its_parts(reasoning, final):
    if (
        not reasoning.strip()
        or not final.strip()
        or "think>" in reasoning + final
        or "<|channel|>" in reasoning + final
    ):
        return
    whole = Transcript(reasoning.strip(), final.strip(), "complete")
    assert split_reply(training_text(whole), "stop") == whole


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ('{"reasoning": "x is 20.",\n "answer": "20"\n}\n\nThe answer is 20 feet for Sam.', "20"),
        ('{"answer": "\\"5\\""}\nExplanation: the answer is large.', "5"),
        ('```json\n{"answer": "$300"\n}\n```\nNote that the answer is formatted as a string.', "300"),
        ('{"answer": 12,\n}', "12"),
        ('{"answer": "In 4 weeks, Charisma has spent 34 hours on meditation."}', "34"),
        ('{"answer": "\\\\frac{1}{2}"}', r"\frac{1}{2}"),
        ('{"final_answer": "x+1"}', "x+1"),
        ('{"answer": ""}', None),
        ('{"answer": "$105 - $90 = $15"}', "15"),
        ('{"answer": "3*68 + 2*80 = 364"}', "364"),
        (r'{"answer": "3"} or rather \boxed{4}', "4"),
        ('{"answer": "3", "unit": "m"}', "3"),  # not the last field: read as a phrase
    ],
)
def test_a_json_objects_answer_goes_before_phrases_around_it(reply, answer):
    assert extract(reply) == answer


def test_words_about_the_final_answer_do_not_take_the_place_of_a_number_in_a_box():
    assert extract(r"So \boxed{66}. I made sure that the final answer is clearly highlighted.") == "66"
    assert extract(r"So \boxed{66}? No, the final answer is 67.") == "67"
    assert extract(r"So \boxed{\text{east}}. The final answer is west.") == "west"
    assert extract(r"So \boxed{east}. The final answer is west.") == "west"


def test_what_the_answer_should_be_is_the_answer():
    assert extract("I have covered all the bases here. The answer should be 4.") == "4"
    assert extract("The answer must be positive. So the answer would be $x=7$.") == "x=7"
