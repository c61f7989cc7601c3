"""How often a difference as large as evaluation/power.py says is really found, by simulated experiments.

python tests/benchmarks/power_simulation.py [--experiments 4000]

Two models with problems of many difficulties; the second is better by the difference that is to be found with 80%
power. Prints, for several sizes, how often the paired test and the bootstrap's interval (2,000 resamples) find it, and
how often they find one where there is none.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

import numpy as np

from reasonlite.evaluation import metrics, power

SIZES = [(30, 16), (30, 64), (40, 16), (64, 4), (500, 4), (1319, 1)]


def experiment(generator: np.random.Generator, problems: int, draws: int, gain: float) -> list[np.ndarray]:
    """Verdicts of two models: easy and hard problems, and a gain that varies between them but stays within 0 and 1."""
    base = 0.2 + 0.5 * generator.beta(0.6, 0.8, problems)
    other = base + gain + np.clip(generator.normal(0, 0.06, problems), -0.15, 0.15)
    return [generator.random((problems, draws)) < chance[:, None] for chance in (base, other)]


def found(left: np.ndarray, right: np.ndarray) -> tuple[bool, bool]:
    difference = right.mean(axis=1) - left.mean(axis=1)
    error = difference.std(ddof=1) / math.sqrt(len(difference))
    interval = metrics.bootstrap(difference, resamples=2_000, seed=1)
    return abs(difference.mean()) > 1.959964 * error, interval.low > 0 or interval.high < 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=4000)
    arguments = parser.parse_args()
    print("problems  draws  difference  found: test, interval    none there: test, interval   (per cent)")
    for problems, draws in SIZES:
        generator = np.random.default_rng(problems + draws)
        least = 0.1
        for _ in range(3):  # the spread depends a little on the gain itself
            least = power.detectable_with(
                power.spread_of(*experiment(generator, 40_000, max(2, draws), least)), problems, draws
            )
        rates = []
        for gain in (least, 0.0):
            tries = [found(*experiment(generator, problems, draws, gain)) for _ in range(arguments.experiments)]
            rates += [100 * float(np.mean([each[way] for each in tries])) for way in (0, 1)]
        shown = "  ".join(f"{rate:6.1f}" for rate in rates[:2]), "  ".join(f"{rate:6.1f}" for rate in rates[2:])
        print(f"{problems:8d} {draws:6d} {100 * least:11.1f}  {shown[0]:>22s} {shown[1]:>27s}", flush=True)


if __name__ == "__main__":
    main()
