"""Strange answers for as long as one likes: does the judge hang, crash, cost much, or hang on the order of the two?

    python tests/benchmarks/judge_fuzz.py [--minutes 10] [--seed 0] [--data ../shared/data]

Answers are drawn from pieces of all dialects that the grammar knows, from labels of benchmarks with a few places
changed, and from characters of any kind. Each is read beside another and beside itself. Counted are verdicts that
depend on the order, answers that are not equal to themselves, verdicts that say the judge failed, and the slowest
pairs. Computer algebra, which has its own limits, is left out; --algebra lets it take part.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from reasonlite.judge import algebra, compare, compare_with_label

PIECES = (
    r"\frac \sqrt \left( \right) \pm \mp \cdot \times \pi \infty \cup \cap \in \le \ge \ne \approx \text{ \{ \} \binom "
    r"\begin{pmatrix} \end{pmatrix} \begin{cases} \end{cases} & \\ \log \ln \sin \overline{ \boxed{ \mathbb{R} \sum_{ "
    r"\int \lim _ ^ { } ( ) [ ] | ! % $ , ; : . = < > + - * / ** == <= != && || ' ° 0 1 2 7 10 42 0.5 1e9 3.14 .5 x y "
    r"z n k e i E I C A B AB pi oo Pi Sqrt[ sqrt( Interval( Interval.open( Union( FiniteSet( Eq( Or( And( Pow( "
    r"Rational( Matrix([[ matrix([ binomial( factorial( Sum( abs( asin( %pi %e cm m^2 km/h kg days and or yes no True "
    r"if where ½ ² ³ ₁ ⁻¹ √ π ∞ ≤ ∪ ∈ − ， （ ） ① ② ° € \u202e \x00 10:30 am May 5"
).split(" ")
LIMIT = 1.0  # seconds of a pair from which it is listed


def made(chance: random.Random, labels: list[str]) -> str:
    kind = chance.random()
    if kind < 0.45:
        glue = chance.choice(["", " ", ""])
        return glue.join(chance.choice(PIECES) for _ in range(chance.randint(1, chance.choice([4, 12, 60, 400]))))
    if kind < 0.9 and labels:
        text = list(chance.choice(labels))
        for _ in range(chance.randint(0, 4)):
            place = chance.randrange(len(text) + 1)
            text[place : place + chance.randint(0, 2)] = [
                chance.choice([chance.choice(PIECES), "", chance.choice(labels)])
            ]
        return "".join(text)
    piece = chance.choice(PIECES)
    return piece * chance.randint(1, 2000 // max(len(piece), 1)) + chance.choice(["", "1", "x", ")" * 50])


def labels_of(data: Path) -> list[str]:
    found = []
    for path in sorted((data / "bench").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            answer = json.loads(line).get("answer")
            if isinstance(answer, str) and len(answer) < 400 and path.stem != "humaneval":
                found.append(answer)
    return found


def timed(judge: Callable, *pair: str) -> tuple[str, float]:
    began = time.process_time()
    verdict = judge(*pair)
    said = verdict.verdict if not verdict.method.startswith("failed") else f"failed: {verdict.method}"
    return said, time.process_time() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--algebra", action="store_true")
    given = parser.parse_args()
    if not given.algebra:
        algebra.equal = lambda first, second: (None, "left out")
    chance, labels = random.Random(given.seed), labels_of(given.data) if given.data.is_dir() else []
    verdicts: Counter[str] = Counter()
    bad: list[str] = []
    slow: list[tuple[float, str, str]] = []
    until = time.monotonic() + 60 * given.minutes
    while time.monotonic() < until:
        left, right = made(chance, labels), made(chance, labels)
        said, seconds = timed(compare, left, right)
        verdicts[said] += 1
        slow = sorted([*slow, (seconds, left, right)], reverse=True)[:5]
        if timed(compare, right, left)[0] != said:
            bad.append(f"depends on the order: {left!r} {right!r}")
        if timed(compare, left, left)[0] != "equal":
            bad.append(f"not equal to itself: {left!r}")
        if said.startswith("failed") or timed(compare_with_label, left, right)[0].startswith("failed"):
            bad.append(f"{said}: {left!r} {right!r}")
    print(f"{verdicts.total()} pairs: {dict(verdicts)}; {len(bad)} faults; labels: {len(labels)}")
    print("\n".join(bad[:20]))
    for seconds, left, right in slow:
        print(f"{1e3 * seconds:.0f} ms: {left[:70]!r} {right[:70]!r}")
    return 1 if bad or slow[0][0] > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
