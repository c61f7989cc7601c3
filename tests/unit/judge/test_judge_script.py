"""judge.py on a user's own JSONL file: verdicts by line, and plain words for what cannot be judged."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def judge(*arguments, text=None):
    command = [sys.executable, "scripts/judge.py", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True)


def test_each_line_comes_back_with_its_verdict(tmp_path):
    rows = [
        {"id": 1, "gold": "1/2", "answer": "0.5"},
        {"id": 2, "gold": "#### 42", "answer": "<long thought> so the answer is \\boxed{41}."},
        {"id": 3, "gold": "the primes", "answer": "\\boxed{\\text{all prime numbers}}"},
        {"id": 4, "gold": "7", "answer": "I do not know"},
        {"id": 5, "gold": 8, "answer": None},
    ]
    with gzip.open(tmp_path / "mine.jsonl.gz", "wt") as handle:
        handle.writelines(json.dumps(row) + "\n" for row in rows)
    done = judge(tmp_path / "mine.jsonl.gz", "--output", tmp_path / "out.jsonl")
    assert done.returncode == 0, done.stderr
    judged = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["id"] for row in judged] == [1, 2, 3, 4, 5]
    assert [row["verdict"] for row in judged] == ["equal", "different", "undecided", "different", "different"]
    assert judged[1]["gold_answer"] == "42" and judged[1]["final_answer"] == "41"
    assert judged[3]["method"] == judged[4]["method"] == "no answer"
    assert "5 answers, 20.0% equal" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"gold": "1", "answer": "1"}\n{"gold": \n', "line 2: is not JSON"),
        ("[1]\n", "line 1: is not a JSON object"),
        ('{"question": "1+1"}\n', "has no gold answer under a usual key; it has question"),
        ('{"gold": "1", "reply": "1"}\n', "name the key with --answer"),
    ],
)
def test_what_cannot_be_judged_is_named_and_nothing_half_written_stays(tmp_path, text, message):
    done = judge("-", "--output", tmp_path / "out.jsonl", text=text)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_another_program_asks_line_by_line():
    command = [sys.executable, "scripts/judge.py", "-"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for gold, answer, verdict in (("1/2", "0.5", "equal"), ("1/2", "0.6", "different")):
            process.stdin.write(json.dumps({"gold": gold, "answer": answer}) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["verdict"] == verdict
