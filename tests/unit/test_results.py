"""Result tables and figures from small judged tables."""

from pathlib import Path

import polars as pl
import pytest
from test_votes import answers_of, problems_of

from reasonlite import figures
from reasonlite.config import Evaluation
from reasonlite.errors import UserError
from reasonlite.funnel import STEPS
from reasonlite.grouping import group
from reasonlite.results import measure, write_results
from reasonlite.tables import JUDGED, TRAINING_LOG, frame_of, write_table
from reasonlite.votes import judge

ROOT = Path(__file__).parents[2]
SAMPLING = {"temperature": 0.5, "max_tokens": 9}
SETTINGS = Evaluation(
    engine={"max_model_len": 64},
    benchmarks={"b": {"source": {"kind": "jsonl", "path": "x"}}},
    answers_per_problem=2,
    pass_at=[1, 2],
    models=[{"model": "base", "sampling": SAMPLING}, {"model": "final", "sampling": SAMPLING}],
    baseline="base",
    resamples=200,
)


def judged_table(path, given):
    answers, problems = answers_of(given), problems_of(dict.fromkeys(given, "1"))
    groups, *_ = group(answers, problems)
    write_table(path, judge(answers, groups, problems), JUDGED)
    return path


@pytest.fixture
def results(tmp_path):
    base = judged_table(tmp_path / "base.parquet", {"p": ["1", "2"], "q": ["2", None]})
    final = judged_table(tmp_path / "final.parquet", {"p": ["1", "1"], "q": ["1", "2"]})
    return measure({("base", "b"): base, ("final", "b"): final}, SETTINGS, seed=0)


def value(results, model, metric):
    return results.filter((pl.col("model") == model) & (pl.col("metric") == metric))["value"][0]


def test_values_by_hand(results):
    assert value(results, "base", "avg@2") == 25.0
    assert value(results, "final", "avg@2") == 75.0
    assert value(results, "final", "difference") == 50.0
    assert value(results, "base", "pass@2") == 50.0
    assert value(results, "base", "answered") == 75.0
    assert value(results, "base", "tokens") == 10.0
    assert value(results, "base", "cut off") == 0.0


def test_tables_are_written_in_three_forms(results, tmp_path):
    paths = [tmp_path / f"r.{suffix}" for suffix in ("csv", "md", "tex")]
    write_results(results, *paths)
    texts = [path.read_text() for path in paths]
    assert pl.read_csv(paths[0]).height == results.height
    assert "| final | b | 75.0 [" in texts[1]
    assert "\\toprule" in texts[2] and "final & b & 75.0" in texts[2]
    write_results(results, *paths)
    assert [path.read_text() for path in paths] == texts


def test_other_problems_than_the_baselines_and_missing_labels_are_refused(tmp_path):
    base = judged_table(tmp_path / "base.parquet", {"p": ["1", "2"]})
    other = judged_table(tmp_path / "other.parquet", {"q": ["1", "2"]})
    with pytest.raises(UserError, match="not the baseline's"):
        measure({("base", "b"): base, ("final", "b"): other}, SETTINGS, seed=0)
    answers, problems = answers_of({"p": ["1", "2"]}), problems_of({"p": None})
    groups, *_ = group(answers, problems)
    write_table(base, judge(answers, groups, problems), JUDGED)
    with pytest.raises(UserError, match="the benchmark problem p has no label"):
        measure({("base", "b"): base, ("final", "b"): base}, SETTINGS, seed=0)


def test_figures_are_byte_stable_in_every_format(results, tmp_path):
    steps = pl.DataFrame([("problems", "read", 9, None), ("answers: high", "drawn", 5, 70)], schema=STEPS, orient="row")
    step = {"stage": "turbo", "epoch": 1.0, "grad_norm": 1.0, "tokens": 5, "mean_token_accuracy": 0.5}
    log = frame_of([{**step, "step": n, "loss": 1.0 / n, "learning_rate": 1e-4 / n} for n in (1, 2, 3)], TRAINING_LOG)
    published = pl.read_csv(ROOT / "config" / "published" / "reasonlite_figures.csv")
    for name, draw in {
        "stages": lambda: figures.stages(results, "base"),
        "funnel": lambda: figures.funnel(steps),
        "loss": lambda: figures.loss(log),
        "published": lambda: figures.published_accuracy(published),
    }.items():
        bytes_of = []
        for attempt in ("a", "b"):
            paths = [tmp_path / f"{name}-{attempt}.{suffix}" for suffix in ("svg", "png", "pdf")]
            figures.save(draw(), paths)
            bytes_of.append([path.read_bytes() for path in paths])
        assert bytes_of[0] == bytes_of[1], name
        assert all(len(content) > 2_000 for content in bytes_of[0])
