"""How an answer's tokens are drawn, in full: by the names that the installed vLLM has, with nothing left unsaid.

Does not import vLLM.
"""

from __future__ import annotations

import difflib
import functools
import json
from pathlib import Path
from typing import Any

from reasonlite.config.settings import Sampling
from reasonlite.core.errors import UserError
from reasonlite.core.installed import declared

# what a server would fill from its model's generation config, with the values that have no effect
NEUTRAL = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}
OF_MODEL = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
OWN = {"temperature", "top_p", "max_tokens"}  # keys of the config
# set by the workflow, or without a meaning for one text a request
RESERVED = {
    *("n", "seed", "logprobs", "prompt_logprobs", "output_kind", "detokenize", "skip_special_tokens", "skip_clone"),
    *("stream_interval", "output_text_buffer_length", "prompt_logprob_token_ids", "prompt_logprob_start"),
    *("logprob_token_ids", "flat_logprobs", "skip_reading_prefix_cache", "trace_decode_token_ids"),
}


def check_sampling(sampling: Sampling, where: str, *, served: bool) -> None:
    """Refuse a parameter that the installed vLLM does not know; silent where vLLM is not installed."""
    if served:
        resolved(sampling, None)
    for name in sampling.arguments:
        place = f"{where}.sampling.arguments.{name}"
        if name in OWN:
            raise UserError("is a key of sampling itself", where=place, todo=f"write it as sampling.{name}")
        if name in RESERVED:
            raise UserError("is set by the workflow", where=place, todo="remove the key")
        known = _known()
        if known is not None and name not in known:
            close = difflib.get_close_matches(name, known, 3)
            todo = f"did you mean {' or '.join(close)}?" if close else "see vLLM's SamplingParams for the names"
            raise UserError("the installed vLLM has no such parameter", where=place, todo=todo)


@functools.cache
def _known() -> frozenset[str] | None:
    """Fields of vLLM's SamplingParams; None where vLLM, or the class in its source, is not there."""
    names = declared("vllm", "sampling_params.py", "SamplingParams")
    return frozenset(name for name in names if not name.startswith("_")) if names else None


def resolved(sampling: Sampling, model: Path | None) -> Sampling:
    """The sampling with what the model recommends where that is asked for; ``model``: its folder."""
    if not sampling.from_model:
        return sampling
    if model is None:
        todo = "write the values that the model's makers recommend, or take an engine of kind vllm"
        raise UserError("a server's model has no files here", where="sampling.from_model", todo=todo)
    path = model / "generation_config.json"
    if not path.is_file():
        raise UserError("the model recommends nothing", where=path, todo="write temperature and leave from_model out")
    told = json.loads(path.read_text(encoding="utf-8"))
    recommended = {name: told[name] for name in OF_MODEL if told.get(name) is not None}
    if told.get("do_sample") is False:
        recommended["temperature"] = 0.0
    own = {name: value for name in ("temperature", "top_p") if (value := getattr(sampling, name)) is not None}
    first = {name: value for name, value in (recommended | own).items() if name in OWN}
    if "temperature" not in first:
        raise UserError("recommends no temperature", where=path, todo="write temperature in sampling")
    others = {name: value for name, value in recommended.items() if name not in OWN}
    arguments = others | sampling.arguments
    return Sampling(**first, max_tokens=sampling.max_tokens, arguments=arguments)


def parameters(sampling: Sampling) -> dict[str, Any]:
    """Every parameter of a request but its seed, by vLLM's names."""
    own = {"temperature": sampling.temperature, "top_p": 1.0 if sampling.top_p is None else sampling.top_p}
    return NEUTRAL | own | {"max_tokens": sampling.max_tokens} | sampling.arguments
