"""What cleaning finds of planted copies and rewordings of real problems, what it drops wrongly, and its speed.

    python tests/benchmarks/cleaning_accuracy.py [--show N] [--scale PROBLEMS]

Copies of real problems are planted, reworded by rule in several ways, once among other problems and once
against benchmarks. Wrongly dropped: problems with one number changed, and real training problems that no
one planted (the latter are listed with --show, to be read: real sets do hold copies). The peer, in the same
run, is what is commonly done: any 8 words in common with a benchmark problem. --scale fills up with real
problems under other numbers and names to so many, and tells time and peak memory.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from reasonlite.config.settings import Cleaning
from reasonlite.core.schemas import PROBLEMS, SOURCED
from reasonlite.core.tables import frame_of
from reasonlite.problems.cleaning import clean

DATA = ROOT.parent / "shared" / "data"
TRAIN = ("deepscaler_aime", "deepscaler_math", "gsm8k_train")
BENCH = ("aime24", "aime25_nemo", "amc23", "math500", "gsm8k_test")
WORDS = {
    "find": "determine", "what is": "give", "compute": "calculate", "how many": "what number of", "let": "suppose",
    "suppose": "assume", "each": "every", "total": "overall", "if": "given that", "such that": "so that",
    "has": "possesses", "positive integer": "positive whole number", "greatest": "largest", "smallest": "least",
    "people": "persons", "buys": "purchases", "sold": "did sell", "number of": "count of", "value of": "value for",
    "day": "single day", "gets": "receives", "makes": "produces", "altogether": "in total", "spend": "pay",
}  # fmt: skip


def load(folder: str, names: tuple[str, ...]) -> list[dict]:
    rows = []
    for name in names:
        for number, line in enumerate((DATA / folder / f"{name}.jsonl").read_text().strip().split("\n")):
            row = json.loads(line)
            problem, answer = row.get("problem") or row["question"], str(row["answer"])
            rows.append({"id": f"{name}:{number}", "source": name, "problem": problem, "answer": answer})
    return rows


def words(text: str, share: float, chance: random.Random) -> str:
    for old, new in WORDS.items():
        if chance.random() < share:
            text = re.sub(rf"\b{old}\b", new, text, flags=re.IGNORECASE)
    return text


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?]) +(?=[A-Z])", text)


def misspelt(text: str, chance: random.Random) -> str:
    found = text.split(" ")
    for place, word in enumerate(found):
        if word.isalpha() and len(word) > 3 and chance.random() < 0.08:
            found[place] = word[1] + word[0] + word[2:]
    return " ".join(found)


def shorter(text: str) -> str:
    return re.sub(r"\b(?:the|a|an|that|of|then|also|please) ", "", text, flags=re.IGNORECASE)


def typeset(text: str) -> str:
    text = re.sub(r"\$([^$]+)\$", r"\\( \1 \\)", text).replace("\\frac", "\\dfrac").replace("\\le ", "\\leq ")
    return text.replace("  ", " ").replace(". ", ".\n").upper() if "\\" not in text else text


REWORDED = {
    "exact copy": lambda text, chance: text,
    "typesetting": lambda text, chance: typeset(text),
    "sentence before and after": lambda text, chance: f"Solve this problem. {text} Show all your work.",
    "misspelt": misspelt,
    "some words": lambda text, chance: words(text, 0.5, chance),
    "sentences moved": lambda text, chance: (
        " ".join([*sentences(text)[1:-1], sentences(text)[0], *sentences(text)[-1:]])
        if len(sentences(text)) > 2
        else text
    ),
    "words, short forms": lambda text, chance: shorter(words(text, 1.0, chance)),
}


def other_number(text: str, chance: random.Random) -> str | None:
    """The text with one number changed."""
    places = list(re.finditer(r"\d+", text))
    if not places:
        return None
    place = chance.choice(places)
    return f"{text[: place.start()]}{int(place[0]) + chance.randint(1, 9)}{text[place.end() :]}"


def eight_words(problems: list[dict], benchmarks: list[dict]) -> set[str]:
    """The peer: ids of problems that share any eight words in a row with a benchmark problem."""

    def grams(text: str) -> set[tuple[str, ...]]:
        found = re.findall(r"\w+", text.lower())
        return {tuple(found[n : n + 8]) for n in range(len(found) - 7)}

    held = set().union(*(grams(row["problem"]) for row in benchmarks))
    return {row["id"] for row in problems if grams(row["problem"]) & held}


def dropped(problems: list[dict], benchmarks: list[dict]) -> tuple[dict[str, dict], pl.DataFrame]:
    kept, out, noticed = clean(frame_of(problems, SOURCED), frame_of(benchmarks, PROBLEMS), Cleaning())
    assert kept.height + out.height == len(problems)
    return {row["id"]: row for row in out.iter_rows(named=True)}, noticed


def planted(originals: list[dict], chance: random.Random) -> dict[str, list[dict]]:
    found = {}
    for how, change in REWORDED.items():
        found[how] = [
            {**row, "id": f"{how}/{row['id']}", "source": "planted", "problem": change(row["problem"], chance)}
            for row in originals
        ]
    changed = [(row, other_number(row["problem"], chance)) for row in originals]
    found["one number changed"] = [
        {**row, "id": f"number/{row['id']}", "source": "planted", "problem": text, "answer": "unknown"}
        for row, text in changed
        if text
    ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", type=int, default=0, help="so many of the problems dropped though not planted")
    parser.add_argument("--scale", type=int, help="only time and memory, with so many problems")
    arguments = parser.parse_args()
    train, bench = load("train", TRAIN), load("bench", BENCH)
    if arguments.scale:
        scale(train, bench, arguments.scale)
        return
    started = time.monotonic()
    clean_alone, noticed = dropped(train, bench)
    seconds = time.monotonic() - started
    print(f"{len(train)} training problems, {len(bench)} benchmark problems: {seconds:.1f} s")
    reasons = pl.DataFrame([row["reason"] for row in clean_alone.values()], schema=["reason"])
    print("dropped though not planted:", dict(reasons["reason"].value_counts(sort=True).rows()))
    print("noticed:", dict(noticed["what"].value_counts(sort=True).rows()))
    print("eight words in common, the peer:", len(eight_words(train, bench)))
    chance = random.Random(0)
    listed = [row for row in clean_alone.values() if row["twin"]]
    texts = {row["id"]: row for row in [*train, *bench]}
    for row in chance.sample(listed, min(arguments.show, len(listed))):
        print(f"\n{row['reason']} {row['score']:.2f}\n  {row['problem'][:300]!r} = {row['answer']}")
        print(f"  {texts[row['twin']]['problem'][:300]!r} = {texts[row['twin']]['answer']}")
    kept = [row for row in train if row["id"] not in clean_alone]
    originals = {"among others": chance.sample(kept, 500), "against benchmarks": chance.sample(bench, 500)}
    print(f"\n{'planted':28}{'':12}{'among others':>16}{'against benchmarks':>20}{'the peer':>12}")
    sets = {name: planted(rows, chance) for name, rows in originals.items()}
    for how in sets["among others"]:
        first, second = sets["among others"][how], sets["against benchmarks"][how]
        among, _ = dropped([*kept, *first], bench)
        against, told = dropped(second, bench)
        peer = eight_words(second, bench)
        shares = [sum(row["id"] in found for row in rows) / len(rows)
                  for rows, found in ((first, among), (second, against), (second, peer))]  # fmt: skip
        right = sum(
            row["id"] in found and found[row["id"]]["twin"] == row["id"].split("/", 1)[1]
            for rows, found in ((first, among), (second, against))
            for row in rows
        ) / (len(first) + len(second))
        variants = told.filter(pl.col("what").str.starts_with("variant")).height / len(second)
        note = f"noticed as variants {variants:.1%}" if how.startswith("one number") else f"right twin {right:.1%}"
        print(f"{how:40}{shares[0]:>16.1%}{shares[1]:>20.1%}{shares[2]:>12.1%}   {note}")


def scale(train: list[dict], bench: list[dict], count: int) -> None:
    """Time and memory with many problems: real ones, each again and again with other numbers and names."""
    chance = random.Random(1)
    rows = []
    for number in range(count):
        row = train[number % len(train)]
        text = re.sub(r"\d+", lambda found: str(int(found[0][:9]) + chance.randint(0, 500)), row["problem"])
        text = re.sub(r"\b[A-Z][a-z]{3,}\b", lambda found: f"{found[0]}{chance.choice('abcdefgh')}", text)
        rows.append({"id": f"x:{number}", "source": "x", "problem": text, "answer": str(chance.randint(0, 10**6))})
    folder = Path(tempfile.mkdtemp())
    frame_of(rows, SOURCED).write_parquet(folder / "x.parquet")
    frame_of(bench, PROBLEMS).write_parquet(folder / "b.parquet")
    del rows
    shards = [str(folder / f"{shard:05d}.parquet") for shard in range(343)]
    command = [sys.executable, "scripts/shard_problems.py", "--sources", str(folder / "x.parquet"), "--benchmarks",
               str(folder / "b.parquet"), "--shards", *shards, "--dropped", str(folder / "d.parquet")]  # fmt: skip
    started = time.monotonic()
    subprocess.run(command, cwd=ROOT, check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{count} problems into 343 shards: {time.monotonic() - started:.0f} s, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()
