"""Programs in replies, and their verdicts."""

import json
from pathlib import Path

import polars as pl
import pytest
from rows import answers_of

from reasonlite.config.sources import FileSource
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import EXECUTIONS, JUDGED, PROBLEMS
from reasonlite.core.tables import frame_of
from reasonlite.evaluation.codetests import grade, program_of
from reasonlite.evaluation.sandbox import check_available
from reasonlite.problems.benchmarks import check_benchmark, content_hash
from reasonlite.problems.sources import read_source

PROMPT = 'import math\n\ndef area(r):\n    """Area of a circle."""\n'
WHOLE = "def area(r):\n    return math.pi * r * r\n"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (f"Here it is:\n```python\n{WHOLE}```\nDone.", "import math\n\n" + WHOLE),
        (f"```\nprint(1)\n```\nand\n```py\n{WHOLE}```\n```\narea(2)\n```", "import math\n\n" + WHOLE),
        (f"```python\n{WHOLE}", "import math\n\n" + WHOLE),  # never closed
        ("    return math.pi * r * r\n", PROMPT + "    return math.pi * r * r\n"),  # a continuation
        (WHOLE, "import math\n\n" + WHOLE),
        ("  ", None),
    ],
)
def test_the_program_in_a_reply(reply, expected):
    assert program_of(reply, PROMPT, "area") == expected


@pytest.fixture
def sandbox():
    try:
        check_available()
    except UserError as error:
        pytest.skip(str(error).splitlines()[0])


def test_programs_are_graded_by_their_tests(sandbox, tmp_path):
    row = {"task_id": "P/0", "prompt": PROMPT, "entry_point": "area"}
    row["test"] = "def check(candidate):\n    assert abs(candidate(2) - 4 * math.pi) < 1e-9\n"
    (tmp_path / "p.jsonl").write_text(json.dumps(row))
    problems = read_source("he", FileSource(kind="jsonl", path=tmp_path / "p.jsonl", columns={"tests": True}))
    assert problems["id"][0] == "he:P/0"
    replies = [f"```python\n{WHOLE}```", "```python\ndef area(r):\n    return r\n```", "", "<think>loop"]
    answers = answers_of({"he:P/0": ["x"] * 4}).with_columns(text=pl.Series(replies))
    judged, executions = grade(answers, problems)
    assert judged.schema == JUDGED and executions.schema == EXECUTIONS
    assert judged["correct"].to_list() == [True, False, False, False]
    assert judged["pass_rate"].to_list() == [0.25] * 4
    assert executions["detail"].to_list()[2:] == ["the reply holds no code", "the reply is malformed"]


def test_code_in_the_reasoning_does_not_count(sandbox):
    from reasonlite.evaluation.codetests import _graded

    draft, final = "```python\ndef area(r):\n    return 0\n```", "I will not say."
    reply = f"<|channel|>analysis<|message|>{draft}<|end|><|start|>assistant<|channel|>final<|message|>{final}"
    test = {"prompt": PROMPT, "entry_point": "area", "test": "def check(candidate):\n    assert candidate(1) == 0\n"}
    for text in (reply, f"<think>{draft}</think>{final}"):
        code, outcome = _graded({"text": text, "finish_reason": "stop"}, test, None)
        assert "return 0" not in code and outcome.status == "failed"


def test_a_code_problem_without_its_test_is_refused(tmp_path):
    (tmp_path / "p.jsonl").write_text(json.dumps({"task_id": "P/0", "prompt": PROMPT, "entry_point": "area"}))
    with pytest.raises(UserError, match="has no test"):
        read_source("he", FileSource(kind="jsonl", path=tmp_path / "p.jsonl", columns={"tests": True}))


def test_a_label_that_is_no_number_is_refused(tmp_path):
    (tmp_path / "p.jsonl").write_text('{"problem": "1+1?", "answer": NaN}\n')
    with pytest.raises(UserError, match="the problem has no answer"):
        read_source("b", FileSource(kind="jsonl", path=tmp_path / "p.jsonl"))


def benchmark(problem, answer="17"):
    return frame_of([{"id": "b:0", "source": "b", "problem": problem, "answer": answer}], PROBLEMS)


@pytest.mark.parametrize("given", ["8+9? The answer is 17.", r"8+9? \boxed{17}", "8+9? Answer: $17$", "ans = 17"])
def test_a_benchmark_that_gives_its_answers_away_is_refused(given):
    with pytest.raises(UserError, match="holds its own answer"):
        check_benchmark(benchmark(given), "b", None)


def test_a_benchmark_of_other_content_is_refused():
    table = benchmark("What is 8+9? Give 170 if unsure: answer 170 is wrong.")
    known = content_hash(table)
    assert check_benchmark(table, "b", known) == check_benchmark(table, "b", None) == known
    with pytest.raises(UserError, match="not the configured"):
        check_benchmark(table.with_columns(answer=pl.lit("18")), "b", known)


BENCH = Path(__file__).parents[4] / "shared" / "data" / "bench"
SIZES = {"aime24": 30, "aime24_nemo": 30, "aime25_nemo": 30, "amc23": 40, "math500": 500, "gsm8k_test": 1319}


@pytest.mark.parametrize("name", [*SIZES, "humaneval"])
def test_the_real_benchmarks_are_read_whole_and_clean(name):
    path = BENCH / f"{name}.jsonl"
    if not path.exists():
        pytest.skip("the shared benchmark files are not here")
    columns = {"tests": True} if name == "humaneval" else {}
    table = read_source(name, FileSource(kind="jsonl", path=path, columns=columns))
    assert table.height == SIZES.get(name, 164) and table["answer"].null_count() == 0
    check_benchmark(table, name, None)
