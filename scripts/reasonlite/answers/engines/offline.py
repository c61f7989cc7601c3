"""vLLM's offline engine in this process."""

from __future__ import annotations

import ctypes
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from reasonlite.answers.engines import Reply, Request, cpu_sampler
from reasonlite.answers.prompts import Message
from reasonlite.answers.sampling import parameters
from reasonlite.config.settings import Sampling, VllmEngine
from reasonlite.core import machine, startup
from reasonlite.core.errors import UserError
from reasonlite.core.logs import get_logger
from reasonlite.core.stalls import Guard
from reasonlite.models.encoding import for_template
from reasonlite.models.folders import check_model_folder

log = get_logger(__name__)


class Offline:
    """One model copy, on the GPUs this job has or on the CPU; started with the first request."""

    def __init__(
        self, settings: VllmEngine, model: Path, sampling: Sampling, template_arguments: dict[str, Any]
    ) -> None:
        check_model_folder(model)
        self._settings, self._model = settings, model
        self._sampling = sampling
        self._template_arguments = template_arguments
        self._limit = settings.max_model_len
        self._at_once = settings.max_num_seqs
        self._last: tuple[list[Message], list[int]] | None = None
        self._engine: Any = None

    def start(self, seed: int) -> None:
        """Start vLLM, its samplers with ``seed``: the first request's, so what continues a job draws other numbers."""
        machine.share_cores()
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
        settings = self._settings
        _allow_length(self._model, settings.max_model_len)
        from vllm.platforms import current_platform

        on_cpu = current_platform.is_cpu()
        if settings.batch_invariant and not on_cpu:  # on a CPU it asks for Triton's kernels, which are not there
            os.environ["VLLM_BATCH_INVARIANT"] = "1"
        arguments = {"seed": seed, **(_cpu_arguments(settings) if on_cpu else {}), **settings.arguments}
        # seen on a CPU: a text in bfloat16 depends on what is generated beside it, in float32 it does not
        dtype = "float32" if on_cpu and settings.batch_invariant else settings.dtype
        from vllm import LLM

        startup.loaded()
        if on_cpu:
            _check_library()
            _doubt_arithmetic(dtype, self._model)
            cpu_sampler.install()
        try:
            self._engine = LLM(
                model=str(self._model),
                max_model_len=settings.max_model_len,
                max_num_seqs=settings.max_num_seqs,
                dtype=dtype,
                tensor_parallel_size=settings.tensor_parallel_size,
                **arguments,
            )
        except ValueError as error:  # vLLM's word for settings that it or the machine cannot serve
            raise UserError(
                f"vLLM cannot serve this model with the engine's settings {settings.model_dump_json()}: {error}",
                where=self._model,
                todo="change the setting it names, often max_model_len, in the config's engine",
            ) from None
        startup.done()
        self._seed = arguments["seed"]
        self._tokenizer = self._engine.get_tokenizer()
        if self._tokenizer.chat_template is None:
            raise UserError(
                "its tokenizer has no chat template", where=self._model, todo="use an instruction-tuned model"
            )

    def replies(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply]]:
        """As many requests as are generated at once, and as many again waiting, so that no place stays empty."""
        with Guard("step of the engine") as guard:
            yield from self._replies(iter(requests), guard)

    def _replies(self, waiting: Iterator[Request], guard: Guard) -> Iterator[tuple[Request, Reply]]:
        running: dict[str, Request] = {}
        while True:
            for request in itertools.islice(waiting, 2 * self._at_once - len(running)):
                if self._engine is None:
                    self.start(request.seed)
                prompt = self._prompt(request)
                if len(prompt) < self._limit:
                    running[self._add(request, prompt)] = request
                else:
                    text = f"the prompt of {len(prompt)} tokens leaves no room in max_model_len {self._limit}"
                    yield request, Reply(None, error=text)
            if not running:
                return
            outputs = self._engine.llm_engine.step()
            guard.beat()
            for output in outputs:
                if output.finished:
                    request = running.pop(output.request_id)
                    yield request, _reply(output, request.seed if self._settings.seeds_answers else self._seed)

    def _add(self, request: Request, prompt: list[int]) -> str:
        parameters = self._sampling_parameters(request)
        from vllm.inputs import tokens_input

        identifier = str(next(self._engine.request_counter))
        self._engine.llm_engine.add_request(identifier, tokens_input(prompt), parameters)
        return identifier

    def _prompt(self, request: Request) -> list[int]:
        if self._last is None or self._last[0] != request.messages:  # a problem's answers share their prompt
            encoded = self._tokenizer.apply_chat_template(
                request.messages,
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                **for_template(self._template_arguments),
            )
            self._last = (request.messages, list(encoded["input_ids"]))
        return self._last[1]

    def scores(self, given: Sequence[tuple[Request, list[int]]]) -> list[list[float]] | None:
        """As the model reads the tokens in one pass, without the cache that they were generated with."""
        from vllm import SamplingParams
        from vllm.inputs import tokens_input

        prompts = [list(self._prompt(request)) for request, _ in given]
        # a text of full length leaves no room for the one token that vLLM wants to write
        texts = [
            tokens_input([*prompt, *ids][: self._limit - 1]) for prompt, (_, ids) in zip(prompts, given, strict=True)
        ]
        outputs = self._engine.generate(texts, SamplingParams(max_tokens=1, prompt_logprobs=0), use_tqdm=False)
        return [
            _logprobs(ids, output.prompt_logprobs[len(prompt) :])
            for prompt, (_, ids), output in zip(prompts, given, outputs, strict=True)
        ]

    def _sampling_parameters(self, request: Request) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        sampling = request.sampling or self._sampling
        return SamplingParams(
            **parameters(sampling),
            output_kind=RequestOutputKind.FINAL_ONLY,
            seed=request.seed if self._settings.seeds_answers else None,
            logprobs=0 if request.sampling else None,  # of the token itself alone
            skip_special_tokens=False,  # Harmony's channels are special tokens
        )

    def close(self) -> None:
        self._engine = None


