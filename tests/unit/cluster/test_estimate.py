"""What a run will take, and what it has taken."""

import json
from pathlib import Path

import pytest
import yaml

from reasonlite.cluster import estimate
from reasonlite.config.experiment import parse_config
from reasonlite.core.attempts import attempts_in
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import ANSWERS, TRAINING_LOG
from reasonlite.core.tables import frame_of, write_table
from reasonlite.report import ledger

ROOT = Path(__file__).parents[3]


def lines_of(name, rates=None):
    config = parse_config(yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))
    rates = rates or estimate.read_rates(ROOT / "config" / "rates.yaml")
    return {line.rule: line for line in estimate.estimate(config, rates)}, rates


def test_the_papers_run():
    lines, rates = lines_of("paper")
    generated = lines["generate_answers"]
    assert generated.jobs == 686 and generated.answers == 343_000 * 64
    assert generated.tokens == generated.answers * 6000
    assert generated.gpu_hours == pytest.approx(generated.tokens / 6000 / 3600)
    # eight epochs of two thirds of all answers, by effort
    assert lines["train"].tokens == pytest.approx(8 * 0.67 * generated.tokens)
    # 30 + 30 + 40 problems with 16 answers, 500 + 1319 + 164 with 4, by three models
    assert lines["evaluate_answers"].answers == 3 * (100 * 16 + 1983 * 4)
    assert all(rate.source for rate in rates.used.values())


def test_published_counts_stand_beside_what_is_asked():
    lines, rates = lines_of("paper")
    beside = estimate.beside_published(list(lines.values()), ROOT / "config/published/reasonlite_funnel.csv")
    assert beside[1:] == [
        "  answers drawn: 22.0M here, 9.1M published (2.4 times)",
        "  training examples: 14.7M here, 6.1M published (2.4 times)",
    ]
    assert estimate.report(list(lines.values()), rates, beside).endswith(beside[-1])


def test_the_demo_counts_its_own_problems():
    lines, rates = lines_of("demo")
    assert not any(name.startswith("rows:") for name in rates.used)
    assert lines["generate_answers"].answers > 0


def test_a_missing_rate_is_named(tmp_path):
    (tmp_path / "rates.yaml").write_text("rows: {}\n")
    with pytest.raises(UserError, match=r"no rate 'rows:POLARIS-Project.*value and a source"):
        lines_of("paper", estimate.read_rates(tmp_path / "rates.yaml"))


def job(folder, name, **changes):
    entry = {"rule_name": "generate_answers", "wildcards": {"effort": "high", "shard": name}, "s": 3600.0}
    entry |= {"cpu_time": 7200.0, "max_rss": 900.0, "resources": {"gres": "gpu:mi300x:2", "mem_mb": 5}} | changes
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jsonl").write_text(json.dumps(entry) + "\n")


