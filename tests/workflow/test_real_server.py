"""The server engine against vLLM's own server, started on loopback with a tiny model."""

import json
import shutil
import subprocess

import polars as pl
import pytest
from running import ROOT, need_vllm, run_snakemake, serving, warm

pytestmark = [pytest.mark.slow, pytest.mark.full]


@pytest.fixture(scope="module")
def server(tiny_model, tmp_path_factory):
    need_vllm()
    with serving(tiny_model, tmp_path_factory.mktemp("server") / "log") as url:
        yield url


def test_answers_come_through_a_real_server(server, tmp_path):
    from reasonlite.core.schemas import PROBLEMS
    from reasonlite.core.tables import frame_of, write_table

    rows = [{"id": f"s:{n}", "source": "s", "problem": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(5)]
    write_table(tmp_path / "problems.parquet", frame_of(rows, PROBLEMS), PROBLEMS)

    def generate(name):
        engine = {
            "kind": "server",
            "url": server,
            "model": "served",
            "concurrency": 4,
            "canary": None,
        }  # of random weights
        settings = {"answers_per_problem": 3, "sampling": {"temperature": 1.0, "max_tokens": 8}}
        command = [
            "python",
            "scripts/generate_answers.py",
            "--problems",
            tmp_path / "problems.parquet",
            "--engine",
            json.dumps(engine),
            "--effort",
            "medium",
            "--settings",
            json.dumps(settings),
            "--seed",
            "1",
            "--journal",
            tmp_path / f"{name}.jsonl",
            "--output",
            tmp_path / f"{name}.parquet",
        ]
        done = subprocess.run(command, cwd=ROOT, env=warm(), capture_output=True, text=True, timeout=3600)
        assert done.returncode == 0, done.stderr
        return pl.read_parquet(tmp_path / f"{name}.parquet")

    answers = generate("first")
    assert answers.height == 15 and answers["error"].null_count() == 15, answers["error"].to_list()
    assert answers["tokens"].min() >= 1 and answers["tokens"].max() <= 8
    assert set(answers["finish_reason"]) <= {"length", "stop"}
    assert answers["text"].n_unique() > 10  # a random model at temperature 1: the seeds differ


def test_a_model_behind_it_grades_recorded_answers(server, project):
    """Of random weights no usable verdict comes; what counts is that it was asked of each answer beside its label."""
    rows = [("What is 1 + 1, in figures?", "2", r"\boxed{2}"), ("What is 2 + 2, in figures?", "4", r"\boxed{5}")]
    named = [dict(zip(("problem", "answer", "reply"), row, strict=True)) | {"id": n} for n, row in enumerate(rows)]
    (project / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in named))
    log = {"kind": "rows", "paths": ["sums.jsonl"], "columns": {"reply": "reply", "problem": "problem"}}
    engine = {"kind": "server", "url": server, "model": "served", "canary": None}
    evaluation = {
        "answers_per_problem": 1, "pass_at": [1], "baseline": "mine", "resamples": 200, "graders": ["equality", "llm"],
        "llm": {"engine": engine, "attempts": 2, "sampling": {"temperature": 1.0, "max_tokens": 8}},
        "benchmarks": {"sums": {"source": {"kind": "jsonl", "path": "sums.jsonl"}}},
        "models": [{"model": "mine", "recorded": {"sums": log}}],
    }  # fmt: skip
    config = {"experiment": "asked", "seed": 1, "evaluation": evaluation}
    (project / "asked.json").write_text(json.dumps(config))
    folder = "results/asked/evaluation/mine/sums"
    done = run_snakemake(project, "--cores", "2", "--configfile", "asked.json", "--", f"{folder}/graded.parquet")
    assert done.returncode == 0, done.stdout + done.stderr
    (asked,) = pl.read_parquet(project / folder / "adjudicated.parquet").rows(named=True)
    assert (asked["left"], asked["right"], asked["attempts"], asked["asked"]) == ("4", "5", 2, "label")
    graded = pl.read_parquet(project / folder / "graded.parquet")
    assert graded["llm"].to_list() == [True, None] and graded["rules"].to_list() == [True, False]


def test_a_teacher_behind_a_server_teaches_by_its_probabilities(teacher, tiny_whole, tmp_path):
    """A student of random weights with the teacher's tokenizer: what the server tells of its answers falls in loss."""
    from reasonlite.core.schemas import PROBLEMS
    from reasonlite.core.tables import frame_of, write_table

    rows = [{"id": f"s:{n}", "source": "s", "problem": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(8)]
    write_table(tmp_path / "problems.parquet", frame_of(rows, PROBLEMS), PROBLEMS)
    arguments = {
        **{"max_steps": 4, "per_device_train_batch_size": 4, "learning_rate": 1e-2, "logging_steps": 1},
        **{"max_completion_length": 12, "bf16": False, "gradient_checkpointing": False, "save_strategy": "no"},
        **{"beta": 0.0, "loss_top_k": 5},
    }
    stage = {"name": "kd", "method": "distill", "start": "tiny", "teacher": "tiny", "data": ["s"], "served": True}
    outputs = [
        word
        for name in ("log", "speed", "learned", "rollouts")
        for word in (f"--{name}-table", tmp_path / f"{name}.parquet")
    ]

    def train(url):
        command = [
            *("python", "scripts/launch.py", "--config-file", "envs/accelerate/cpu.yaml", "--"),
            *("scripts/train_distill.py", "--stage", json.dumps(stage | {"arguments": arguments}), "--seed", "1"),
            *("--start", tiny_whole, "--teacher", tiny_whole, "--data", tmp_path / "problems.parquet"),
            *("--teacher-server", url, "--work", tmp_path / "work", "--output", tmp_path / "kd", *outputs),
        ]
        return subprocess.run(command, cwd=ROOT, env=warm(), capture_output=True, text=True, timeout=3600)

    done = train(teacher)
    assert done.returncode == 0, done.stderr[-4000:]
    losses = pl.read_parquet(tmp_path / "log.parquet")["loss"].drop_nulls().to_list()
    assert len(losses) >= 4 and losses[0] > 1 and min(losses[1:]) < losses[0], losses
    assert teacher not in (tmp_path / "kd" / "training.json").read_text()
    shutil.rmtree(tmp_path / "work")
    gone = train("http://127.0.0.1:9")
    assert gone.returncode != 0 and "no server answers there" in gone.stderr and "vllm serve MODEL" in gone.stderr


def test_a_server_whose_tokens_are_others_is_no_teacher(server, tiny_model, tmp_path):
    from reasonlite.core.errors import UserError
    from reasonlite.models.encoding import open_tokenizer
    from reasonlite.training import teachers

    url = teachers.address(server, "stages.kd")
    assert not url.endswith("/v1")
    teachers.check_server(url, open_tokenizer(tiny_model), "stages.kd")
    other = tmp_path / "other"
    shutil.copytree(tiny_model, other)
    written = json.loads((other / "tokenizer.json").read_text())
    digits = written["model"]["vocab"]
    digits["2"], digits["5"] = digits["5"], digits["2"]
    (other / "tokenizer.json").write_text(json.dumps(written))
    with pytest.raises(UserError, match=r"stages\.kd: the server takes token \d+ for '\d', the student for '\d'"):
        teachers.check_server(url, open_tokenizer(other), "stages.kd")
    with pytest.raises(UserError, match="answers 404"):
        teachers.check_server(f"{url}/nowhere", open_tokenizer(tiny_model), "stages.kd")
