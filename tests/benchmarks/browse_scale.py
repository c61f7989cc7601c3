"""How fast the pages of scripts/browse.py open over a run of ReasonLite's size, and how much memory they take.

python tests/benchmarks/browse_scale.py [--folder FOLDER] [--shards 343] [--answers 26532]

Makes a results folder of that shape (9.1M answers in 343 shards, two efforts, 1,000 problems a shard) with texts of
four thousand characters, starts the server, and asks for each page over HTTP: first with nothing read, then again.
Prints seconds a page and the server's peak memory; beside them what Polars alone takes to count the same answers.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import polars as pl

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from reasonlite.core import schemas, tables  # noqa: E402

PROBLEMS = 1_000  # of a shard
CHUNK = 1_024  # rows of a group, as the workflow writes answers
WORDS = "so we take the sum of all terms and see that it is even because each of them is odd or zero".split()
FIXED = {"source": "pol", "status": "complete", "finish_reason": "stop", "prompt_tokens": 80, "pass_rate": 0.4}
FIXED |= {"by_rounding": False, "label_source": "vote"}
PAGES = {
    "overview": "",
    "problems": "problems",
    "problems, filtered": "problems?where=pass_rate+BETWEEN+0.2+AND+0.4+AND+undecided+>+0&sort=tokens&down=1",
    "problems, a histogram's range": "problems?is.share=0.5..0.7",
    "problems, text": "problems?text=problem+123456",
    "a problem": "problem?id=pol:2345",
    "training": "training?stratum=short&from=100000",
    "run": "live",
}


def texts() -> pl.Series:
    """A pool of replies of four thousand characters."""
    words = [WORDS[(7 * place + place // 5) % len(WORDS)] for place in range(1_200)]
    pool = [
        f"<think>{number} {' '.join(words[number : number + 900])[:4000]}</think>\\boxed{{{number % 7}}}"
        for number in range(256)
    ]
    return pl.Series(pool)


def shard(folder: Path, number: int, drawn: int, pool: pl.Series) -> None:
    """One shard's tables, as the workflow lays them out."""
    name, first = f"{number:05d}.parquet", number * PROBLEMS
    ids = pl.Series([f"pol:{place}" for place in range(first, first + PROBLEMS)]).sort()
    base = pl.DataFrame(
        {"id": ids, "source": "pol", "problem": "This is problem " + ids.str.slice(4) + ": $x^2$?", "answer": "3"}
    )
    tables.write_table(folder / "problems" / "shards" / name, base, schemas.PROBLEMS)
    each = drawn // 2 // PROBLEMS
    for place, effort in enumerate(("high", "medium")):
        rows = (
            pl.DataFrame({"problem_id": ids})
            .join(pl.DataFrame({"number": range(each)}), how="cross")
            .with_row_index("row")
        )
        right = (pl.col("row") * 7 + place) % 5 < 2
        row = pl.col("row")
        wrong = (row % 7 + 4).cast(pl.String)
        rows = rows.with_columns(
            *(pl.lit(value).alias(name) for name, value in FIXED.items()),
            answer_id=pl.col("problem_id") + "_" + pl.col("number").cast(pl.String),
            effort=pl.lit(effort),
            seed=row.cast(pl.Int64),
            answer=pl.when(right).then(pl.lit("3")).otherwise(wrong),
            tokens=900 + row * 31 % 4000,
            correct=right,
            correct_vote=right,
            share=0.4 + row // each % 50 / 100,
            error=pl.lit(None, pl.String),
        ).with_columns(row.cast(pl.Int32).alias("class"))
        tables.write_table(folder / "judged" / effort / name, rows, schemas.JUDGED)
        kept = rows.filter("correct").with_columns(messages=pl.lit([{"role": "user", "content": "What is x?"}]))
        stratum = "short" if effort == "medium" else "long"
        tables.write_table(folder / "curriculum" / stratum / name, kept, schemas.CURRICULUM)
        with tables.TableWriter(folder / "answers" / effort / name, schemas.ANSWERS) as writer:
            for start in range(0, rows.height, CHUNK):
                piece = rows.slice(start, CHUNK)
                chosen = pool.gather((piece["row"] * 13) % len(pool))
                writer.write(piece.with_columns(text=chosen))
    votes = {
        "drawn": 2 * each,
        "voting": 2 * each,
        "top_answer": "3",
        "top_class": 0,
        "top_votes": each,
        "dataset_answer": "3",
    }
    votes |= {"dataset_class": 0, "label": "3", "label_class": 0, "label_source": "vote"}
    share = 0.3 + pl.int_range(PROBLEMS) % 70 / 100
    voted = pl.DataFrame({"problem_id": ids}).with_columns(
        **{key: pl.lit(value) for key, value in votes.items()}, share=share
    )
    tables.write_table(folder / "votes" / name, voted, schemas.VOTES)
    pairs = pl.DataFrame(
        {"problem_id": ids.gather_every(3), "left": "3", "right": "x+1", "verdict": "undecided", "method": "names"}
    )
    tables.write_table(folder / "groups" / "pairs" / name, pairs, schemas.PAIRS)
    groups = pl.DataFrame(
        {
            "problem_id": ids,
            "answer": "3",
            "class": 0,
            "is_label": True,
            "equals_label": True,
            "by_rounding": False,
            "count": each,
        }
    )
    tables.write_table(folder / "groups" / name, groups, schemas.GROUPS)


def made(folder: Path, shards: int, drawn: int) -> None:
    pool, started = texts(), time.perf_counter()
    for number in range(shards):
        if not (folder / "groups" / f"{number:05d}.parquet").is_file():
            shard(folder, number, drawn, pool)
    size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
    print(f"made {shards} shards, {size / 1e9:.1f} GB, in {time.perf_counter() - started:.0f} s")


def counted(folder: Path) -> float:
    """Seconds in which Polars alone counts right answers by problem."""
    started = time.perf_counter()
    frame = pl.scan_parquet(folder / "judged" / "*" / "*.parquet")
    frame.group_by("problem_id").agg(pl.col("correct").sum()).collect()
    return time.perf_counter() - started


def peak(process: int) -> float:
    """Peak of a process's memory in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def opened(server: subprocess.Popen[str]) -> None:
    """Ask for each page three times, and print what it took."""
    assert server.stdout is not None
    address = server.stdout.readline().split(": ", 1)[1].strip()
    base = address.partition("?")[0]
    print(f"{'page':32} {'first':>8} {'again':>8} {'kB':>8} {'MB peak':>9}")
    with httpx.Client(follow_redirects=True, timeout=600) as client:
        client.get(address.replace("/?", "/style.css?"))
        for name, page in PAGES.items():
            took = []
            for _ in range(3):
                started = time.perf_counter()
                reply = client.get(base + page)
                took.append(time.perf_counter() - started)
                reply.raise_for_status()
            size, memory = len(reply.content) / 1000, peak(server.pid)
            print(f"{name:32} {took[0]:8.2f} {min(took[1:]):8.2f} {size:8.0f} {memory:9.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--shards", type=int, default=343)
    parser.add_argument("--answers", type=int, default=26_532, help="of a shard, in two efforts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch) / "large"
        made(folder, arguments.shards, arguments.answers)
        print(f"Polars alone counts right answers by problem in {counted(folder):.2f} s")
        command = [sys.executable, str(ROOT / "scripts" / "browse.py"), str(folder), "--port", "0", "--no-open"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            opened(server)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
