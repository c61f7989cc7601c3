"""Filters, duplicates, limits, the funnel, the order of examples, and how they are loaded."""

import pickle

import polars as pl
import pytest
from rows import answers_of, labelled

from reasonlite.core import spool
from reasonlite.core.conditions import parse_filter
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import ANSWERS, CURRICULUM, JUDGED
from reasonlite.core.tables import read_table, write_table
from reasonlite.curriculum import examples
from reasonlite.curriculum.examples import Choice, curate
from reasonlite.labels.judged import judge

FOLDER = None


@pytest.fixture(autouse=True)
def _folder(tmp_path):
    global FOLDER
    FOLDER = tmp_path / "short"


def made(texts, expression="correct_vote", seed=0, sources=None, **choice):
    """Curate answers with the given texts, all answering 4 to a problem labelled 4; ``texts`` may be by problem."""
    by_problem = texts if isinstance(texts, dict) else {"p": texts}
    answers, problems, groups, votes = labelled(
        {name: ["4"] * len(listed) for name, listed in by_problem.items()}, dict.fromkeys(by_problem, "4")
    )
    texts = [text for name in sorted(by_problem) for text in by_problem[name]]
    answers = answers.sort("problem_id", "number").with_columns(text=pl.Series(texts, dtype=pl.String))
    if sources:
        problems = problems.with_columns(source=pl.col("id").replace_strict(sources))
    FOLDER.mkdir(exist_ok=True)
    write_table(FOLDER / "judged.parquet", judge(answers, groups, problems, votes), JUDGED)
    write_table(FOLDER / "answers.parquet", answers, ANSWERS)
    funnel = curate(
        [FOLDER / "judged.parquet"],
        [FOLDER / "answers.parquet"],
        problems.with_columns(problem=pl.lit("2+2?")),
        Choice("short", 3, parse_filter(expression, "strata.short.filter", JUDGED), seed, **choice),
        FOLDER / "00000.parquet",
    )
    return read_table(FOLDER / "00000.parquet", CURRICULUM), funnel


def test_messages_and_funnel():
    same = "2+2=4. So \\boxed{4}."
    examples, funnel = made([same, same, "\\boxed{4}", "<think>why</think>\\boxed{4}"])
    assert [m[1]["content"] for m in examples["messages"].to_list()] in (
        ["<think>\n2+2=4.\n</think>So \\boxed{4}.", "<think>\nwhy\n</think>\\boxed{4}"],
        ["<think>\nwhy\n</think>\\boxed{4}", "<think>\n2+2=4.\n</think>So \\boxed{4}."],
    )
    assert examples["messages"][0][0] == {"role": "user", "content": "2+2?"}
    assert funnel.select("step", "answers").rows() == [
        ("drawn", 4),
        ("passed the filter", 4),
        ("reasoning and final part", 3),
        ("distinct", 2),
    ]


def test_the_filter_is_sql_over_judged_columns():
    texts = [f"{n}. So \\boxed{{4}}." for n in range(6)]
    assert made(texts, "correct_vote AND number < 2 AND effort = 'medium'")[0].height == 2
    assert made(texts, "tokens > 10")[0].height == 0


def test_the_shuffle_depends_on_the_seed_alone():
    texts = [f"{n}. So \\boxed{{4}}." for n in range(12)]
    orders = [made(texts, seed=seed)[0]["answer_id"].to_list() for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("corect", "names the column 'corect'"),
        ("tokens +", "not an SQL expression"),
        ("tokens + 1", "expected true or false"),
    ],
)
def test_bad_filters_are_named(expression, message):
    with pytest.raises(UserError, match=f"strata.short.filter: .*{message}"):
        parse_filter(expression, "strata.short.filter", JUDGED)


def test_failed_answers_are_no_examples():
    assert made([None, "2+2=4. So \\boxed{4}."])[0].height == 1
    assert answers_of({}).height == 0


def numbered(count, word="way"):
    return [f"{word} {n}. So \\boxed{{4}}." for n in range(count)]


def test_a_problem_has_at_most_so_many_examples_and_the_seed_chooses():
    by_problem = {"p": numbered(9), "q": numbered(2)}
    chosen = [made(by_problem, seed=seed, at_most=3) for seed in (1, 1, 2)]
    counts = dict(chosen[0][0]["problem_id"].value_counts().rows())
    assert counts == {"p": 3, "q": 2}
    names = [set(examples["answer_id"]) for examples, _ in chosen]
    assert names[0] == names[1] != names[2]
    assert chosen[0][1].select("step", "answers").rows()[-2:] == [("distinct", 11), ("at most 3 a problem", 5)]


def test_balanced_sources_give_as_many_as_the_scarcest():
    by_problem = {"p": numbered(9), "q": numbered(2), "r": numbered(4)}
    examples, funnel = made(by_problem, balanced=True, sources={"p": "a", "q": "b", "r": "b"})
    assert dict(examples["source"].value_counts().rows()) == {"a": 6, "b": 6}
    assert funnel["step"][-1] == "balanced sources" and funnel["answers"][-1] == 12
    assert made(by_problem, "source = 'a'", balanced=True, sources={"p": "a", "q": "b", "r": "b"})[0].height == 9


def test_expressions_may_use_any_judged_column():
    texts = numbered(6)
    wanted = (
        "effort = 'medium' AND pass_rate >= 1 AND tokens < 11 AND source = 's' AND share > 0.9 AND number IN (1, 2)"
    )
    assert made(texts, wanted)[0].height == 2
    assert made(texts, "pass_rate < 1 OR tokens BETWEEN 20 AND 30")[0].height == 0


@pytest.mark.parametrize("part_bytes", [1, 200, 2000, 10**9])
def test_the_same_examples_in_the_same_order_whatever_fits_into_memory(part_bytes, monkeypatch):
    by_problem = {f"p{n}": numbered(7) for n in range(40)}
    whole, funnel = made(by_problem, seed=5)
    content = (FOLDER / "00000.parquet").read_bytes()
    monkeypatch.setattr(spool, "PART_BYTES", part_bytes)
    again, counted = made(by_problem, seed=5)
    assert again.equals(whole) and counted.equals(funnel)
    assert part_bytes < 10**9 or (FOLDER / "00000.parquet").read_bytes() == content
    assert not list(FOLDER.glob(".*"))


def test_the_hubs_loader_reads_the_tables(tmp_path):
    from datasets import load_dataset

    whole, _ = made(numbered(20))
    data = load_dataset("parquet", data_files=[str(FOLDER / "00000.parquet")], split="train", cache_dir=str(tmp_path))
    assert data["messages"][:] == whole["messages"].to_list() and data.column_names == list(CURRICULUM)
    orders = [data.shuffle(seed=seed)["answer_id"][:] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert pickle.loads(pickle.dumps(data)).num_rows == 20


def test_only_the_columns_that_the_filter_needs_are_read(monkeypatch):
    read = []
    monkeypatch.setattr(examples, "read_tables", lambda paths, schema, columns: read.append(columns) or STOP)
    with pytest.raises(AttributeError):
        made(numbered(2), "pass_rate > 0.5 AND correct_vote")
    assert set(read[0]) == {"answer_id", "problem_id", "source", "effort", "tokens", "pass_rate", "correct_vote"}


STOP = object()
