"""The scripts by hand on one's own files: from problems and answers to labels, verdicts and counts."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow.parquet
import pytest
from rows import answers_of

from reasonlite.config.settings import Sampling
from reasonlite.core.cli import json_of
from reasonlite.core.errors import UserError, run_main
from reasonlite.core.schemas import ANSWERS, CURRICULUM, FUNNEL, JUDGED, PROBLEMS, VOTES
from reasonlite.core.tables import frame_of, read_table, write_table

ROOT = Path(__file__).parents[2]


def run(script, *arguments):
    done = subprocess.run(
        [sys.executable, f"scripts/{script}.py", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done


def test_the_label_plane_by_hand(tmp_path):
    def path(name):
        return tmp_path / f"{name}.parquet"

    (tmp_path / "p.jsonl").write_text('{"problem": "2+2?", "answer": "5"}\n{"problem": "3+3?", "answer": "6"}\n')
    source = f'{{"kind": "jsonl", "path": "{tmp_path / "p.jsonl"}"}}'
    run("fetch_problems", "--name", "s", "--source", source, "--output", path("source"))
    shard_arguments = ["--sources", path("source"), "--shards", path("shard"), "--dropped", path("dropped")]
    run("shard_problems", *shard_arguments)
    answers = answers_of({"s:0": ["4"] * 5, "s:1": ["6", None]})
    text = pl.format("I add. So \\boxed{{{}}}.", pl.col("answer").fill_null("?"))
    write_table(path("answers"), answers.with_columns(text=text), ANSWERS)
    both = ["--answers", path("answers"), "--problems", path("shard")]
    run("group_answers", *both, "--groups", path("groups"), "--pairs", path("pairs"))
    limits = ["--min-share", 0.9, "--min-votes", 4]
    run("vote", *both, "--groups", path("groups"), *limits, "--output", path("votes"))
    assert read_table(path("votes"), VOTES)["label"].to_list() == ["4", "6"]
    run("judge_answers", *both, "--groups", path("groups"), "--votes", path("votes"), "--output", path("judged"))
    judged = read_table(path("judged"), JUDGED)
    assert judged["correct"].to_list() == [False] * 5 + [True, False]
    assert judged["correct_vote"].to_list() == [True] * 6 + [False]
    stratum = ["--stratum", "short", "--shard", 0, "--choice", '{"efforts": ["medium"]}', "--seed", 1]
    outputs = ["--output", path("examples"), "--funnel", path("funnel")]
    run("curate", "--judged", path("judged"), *both, *stratum, *outputs)
    assert read_table(path("examples"), CURRICULUM).height == 2
    assert read_table(path("funnel"), FUNNEL)["answers"].to_list() == [7, 6, 6, 2]
    counted = ["--shards", path("shard"), "--dropped", path("dropped"), "--votes", path("votes")]
    counted += ["--judged", path("judged"), "--strata", path("funnel"), "--csv", tmp_path / "funnel.csv"]
    run("tabulate_funnel", *counted, "--published", ROOT / "config" / "published" / "reasonlite_funnel.csv")
    table = pl.read_csv(tmp_path / "funnel.csv").rows()
    assert {(row[0], row[1]): row[4] for row in table}["answers: all", "drawn"] == 9_100_000
    steps = {(row[0], row[1]): row[2] for row in table}
    assert steps["answers: all", "drawn"] == 7 and steps["examples: all", "distinct"] == 2
    assert steps["problems", "kept"] == 2 and steps["labels", "from vote"] == 1
    assert steps["answers: medium", "right by the data set's label"] == 1
    assert steps["answers: medium", "right by the label after voting"] == 6


def test_label_steps_read_no_text(tmp_path):
    """The bytes of the texts are made unreadable; grouping, votes and verdicts do not notice."""
    answers = answers_of({f"s:{n}": ["4"] * 5 for n in range(4)}).with_columns(text=pl.lit("I add. So \\boxed{4}."))
    write_table(tmp_path / "answers.parquet", answers, ANSWERS)
    rows = [{"id": f"s:{n}", "source": "s", "problem": "2+2?", "answer": "4"} for n in range(4)]
    write_table(tmp_path / "problems.parquet", frame_of(rows, PROBLEMS), PROBLEMS)
    file = pyarrow.parquet.ParquetFile(tmp_path / "answers.parquet")
    chunk = file.metadata.row_group(0).column(ANSWERS.names().index("text"))
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    with (tmp_path / "answers.parquet").open("r+b") as handle:
        handle.seek(start)
        handle.write(b"\xff" * chunk.total_compressed_size)
    with pytest.raises(Exception, match="(?i)thrift|protocol|page|parquet"):
        read_table(tmp_path / "answers.parquet", ANSWERS, ["text"])

    def path(name):
        return tmp_path / f"{name}.parquet"

    both = ["--answers", path("answers"), "--problems", path("problems")]
    run("group_answers", *both, "--groups", path("groups"), "--pairs", path("pairs"))
    limits = ["--min-share", 0.9, "--min-votes", 4]
    run("vote", *both, "--groups", path("groups"), *limits, "--output", path("votes"))
    run("judge_answers", *both, "--groups", path("groups"), "--votes", path("votes"), "--output", path("judged"))
    assert read_table(path("judged"), JUDGED)["correct_vote"].to_list() == [True] * 20


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "is read-only")])
def test_a_full_or_read_only_disk_is_told_plainly(number, said, capsys):
    def fail(_):
        raise OSError(number, os.strerror(number), "results/x.parquet")

    with pytest.raises(SystemExit) as ended:
        run_main(fail)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("error: results/x.parquet: ") and said in told and "what to do: " in told


def test_other_errors_of_the_system_keep_their_traceback():
    def fail(_):
        raise FileNotFoundError(errno.ENOENT, "none", "x")

    with pytest.raises(FileNotFoundError):
        run_main(fail)


def test_a_users_mistake_ends_with_two_and_no_traceback(capsys):
    def fail(_):
        raise UserError("is wrong", where="file: line 3", todo="mend it")

    with pytest.raises(SystemExit) as ended:
        run_main(fail)
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: file: line 3: is wrong\n  what to do: mend it\n"


def test_settings_on_the_command_line_are_checked():
    assert json_of(Sampling)('{"temperature": 1, "max_tokens": 5}').max_tokens == 5
    for text in ("{", '{"temperature": 1}', '{"temperature": -1, "max_tokens": 5}'):
        with pytest.raises(Exception, match="cannot be used"):
            json_of(Sampling)(text)


@pytest.mark.parametrize("script", sorted(path.stem for path in (ROOT / "scripts").glob("*.py")))
def test_every_script_has_help_for_every_flag(script):
    """Also: no script imports torch or vLLM before it needs them, or this would take minutes."""
    text = run(script, "--help").stdout
    assert len(text.splitlines()) > 5


def test_tables_and_figures_need_no_engine_or_trainer(tmp_path):
    """With torch, vLLM, transformers and TRL out of reach: the workflow's own checks, a table and a figure."""
    code = """
import runpy, sys
sys.modules.update(dict.fromkeys(["torch", "vllm", "transformers", "trl", "accelerate", "datasets"]))
sys.path.insert(0, "scripts")
import yaml
from reasonlite.workflow.checks import checked
checked(yaml.safe_load(open("config/demo.yaml")))
for line in sys.stdin.read().splitlines():
    sys.argv = line.split()
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        assert not end.code, line
"""
    table = f"--markdown {tmp_path}/p.md --latex {tmp_path}/p.tex"
    lines = f"scripts/tabulate_published.py --table config/published/reasonlite_table1.csv {table}\n"
    figures = f"--tables config/published/reasonlite_figures.csv --outputs {tmp_path}/c.svg"
    lines += f"scripts/plot.py accuracy_vs_compute {figures}\nscripts/tabulate_results.py --help\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, input=lines, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "p.md").exists() and (tmp_path / "c.svg").exists()
