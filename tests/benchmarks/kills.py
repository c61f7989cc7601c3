"""SIGKILL at random moments of a run, again and again: the outputs must be those of an undisturbed run.

    python tests/benchmarks/kills.py [--kills 100] [--seed 1]

The label plane of the tiny chain, with the packaged teacher behind vLLM's own server. Rounds of up to eight kills of
Snakemake and everything it started, each followed by a run that continues, the last one to its end. Told: kills, where
they fell, requests the engine was asked, how many of them came again after their reply was on disk (must be none), and
what was left half-written (must be nothing).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from interrupting import TARGETS, chain  # noqa: E402
from running import serving_packaged  # noqa: E402

KILLS_A_ROUND = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder, chance = Path(tempfile.mkdtemp()), random.Random(arguments.seed)
    with serving_packaged(folder) as engine, chain(folder / "project", engine) as running:
        started = time.monotonic()
        running.run()
        seconds, hashes = time.monotonic() - started, running.hashes()
        print(f"undisturbed: {seconds:.0f} s, {len(running.door.seeds)} requests")
        kills, rounds, wrong, paid_twice, asked_again, where = 0, 0, 0, 0, 0, Counter[str]()
        while kills < arguments.kills:
            running.forget()
            running.door.seeds.clear()
            again = 0
            for _ in range(chance.randint(1, KILLS_A_ROUND)):
                asked = len(running.door.seeds)
                kept = running.kept_seeds()
                fell = running.kill_after(chance.uniform(0.5, seconds))
                again += len(kept & set(running.door.seeds[asked:]))
                if not fell:  # it had ended before
                    break
                kills += 1
                made = [name for name in TARGETS if (running.results / name).exists()]
                where[made[-1] if made else "before the answers"] += 1
                running.unlock()
            asked, kept = len(running.door.seeds), running.kept_seeds()
            running.run()
            again += len(kept & set(running.door.seeds[asked:]))
            wrong += running.hashes() != hashes or bool(running.leftovers())
            paid_twice += again
            asked_again += len(running.door.seeds) - len(set(running.door.seeds))
            rounds += 1
            print(f"round {rounds}: {kills} kills so far, {wrong} wrong, {paid_twice} paid twice", flush=True)
        print(f"{kills} kills in {rounds} rounds; rounds with other outputs or leftovers: {wrong};"
              f" replies on disk that were asked for again: {paid_twice};"
              f" requests under way at a kill and made again: {asked_again}")  # fmt: skip
        print("last output that stood when the kill fell:", dict(where))


if __name__ == "__main__":
    main()