def _check_library() -> None:
    """vLLM's CPU build is linked to a library of the system, and without it says so in other words."""
    try:
        ctypes.CDLL("libnuma.so.1")
    except OSError:
        raise UserError(
            "vLLM needs the library libnuma.so.1, which is not installed",
            where="engine",
            todo="on Debian: apt-get install libnuma1; then run the same command again",
        ) from None


def _doubt_arithmetic(dtype: str, model: Path) -> None:
    """Say so where this processor has no instructions for the numbers that the engine is to calculate with."""
    import torch

    saved = json.loads((model / "config.json").read_text(encoding="utf-8"))
    if dtype == "auto":
        dtype = str(saved.get("dtype") or saved.get("torch_dtype") or "float32")
    has = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)  # a build may be without this library
    if dtype == "bfloat16" and has is not None and not has():
        log.warning(
            "this processor has no instructions for bfloat16: dtype: float32 in the engine is several times faster"
        )


def _allow_length(model: Path, wanted: int) -> None:
    """Let vLLM take more tokens than a model was made for, as ReasonLite does with Qwen3-0.6B (65536 of 40960)."""
    made_for = json.loads((model / "config.json").read_text(encoding="utf-8")).get("max_position_embeddings")
    if made_for and wanted > made_for:
        log.warning("max_model_len %d is more than the %d positions the model was made for", wanted, made_for)
        os.environ.setdefault("VLLM_ALLOW_LONG_MAX_MODEL_LEN", "1")


def _reply(output: Any, seed: int) -> Reply:
    completion = output.outputs[0]
    ids = list(completion.token_ids)
    if not completion.text.strip():
        return Reply(None, error=f"empty reply with finish_reason {completion.finish_reason}", seed=seed)
    return Reply(
        seed=seed,
        text=completion.text,
        prompt_tokens=len(output.prompt_token_ids),
        tokens=len(completion.token_ids),
        finish_reason=completion.finish_reason,
        ids=ids if completion.logprobs else None,
        logprobs=_logprobs(ids, completion.logprobs) if completion.logprobs else None,
    )


def _logprobs(ids: list[int], tables: Any) -> list[float]:
    """Of each token, from vLLM's table of a few tokens at its place."""
    return [float(table[token].logprob) for token, table in zip(ids, tables, strict=False)]


def _cpu_arguments(settings: VllmEngine) -> dict[str, Any]:
    """What vLLM's CPU build (seen with 0.31) needs to run small jobs well.

    One process, because each further one imports torch again; all cores of this job;
    a fixed KV cache, because its check against free memory counts one memory node only;
    with a seed for each answer whole prompts, because a prompt prefilled in parts together with a seed ends in
    "CPU Generator does not use offset";
    its cache of common beginnings in blocks of 32 tokens, the smallest it takes, where its own choice is 128: of a
    beginning of 443 tokens that all prompts share, 416 are then read once and not 384 (docs/measurements.md);
    nothing compiled, because log-probabilities would want a C++ compiler, which a bare machine has not.
    """
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    return {
        "enforce_eager": True,
        "kv_cache_memory_bytes": 2**30,
        "block_size": 32,
        "enable_chunked_prefill": not settings.seeds_answers,
        "max_num_batched_tokens": max(settings.max_model_len, 4096),
    }
