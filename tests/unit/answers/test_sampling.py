"""Sampling in full: names of the installed vLLM, what the model recommends, nothing left for a server to fill."""

import importlib.util
import json

import pytest
from pydantic import ValidationError

from reasonlite.answers.sampling import check_sampling, parameters, resolved
from reasonlite.config.settings import Sampling
from reasonlite.core.errors import UserError


def sampling(**given):
    return Sampling(**({"temperature": 0.6, "max_tokens": 9} | given))


def test_every_parameter_is_said_and_those_not_asked_for_have_no_effect():
    assert parameters(sampling()) == {
        "temperature": 0.6, "top_p": 1.0, "max_tokens": 9, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0,
        "presence_penalty": 0.0, "frequency_penalty": 0.0,
    }  # fmt: skip
    asked = parameters(sampling(top_p=0.9, arguments={"top_k": 20, "stop": ["\n\n"]}))
    assert (asked["top_p"], asked["top_k"], asked["stop"], asked["min_p"]) == (0.9, 20, ["\n\n"], 0.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"top_kk": 20}, r"x\.sampling\.arguments\.top_kk: the installed vLLM has no such parameter(?s:.*)top_k"),
        ({"zzzzzz": 20}, "see vLLM's SamplingParams"),
        ({"temperature": 1}, "write it as sampling.temperature"),
        ({"seed": 1}, "is set by the workflow"),
    ],
)
def test_names_are_those_of_the_installed_library(arguments, message):
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("vLLM is not installed here")
    with pytest.raises(UserError, match=message):
        check_sampling(sampling(arguments=arguments), "x", served=False)
    check_sampling(sampling(arguments={"top_k": 1, "thinking_token_budget": 4, "bad_words": []}), "x", served=True)


def test_the_models_recommendations_stand_where_nothing_is_said(tmp_path):
    told = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "eos_token_id": 3, "do_sample": True}
    (tmp_path / "generation_config.json").write_text(json.dumps(told))
    found = resolved(Sampling(max_tokens=9, from_model=True), tmp_path)
    assert found == Sampling(temperature=0.7, top_p=0.8, max_tokens=9, arguments={"top_k": 20})
    own = Sampling(max_tokens=9, temperature=0.1, from_model=True, arguments={"top_k": 5})
    assert resolved(own, tmp_path) == Sampling(temperature=0.1, top_p=0.8, max_tokens=9, arguments={"top_k": 5})
    (tmp_path / "generation_config.json").write_text(json.dumps({"do_sample": False}))
    assert resolved(Sampling(max_tokens=9, from_model=True), tmp_path).temperature == 0.0


def test_what_cannot_be_known_is_refused(tmp_path):
    with pytest.raises(ValidationError, match="temperature is needed, or from_model: true"):
        Sampling(max_tokens=9)
    asked = Sampling(max_tokens=9, from_model=True)
    with pytest.raises(UserError, match="the model recommends nothing"):
        resolved(asked, tmp_path)
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": 3}))
    with pytest.raises(UserError, match="recommends no temperature"):
        resolved(asked, tmp_path)
    with pytest.raises(UserError, match="a server's model has no files here"):
        check_sampling(asked, "x", served=True)
