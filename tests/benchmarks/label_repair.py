"""How many corrupted labels the vote repairs and how many good ones it breaks, over thresholds.

python tests/benchmarks/label_repair.py [--data ../shared/data] [--corrupt 0.1]

Every problem of a multi-sample output has a true label. A tenth of the labels is replaced by
another problem's label of the same file; the models' answers vote. Repaired: a corrupted label
whose label after voting equals the true one. Broken: a good label whose label after voting
does not. Both are given over all problems, and over those where the models' strict majority is
right, the only ones that a vote can repair.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
sys.path.insert(0, str(Path(__file__).parent))

import polars as pl  # noqa: E402
from judge_throughput import FILES, read  # noqa: E402

from reasonlite.judge.equivalence import compare
from reasonlite.judge.extraction import extract
from reasonlite.labels.groups import group
from reasonlite.labels.votes import vote

THRESHOLDS = [(0.5, 2), (0.5, 4), (0.7, 4), (0.8, 4), (0.9, 4), (1.0, 4)]


def corrupted(truth: dict[str, str], share: float) -> dict[str, str]:
    """Labels with ``share`` of them replaced by another's that is not equal to it."""
    generator = random.Random(0)
    labels = dict(truth)
    for problem in generator.sample(sorted(truth), round(share * len(truth))):
        wrong = generator.choice(sorted(truth.values()))
        while compare(wrong, truth[problem]).verdict != "different":
            wrong = generator.choice(sorted(truth.values()))
        labels[problem] = wrong
    return labels


def majority_is_right(answers: pl.DataFrame, truth: dict[str, str]) -> set[str]:
    groups, *_ = group(answers, _problems(truth))
    votes = vote(answers, groups, _problems(truth), min_share=0.0, min_votes=1)
    strict = (pl.col("share") > 0.5) & (pl.col("top_class") == pl.col("dataset_class"))
    return set(votes.filter(strict)["problem_id"])


def _problems(labels: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame({"id": list(labels), "answer": list(labels.values())})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--corrupt", type=float, default=0.1, help="share of the labels to corrupt")
    arguments = parser.parse_args()
    print(f"{'file':30s}  share votes | all: repaired       broken | majority right: repaired       broken")
    for name in FILES:
        rows = read(arguments.data, name)
        truth = {problem: gold for problem, gold, _ in rows}
        found = [extract(text, prose=True) for *_, text in rows]
        answers = pl.DataFrame({"problem_id": [row[0] for row in rows], "answer": found}).with_columns(
            effort=pl.lit("x"), answer=pl.col("answer").cast(pl.String)
        )
        labels = corrupted(truth, arguments.corrupt)
        right = majority_is_right(answers, truth)
        groups, *_ = group(answers, _problems(labels))
        for share, count in THRESHOLDS:
            votes = vote(answers, groups, _problems(labels), min_share=share, min_votes=count)
            after = dict(votes.select("problem_id", "label").iter_rows())
            good = {problem for problem in truth if compare(after[problem], truth[problem]).verdict == "equal"}
            cells = []
            for part in (set(truth), right):
                bad = {problem for problem in part if labels[problem] != truth[problem]}
                kept = part - bad
                for total, hit in ((bad, bad & good), (kept, kept - good)):
                    rate = f"{len(hit) / len(total):6.1%}" if total else "     -"
                    cells.append(f"{len(hit):4d}/{len(total):<5d}{rate}")
            print(f"{name:30s} {share:6.2f} {count:5d} | {cells[0]} {cells[1]} | {cells[2]} {cells[3]}", flush=True)


if __name__ == "__main__":
    main()
