"""The audit against sha256sum over the same tree, in one run: first manifest, unchanged audit, full check, comparison.

python tests/benchmarks/audit_speed.py [FILES [GIGABYTES]]     default: 10,000 files, 5 GB

Half of the bytes are tables (Parquet, texts of chains of thought made of words drawn at random),
half checkpoints (random bytes); every round has the whole tree in the page cache or not, alike for both.
"""

from __future__ import annotations

import base64
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import polars as pl

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))


def tree(root: Path, files: int, total: int) -> Path:
    """A results folder with Snakemake's metadata: one file in ten a checkpoint, the rest tables."""
    results = root / "results" / "x"
    metadata = root / ".snakemake" / "metadata"
    metadata.mkdir(parents=True)
    chance = numpy.random.default_rng(1)
    words = numpy.array([f"w{number:x}" for number in range(5000)])
    weights, tables = files // 10, files - files // 10
    for number in range(files):
        name = f"checkpoints/{number:05d}.safetensors" if number < weights else f"answers/{number:05d}.parquet"
        path = results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if number < weights:
            path.write_bytes(chance.bytes(total // 2 // weights))
        else:
            # about 2.9 bytes of a drawn word are left by zstd
            count = total // 2 // tables
            text = [" ".join(row) for row in words[chance.integers(0, 5000, (8, max(count // 13, 1)))]]
            ids = [f"s:{number}_{row}" for row in range(8)]
            pl.DataFrame({"answer_id": ids, "text": text}).write_parquet(path, compression="zstd", compression_level=3)
        identity = json.dumps({"code": "c", "settings": {"seed": 1, "filter": "pass_rate > 0"}})
        record = {
            **{"rule": "r", "input": [], "params": [repr(identity)], "log": [], "incomplete": False},
            **{"record_format_version": 6, "starttime": 1.0, "endtime": 2.0, "input_checksums": {}},
        }
        (metadata / base64.b64encode(f"results/x/{name}".encode()).decode()).write_text(json.dumps(record))
    return results


def timed(command: list[str], root: Path) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return time.perf_counter() - started


def main() -> None:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    total = int(float(sys.argv[2]) * 1e9) if len(sys.argv) > 2 else 5_000_000_000
    audit = [sys.executable, str(ROOT / "scripts" / "audit.py")]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        results = tree(root, files, total)
        size = sum(path.stat().st_size for path in results.rglob("*") if path.is_file())
        print(f"{files:,} files, {size / 1e9:.2f} GB")
        peer = ["sh", "-c", "find results/x/answers results/x/checkpoints -type f -print0 | xargs -0 sha256sum"]
        timed(peer, root)  # brings the tree into the page cache as far as it fits
        sums = [timed(peer, root)]
        first = timed([*audit, "manifest", "results/x"], root)
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        sums.append(timed(peer, root))
        again = min(timed([*audit, "manifest", "results/x"], root) for _ in range(3))
        full = timed([*audit, "verify", "results/x"], root)
        sums.append(timed(peer, root))
        peer_time = sorted(sums)[1]
        other = root / "other.json"
        changed = json.loads((results / "manifest.json").read_text())
        for entry in random.Random(1).sample(sorted(changed["outputs"]), files // 10):
            changed["outputs"][entry]["sha256"] = "0" * 64
        other.write_text(json.dumps(changed))
        (root / "one.json").write_text((results / "manifest.json").read_text())
        compared = timed([*audit, "diff", "other.json", "one.json", "--format", "json"], root)
        print(f"sha256sum                {peer_time:8.2f} s  (three rounds: {', '.join(f'{s:.2f}' for s in sums)})")
        print(
            f"first manifest           {first:8.2f} s  {first / peer_time:6.3f} x   (goal 1.2), peak {memory:.0f} MiB"
        )
        print(f"unchanged audit          {again:8.2f} s  {again / peer_time:6.3f} x   (goal 0.05)")
        print(f"full verification        {full:8.2f} s  {full / peer_time:6.3f} x")
        print(f"comparison of two        {compared:8.2f} s  (goal 2 s), {files // 10:,} outputs changed")


if __name__ == "__main__":
    main()
