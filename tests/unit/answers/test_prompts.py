"""Chat messages in their order."""

from reasonlite.answers.prompts import messages_for
from reasonlite.config.settings import BOXED, Prompt


def test_the_instruction_follows_the_problem_on_a_new_line():
    assert messages_for("1+1?", Prompt()) == [{"role": "user", "content": f"1+1?\n{BOXED}"}]
    assert messages_for("1+1?", Prompt(instruction="")) == [{"role": "user", "content": "1+1?"}]


def test_system_and_worked_examples_come_before_the_problem():
    prompt = Prompt(system="Be brief.", instruction="Go.", examples=[{"problem": "2+2?", "answer": "\\boxed{4}"}])
    assert messages_for("1+1?", prompt) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "2+2?\nGo."},
        {"role": "assistant", "content": "\\boxed{4}"},
        {"role": "user", "content": "1+1?\nGo."},
    ]
