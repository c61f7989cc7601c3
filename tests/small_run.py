"""A results folder in miniature, made by the library's own steps: hostile texts, two efforts, models and stages."""

from pathlib import Path

import polars as pl

from reasonlite.core import schemas
from reasonlite.core.tables import frame_of, write_table
from reasonlite.labels.groups import group
from reasonlite.labels.judged import judge
from reasonlite.labels.votes import vote

HACK = "window.hacked=1"
BOMB = "".join(f"\\def\\{b}{{\\{a}\\{a}\\{a}\\{a}}}" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
HOSTILE = [
    f"<script>{HACK}</script>",
    f"<img src=x onerror={HACK}>",
    f'"><svg onload={HACK}><a href="javascript:{HACK}">x</a>',
    f"</div></details></article></main><iframe srcdoc='<script>parent.{HACK}</script>'></iframe>",
    f"$\\href{{javascript:{HACK}}}{{x}}$ and $\\text{{<script>{HACK}</script>}}$",
    f"$\\text{{&lt;img src=x onerror={HACK}&gt;}}$ $\\style{{background:url(//evil.test)}}{{x}}$",
    f"$\\def\\a{{aaaaaaaaaa}}{BOMB}\\i$",
    "$" + "{" * 1400 + "x" + "}" * 90 + "$",
    "\u202eevil\u202c \u0000 \u001b[31mred \ufeff\u200b\u2066 \u0301" + "\u0301" * 300,
    "{{ 7 * 7 }}{% for x in y %}<!--",
    "W" * 60_000,
    "def is_prime(a_long_argument: int) -> bool:\n    return all(a_long_argument % x_y for x_y in range(2, 9))",
    "\\boxed{" * 3_000,
    "$" + "+".join(f"x_{{{n}}}" for n in range(90)) + "$",
    "<think>\n" + "a line\n" * 300 + f"</think>done, \\boxed{{<b onmouseover={HACK}>7</b>}}",
    "<style>*{display:none}</style><base href='//evil.test'>",
    f"<meta http-equiv=refresh content='0;url=javascript:{HACK}'>",
]  # fmt: skip


def answer_rows(problem: str, effort: str, texts: list[tuple[str, str | None]]) -> list[dict]:
    return [
        {
            **{"answer_id": f"{problem}_{number}", "problem_id": problem, "effort": effort, "number": number},
            **{"seed": 40 + number, "text": text, "status": "complete" if answer else "cut", "answer": answer},
            **{
                "prompt_tokens": 9,
                "tokens": None if number == 9 else 10 + 7 * number + ord(problem[4]) % 7,
                "finish_reason": "stop" if answer else "length",
            },
            "error": None,
        }
        for number, (text, answer) in enumerate(texts)
    ]


def judged_files(folder: Path, shard: str, problems: pl.DataFrame, drawn: dict[str, list[dict]]) -> None:
    """What the workflow makes of a shard's answers, by its own functions."""
    tables = {effort: frame_of(rows, schemas.ANSWERS) for effort, rows in drawn.items()}
    together = pl.concat(tables.values())
    groups, pairs, _ = group(together, problems)
    votes = vote(together, groups, problems, min_share=0.6, min_votes=2)
    for name, frame, schema in (
        ("problems/shards", problems, schemas.PROBLEMS),
        ("groups", groups, schemas.GROUPS),
        ("groups/pairs", pairs, schemas.PAIRS),
        ("votes", votes, schemas.VOTES),
    ):
        write_table(folder / name / f"{shard}.parquet", frame, schema)
    for effort, answers in tables.items():
        write_table(folder / "answers" / effort / f"{shard}.parquet", answers, schemas.ANSWERS)
        judged = judge(answers, groups, problems, votes)
        write_table(folder / "judged" / effort / f"{shard}.parquet", judged, schemas.JUDGED)
        kept = judged.filter(pl.col("correct_vote")).select("answer_id", "problem_id", "source", "effort", "tokens")
        said = [{"role": "user", "content": HOSTILE[0]}, {"role": "assistant", "content": HOSTILE[4]}]
        rows = [row | {"messages": said} for row in kept.iter_rows(named=True)]
        path = folder / "curriculum" / f"of_{effort}" / f"{shard}.parquet"
        write_table(path, frame_of(rows, schemas.CURRICULUM), schemas.CURRICULUM)


def small_run(folder: Path) -> Path:
    """Results of four problems in two shards and a benchmark of ``len(HOSTILE)`` problems."""
    for shard, ids in (("00000", ["pol:0", "pol:1"]), ("00001", ["pol:2", "pol:<b>3</b>"])):
        rows = [
            (name, "pol", f"{HOSTILE[place]} What is $\\frac{{1}}{{2}}$?", None if name == "pol:2" else "0.5")
            for place, name in enumerate(ids)
        ]
        drawn: dict[str, list[dict]] = {"medium": [], "high": []}
        for place, name in enumerate(ids):
            for effort, listed in drawn.items():
                texts = [
                    (f"{text}\\boxed{{1/2}}", ["1/2", "0.5", "x+1", None][n % 4]) for n, text in enumerate(HOSTILE)
                ]
                listed += answer_rows(name, effort, texts[place : place + 11])
        judged_files(folder, shard, frame_of(rows, schemas.PROBLEMS), drawn)
    benchmark(folder)
    for stage, place in (("first", 1.0), ("rl", 3.0), ("second", 2.0)):
        steps = [{"stage": stage, "step": n, "loss": place / n, "learning_rate": 1e-4 / n} for n in range(1, 9)]
        whole = [dict.fromkeys(schemas.TRAINING_LOG) | row for row in steps]
        write_table(
            folder / "training" / f"{stage}.parquet", frame_of(whole, schemas.TRAINING_LOG), schemas.TRAINING_LOG
        )
    kept = pl.read_parquet(sorted(folder.glob("curriculum/of_high/*.parquet")))["answer_id"].to_list()
    noted = [(1 + place // 2, "of_high", name) for place, name in enumerate([*kept, "pol:7_0"])]
    write_table(folder / "training" / "examples" / "second.parquet", frame_of(noted, schemas.LEARNED), schemas.LEARNED)
    write_table(
        folder / "training" / "rollouts" / "rl.parquet", frame_of(rollouts(), schemas.ROLLOUTS), schemas.ROLLOUTS
    )
    log = folder / "logs" / "train" / "first.log"
    log.parent.mkdir(parents=True)
    log.write_text(
        f"{HOSTILE[0]}\n" + "".join(f"10:00 progress: {n} of 8 steps, loss {1 / n:.3f}\n" for n in range(1, 9))
    )
    return folder


def rollouts() -> list[dict]:
    """Groups of four hostile answers in steps 1 and 3; of the last one nothing is learnt."""
    return [
        {
            **{"step": step, "problem_id": problem, "number": number, "tokens": 9, "truncated": number == 3},
            **{"prompt": [{"role": "user", "content": HOSTILE[0]}], "completion": HOSTILE[number + place]},
            **{"answer": None if number == 3 else f"<b>{number}</b>", "verdict": None if number == 3 else "different"},
            **{"method": None if number == 3 else "words", "correct": float(place == 8), "format": 0.0},
            **{"reward": float(place == 8 or number == 0), "advantage": 0.5},
        }
        for step, problem, place in ((1, "pol:0", 0), (1, "pol:<b>3</b>", 4), (3, "pol:1", 8))
        for number in range(4)
    ]


def benchmark(folder: Path) -> None:
    """Two models' answers to a benchmark whose problems are the hostile texts, and its tables."""
    names = [f"held:{place}" for place in range(len(HOSTILE))]
    problems = frame_of([(n, "held", text, "7") for n, text in zip(names, HOSTILE, strict=True)], schemas.PROBLEMS)
    write_table(folder / "problems" / "sources" / "held.parquet", problems, schemas.PROBLEMS)
    for model, right in (("base", 2), ("final", 5)):
        rows = [
            row
            for place, name in enumerate(names)
            for row in answer_rows(
                name, "evaluation", [(HOSTILE[place], "7" if place % 7 < right else f"<i>{place}</i>")] * 2
            )
        ]
        where = folder / "evaluation" / model / "held"
        answers = frame_of(rows, schemas.ANSWERS)
        groups, pairs, _ = group(answers, problems)
        judged = judge(answers, groups, problems, None)
        for name, frame, schema in (
            ("answers", answers, schemas.ANSWERS),
            ("pairs", pairs, schemas.PAIRS),
            ("judged", judged, schemas.JUDGED),
        ):
            write_table(where / f"{name}.parquet", frame, schema)
    results = [(model, "held", "avg@2", 40.0, 30.0, 50.0, len(names), 2) for model in ("base", "final")]
    (folder / "tables").mkdir()
    frame_of(results, schemas.RESULTS).write_csv(folder / "tables" / "results.csv")
    (folder / "figures").mkdir()
    inside = f'<script>{HACK}</script><rect width="9" height="9"/>'
    picture = f'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60">{inside}</svg>'
    (folder / "figures" / "stages.svg").write_text(picture)
