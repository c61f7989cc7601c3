"""vLLM on the GPU: is it sane, how fast is it by what is seeded, and do answers hang on those beside them?

    python tests/gpu/engine.py [--miniature] [--model FOLDER [--reference canary.jsonl]] [--output engine.json]

Speed is that of Qwen3-0.6B's architecture with random weights, beside vLLM's own LLM.generate in the same engine.
With a real --model the project's script draws answers to small sums, its canary first, beside a --reference of
another machine (a canary.jsonl of the same model and prompt, "medium" of config/demo.yaml); then each of 32 texts is
drawn among few and among many others, with kernels that do not depend on the batch.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import card
import yaml

from reasonlite.answers.engines import Request
from reasonlite.answers.engines.offline import Offline
from reasonlite.answers.prompts import messages_for
from reasonlite.cluster import devices
from reasonlite.config.settings import Prompt, Sampling, VllmEngine
from reasonlite.core.schemas import ANSWERS, PROBLEMS
from reasonlite.core.tables import frame_of, read_table, write_table

WAYS = {
    "one seed": ("job", 1.0),
    "one seed, top_p": ("job", 0.95),
    "a seed for each answer": ("answer", 1.0),
    "a seed for each answer, top_p": ("answer", 0.95),
}
TEXTS = 32


def sums(count: int, prompt: Prompt) -> list[Request]:
    texts = [f"State the final answer to the following arithmetic problem: {n} + {3 * n} =" for n in range(count)]
    return [Request(str(n), messages_for(text, prompt), seed=n) for n, text in enumerate(texts)]


def speed(miniature: bool, start: Path) -> dict[str, Any]:
    """Tokens a second of each way, in one engine, and of vLLM's own loop."""
    places, tokens = (4, 16) if miniature else (256, 512)
    settings = VllmEngine(max_model_len=2048, max_num_seqs=places, dtype="bfloat16", canary=None)
    engine = Offline(settings, start, Sampling(temperature=1.0, max_tokens=tokens), {})
    began = time.perf_counter()
    engine.start(0)
    found: dict[str, Any] = {"start_seconds": time.perf_counter() - began, "tokens_per_second": {}}
    requests = sums(2 * places, Prompt())
    drain(engine, requests[:places])  # what is compiled at first use
    for way, (seeds, top_p) in WAYS.items():
        engine._settings = settings.model_copy(update={"seeds": seeds})
        engine._sampling = Sampling(temperature=1.0, top_p=top_p, max_tokens=tokens)
        found["tokens_per_second"][way] = rate(lambda: sum(drain(engine, requests)[1]))
    found["tokens_per_second"]["LLM.generate, one seed"] = rate(lambda: generated(engine, requests, tokens))
    return found


def drain(engine: Offline, requests: Iterable[Request]) -> tuple[dict[str, str | None], list[int]]:
    """Texts by key, and their numbers of tokens."""
    replies = [(request.key, reply) for request, reply in engine.replies(requests)]
    return {key: reply.text for key, reply in replies}, [reply.tokens or 0 for _, reply in replies]


def generated(engine: Offline, requests: list[Request], tokens: int) -> int:
    from vllm import SamplingParams
    from vllm.inputs import tokens_input

    prompts = [tokens_input(list(engine._prompt(request))) for request in requests]
    outputs = engine._engine.generate(prompts, SamplingParams(temperature=1.0, max_tokens=tokens), use_tqdm=False)
    return sum(len(output.outputs[0].token_ids) for output in outputs)


def rate(draw: Any) -> float:
    began = time.perf_counter()
    return draw() / (time.perf_counter() - began)


def sane(model: Path, reference: Path | None, folder: Path) -> dict[str, Any]:
    """The project's own script on 64 sums, four answers each; what its canary noted."""
    demo = yaml.safe_load((card.ROOT / "config" / "demo.yaml").read_text())["teacher"]
    engine = demo["engine"] | {"canary": {"max_tokens": 16} | ({"reference": str(reference)} if reference else {})}
    rows = [{"id": f"s:{n}", "source": "s", "problem": f"{n} + {n % 7} =", "answer": str(n + n % 7)} for n in range(64)]
    write_table(folder / "p.parquet", frame_of(rows, PROBLEMS), PROBLEMS)
    line = [sys.executable, "scripts/generate_answers.py", "--problems", folder / "p.parquet", "--model", model]
    line += ["--engine", json.dumps(engine), "--effort", "medium", "--settings", json.dumps(demo["efforts"]["medium"])]
    line += ["--seed", "42", "--journal", folder / "j", "--output", folder / "a.parquet"]
    began = time.perf_counter()
    done = subprocess.run([str(part) for part in line], cwd=card.ROOT, capture_output=True, text=True)
    if done.returncode:
        return {"failed": done.stderr[-3000:]}
    noted = json.loads((folder / "j" / "canary.jsonl").read_text().splitlines()[0])
    answers = read_table(folder / "a.parquet", ANSWERS)
    kept = ("sane", "accuracy", "log_probability", "drift", "reference_drift", "flaws")
    return {
        **{key: noted[key] for key in kept},
        "seconds": time.perf_counter() - began,
        "status": dict(answers["status"].value_counts().iter_rows()),
    }


def alone_and_among_many(model: Path, invariant: bool) -> dict[str, Any]:
    """How many of some texts stay the same when others are generated beside them."""
    settings = VllmEngine(max_model_len=1024, max_num_seqs=256, dtype="bfloat16", batch_invariant=invariant)
    settings = settings.model_copy(update={"seeds": "answer"})
    engine = Offline(settings, model, Sampling(temperature=0.8, max_tokens=96), {})
    requests = sums(8 * TEXTS, Prompt())
    few: dict[str, str | None] = {}
    for first in range(0, TEXTS, 4):
        few |= drain(engine, requests[first : first + 4])[0]
    many, _ = drain(engine, reversed(requests))
    return {"texts": TEXTS, "the same among few and many": sum(few[key] == many[key] for key in few)}


def own_process(*words: str) -> dict[str, Any]:
    """An engine gives the card back with its process."""
    done = subprocess.run([sys.executable, __file__, *words], cwd=card.ROOT, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    return json.loads(lines[-1]) if done.returncode == 0 else {"failed": done.stderr[-3000:]}


def main() -> int:
    parser = card.parser(__doc__)
    parser.add_argument("--model", type=Path, help="folder of a small instruction-tuned model")
    parser.add_argument("--reference", type=Path)
    parser.add_argument(
        "--part", choices=["speed", "invariant", "ordinary"], help="only this, for a process of its own"
    )
    given = parser.parse_args()
    devices.prepare()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.part == "speed":
            start = card.student(folder / "m", card.MINIATURE if given.miniature else card.FULL)
            print(json.dumps(speed(given.miniature, start)))
            return 0
        if given.part:
            print(json.dumps(alone_and_among_many(given.model, given.part == "invariant")))
            return 0
        found: dict[str, Any] = {"card": card.peak()[0]}
        if given.model:
            found["sane"] = sane(given.model, given.reference, folder)
            for part in ("invariant", "ordinary"):
                found[part] = own_process("--part", part, "--model", str(given.model))
        found["speed"] = own_process("--part", "speed", *(["--miniature"] if given.miniature else []))
    card.keep(given.output, found)
    return 1 if any("failed" in each for each in found.values() if isinstance(each, dict)) else 0


if __name__ == "__main__":
    sys.exit(main())