@pytest.fixture
def taken(tmp_path):
    job(tmp_path / "benchmarks" / "generate", "00000")
    job(tmp_path / "benchmarks" / "generate", "00001", s=1800.0, max_rss=1000.0)
    job(tmp_path / "benchmarks" / "vote", "00000", rule_name="vote", wildcards={"shard": "00000"}, s=0.5, resources={},
        cpu_time="NA", max_rss="NA")  # fmt: skip
    four_nodes = {"gres": "gpu:8", "nodes": 4}
    job(
        tmp_path / "benchmarks",
        "turbo",
        rule_name="train",
        wildcards={"stage": "turbo"},
        s=7200.0,
        resources=four_nodes,
    )
    rows = [
        {"effort": "high", "prompt_tokens": 100, "tokens": 2000},
        {"effort": "high", "prompt_tokens": 50, "tokens": 700},
    ]
    write_table(tmp_path / "answers.parquet", frame_of(rows, ANSWERS), ANSWERS)
    log = [{"stage": "turbo", "step": step, "loss": 1.0, "tokens": step * 10} for step in (1, 2, 3)]
    write_table(tmp_path / "turbo.parquet", frame_of(log, TRAINING_LOG), TRAINING_LOG)
    job(tmp_path / "benchmarks", "final", rule_name="evaluate_answers", wildcards={"model": "final"}, s=36.0)
    scored = tmp_path / "evaluation" / "final" / "aime24" / "answers.parquet"
    write_table(scored, frame_of([{"effort": "aime24", "prompt_tokens": 7, "tokens": 9}], ANSWERS), ANSWERS)
    answers, training = [tmp_path / "answers.parquet"], [tmp_path / "turbo.parquet"]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "turbo.log").write_text("9:00 reasonlite: restarted by Slurm: 2\n")
    failed = [("generate_answers", {"effort": "high", "shard": "0"}, 1800.0)] * 2 + [("curate", {"stratum": "s"}, 36.0)]
    lines = [json.dumps(dict(zip(("rule", "wildcards", "seconds"), each, strict=True))) for each in failed]
    (tmp_path / "logs" / "failed.jsonl").write_text("\n".join([*lines, '{"rule": "tr']))
    return ledger.ledger(tmp_path / "benchmarks", tmp_path / "logs", answers, [scored], training)


def test_the_ledger_adds_hours_gpus_and_tokens(taken):
    rows = {row["rule"]: row for row in taken.iter_rows(named=True)}
    generated = rows["generate_answers"]
    assert (generated["part"], generated["jobs"], generated["wall_hours"], generated["gpu_hours"]) == (
        "high",
        2,
        1.5,
        3.0,
    )
    assert (generated["prompt_tokens"], generated["tokens"], generated["peak_memory_mb"]) == (150, 2700, 1000.0)
    assert generated["tokens_per_second"] == pytest.approx(2700 / 5400)
    assert rows["train"]["gpu_hours"] == 64.0 and rows["train"]["tokens"] == 30
    assert (rows["evaluate_answers"]["part"], rows["evaluate_answers"]["tokens"]) == ("final", 9)
    assert rows["vote"]["peak_memory_mb"] is None and rows["vote"]["gpu_hours"] == 0


def test_the_ledger_counts_tries_that_came_to_nothing(taken):
    rows = {row["rule"]: [row[name] for name in ("jobs", "failed", "failed_hours", "requeued")]
            for row in taken.iter_rows(named=True)}  # fmt: skip
    assert rows["generate_answers"] == [2, 2, 1.0, 0]
    assert rows["train"] == [1, 0, 0.0, 2] and rows["vote"] == [1, 0, 0.0, 0]
    assert rows["curate"] == [0, 1, 0.01, 0]  # never succeeded


def test_a_list_of_failed_tries_that_is_none_is_named(tmp_path):
    (tmp_path / "failed.jsonl").write_text('{"rule": 1}\n{}\n')
    with pytest.raises(UserError, match=r"failed\.jsonl:1: is not a list of failed tries"):
        attempts_in(tmp_path / "failed.jsonl")


def test_measured_speeds_replace_stated_ones(taken, tmp_path):
    taken.write_csv(tmp_path / "ledger.csv")
    lines, rates = lines_of("paper", estimate.read_rates(ROOT / "config" / "rates.yaml", tmp_path / "ledger.csv"))
    assert rates.used["teacher_speed"].value == pytest.approx(2700 / 3 / 3600)
    assert "measured" in rates.used["teacher_speed"].source
    assert lines["generate_answers"].gpu_hours == pytest.approx(lines["generate_answers"].tokens / (2700 / 3))


def test_a_file_that_is_no_benchmark_is_named(tmp_path):
    (tmp_path / "x.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match=r"x\.jsonl: is not one of Snakemake's benchmark files"):
        ledger.ledger(tmp_path, tmp_path, [], [], [])
    with pytest.raises(UserError, match="no benchmark files"):
        ledger.ledger(tmp_path / "none", tmp_path, [], [], [])
