"""Result tables and figures from small judged tables."""

from pathlib import Path

import polars as pl
import pytest
from rows import answers_of, problems_of

from reasonlite.config.evaluation import Evaluation
from reasonlite.core import layout
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import JUDGED, TRAINING_LOG, VOTES
from reasonlite.core.tables import frame_of, write_table
from reasonlite.evaluation import results
from reasonlite.evaluation.arms import ARMS
from reasonlite.labels.groups import group
from reasonlite.labels.judged import judge
from reasonlite.labels.votes import vote
from reasonlite.report import distributions, figures
from reasonlite.report.funnel import STEPS

ROOT = Path(__file__).parents[3]
SAMPLING = {"temperature": 0.5, "max_tokens": 9}
SIZE = {"parameters": 0.5, "layers": 2, "attention_width": 4}
SETTINGS = Evaluation(
    engine={"max_model_len": 64},
    benchmarks={"aime24": {"source": {"kind": "jsonl", "path": "x"}}},
    answers_per_problem=2,
    pass_at=[1, 2],
    models=[
        {"model": "base", "sampling": SAMPLING, **SIZE},
        {"model": "final", "sampling": SAMPLING, "published": "ReasonLite-0.6B"},
    ],
    baseline="base",
    resamples=200,
)


def judged_table(path, given):
    answers, problems = answers_of(given), problems_of(dict.fromkeys(given, "1"))
    groups, *_ = group(answers, problems)
    write_table(path, judge(answers, groups, problems), JUDGED)
    return path


def test_answers_that_are_right_by_rounding_alone_are_counted_apart(tmp_path):
    answers = answers_of({"p": ["1.41", r"\sqrt{2}"], "q": ["2", "3"]})
    problems = problems_of({"p": "1.41", "q": "2"})
    for rounding in (False, True):
        groups, *_ = group(answers, problems, rounding=rounding)
        path = tmp_path / f"{rounding}.parquet"
        write_table(path, judge(answers, groups, problems), JUDGED)
        settings = SETTINGS.model_copy(update={"rounding": rounding, "models": SETTINGS.models[:1]})
        table = results.measure(results.read_all({("base", "aime24"): path}, settings), settings, seed=0)
        assert value(table, "base", "avg@2") == (75.0 if rounding else 50.0)
        apart = table.filter(pl.col("metric") == "by rounding")["value"].to_list()
        assert apart == ([25.0] if rounding else [])


@pytest.fixture
def measured(tmp_path):
    base = judged_table(tmp_path / "base.parquet", {"p": ["1", "2"], "q": ["2", None]})
    final = judged_table(tmp_path / "final.parquet", {"p": ["1", "1"], "q": ["1", "2"]})
    return results.read_all({("base", "aime24"): base, ("final", "aime24"): final}, SETTINGS)


@pytest.fixture
def table(measured):
    return results.measure(measured, SETTINGS, seed=0)


def value(table, model, metric):
    return table.filter((pl.col("model") == model) & (pl.col("metric") == metric))["value"][0]


def test_values_by_hand(table):
    assert value(table, "base", "avg@2") == 25.0
    assert value(table, "final", "avg@2") == 75.0
    assert value(table, "final", "difference") == 50.0
    assert value(table, "base", "pass@2") == 50.0
    assert value(table, "base", "answered") == 75.0
    assert value(table, "base", "tokens") == value(table, "base", "tokens p50, p90, p99") == 10.0
    assert value(table, "base", "cut off") == 0.0
    assert value(table, "base", "majority@2") == 25.0  # p: a tie of right and wrong; q: wrong
    assert value(table, "final", "majority@2") == 75.0
    draws = table.filter((pl.col("model") == "final") & (pl.col("metric") == "draws")).row(0, named=True)
    assert (draws["value"], draws["low"], draws["high"]) == (75.0, 50.0, 100.0)


def test_models_are_compared_in_pairs(measured):
    row = results.compare(measured, SETTINGS, 0).row(0, named=True)
    assert (row["left"], row["right"], row["difference"]) == ("base", "final", 50.0)
    assert (row["gained"], row["lost"], row["p"], row["p_holm"]) == (1, 0, 1.0, 1.0)


def test_each_problem_and_each_curve(measured):
    solved = {(row["model"], row["problem_id"]): row["right"] for row in results.per_problem(measured).rows(named=True)}
    assert solved == {("base", "p"): 1, ("base", "q"): 0, ("final", "p"): 2, ("final", "q"): 1}
    curves = results.curves(measured, SETTINGS, 0)
    final = curves.filter(pl.col("model") == "final")
    assert final.filter(pl.col("curve") == "pass@k")["value"].to_list() == [75.0, 100.0]
    budget = final.filter(pl.col("curve") == "budget")
    assert budget["value"].to_list() == sorted(budget["value"]) and budget["value"][-1] == 75.0
    assert budget.filter(pl.col("x") < 10)["value"].max() == 0.0  # every answer has ten tokens


def test_budgets_of_thinking_are_a_curve_of_the_model_that_answered(measured):
    drawn = {"sampling": {"temperature": 1, "max_tokens": 90}}
    models = [
        {"model": "final"} | drawn,
        {"model": "short", "of": "final", "thinking": 8} | drawn,
        {"model": "base"} | drawn,
    ]
    settings = Evaluation.model_validate(SETTINGS.model_dump() | {"models": models})
    scores = {"aime24": measured["aime24"] | {"short": measured["aime24"]["base"]}}
    curves = results.curves(scores, settings, 0)
    thinking = curves.filter(pl.col("curve") == "thinking").sort("x")
    assert thinking.select("model", "x", "value").rows() == [("final", 8, 25.0), ("final", 90, 75.0)]
    assert set(curves.filter(pl.col("curve") == "budget")["model"]) == {"base", "final"}
    assert figures.budget(curves).axes[0].containers  # its diamonds have intervals
    alone = curves.filter((pl.col("curve") == "thinking") & (pl.col("x") == 8))
    assert figures.budget(alone).axes[0].containers  # of a model without a curve of its own too
    log = frame_of([], TRAINING_LOG)
    assert figures.reinforcement(log) is not None


def test_compute_by_hand(measured):
    row = results.compute(measured, SETTINGS).row(0, named=True)
    flops = 4 * (2 * 0.5e9 * 10 + 4 * 2 * 4 * 10 * 11 / 2)
    assert row["model"] == "base" and row["pflops"] == pytest.approx(flops / 1e15) and row["accuracy"] == 25.0


def test_the_compute_formula_agrees_in_size_with_reasonlites_figure():
    """Qwen3-0.6B (28 layers, 16 heads of 128): 21 PFLOPs for 480 answers, if they have some 15,000 tokens."""
    from reasonlite.evaluation.metrics import decoding_flops

    assert 15 < 480 * decoding_flops(0.6e9, 0, 15_000, 28, 2048) / 1e15 < 27


def test_published_and_measured_stand_side_by_side(table):
    published = pl.read_csv(ROOT / "config" / "published" / "reasonlite_table1.csv")
    settings = SETTINGS.model_copy(update={"answers_per_problem": 2})
    beside = results.beside_published(table, published, settings)
    assert beside.height == 12 * 6 and beside["measured"].null_count() == beside.height  # avg@16 was not measured here
    sixteen = table.with_columns(pl.col("metric").replace("avg@2", "avg@16"))
    row = results.beside_published(sixteen, published, settings).drop_nulls("measured").row(0, named=True)
    assert (row["model"], row["ours"], row["published"], row["measured"]) == ("ReasonLite-0.6B", "final", 75.2, 75.0)
    assert row["difference"] == pytest.approx(-0.2) and row["inside"] is True
    header, body = layout.published(results.beside_published(sixteen, published, settings))
    assert "| ReasonLite-0.6B | aime24 | avg@16 | 75.2 | 75.0 [" in layout.markdown(header, body, "")
    wrong = settings.models[1].model_copy(update={"published": "GPT-9"})
    with pytest.raises(UserError, match="no published model is called 'GPT-9'"):
        results.beside_published(table, published, settings.model_copy(update={"models": [wrong]}))


def test_the_wide_table_in_markdown_and_latex(table):
    header, body = layout.wide(table)
    assert "| final | aime24 | 75.0 [" in layout.markdown(header, body, layout.NOTE)
    page = layout.html(header, [*body, ["<b>", "&"]], "note")
    assert "<td>final</td><td>aime24</td><td>75.0 [" in page and "<td>&lt;b&gt;</td><td>&amp;</td>" in page
    latex = layout.latex(header, body)
    assert "\\toprule" in latex and "final & aime24 & 75.0" in latex


def test_tables_that_cannot_be_scored_are_refused_by_name(tmp_path):
    base = judged_table(tmp_path / "base.parquet", {"p": ["1", "2"]})
    other = judged_table(tmp_path / "other.parquet", {"q": ["1", "2"]})
    with pytest.raises(UserError, match="are not those of base"):
        results.read_all({("base", "aime24"): base, ("final", "aime24"): other}, SETTINGS)
    frame = pl.read_parquet(base)
    for broken, message in [
        (pl.concat([frame, frame.head(0)]).with_columns(correct=None), "the benchmark problem p has no label"),
        (frame.with_columns(number=pl.lit(0, pl.Int32)), "an answer stands in it twice"),
        (pl.concat([frame, frame.head(1).with_columns(problem_id=pl.lit("q"))]), "unequal numbers of answers"),
        (frame.head(0), "has no verdicts"),
    ]:
        write_table(base, broken, JUDGED)
        with pytest.raises(UserError, match=message):
            results.read_scores(base)
    frame.drop("answer").write_parquet(base)
    with pytest.raises(UserError, match="lacks the column 'answer'"):
        results.read_scores(base)


@pytest.fixture
def spread(tmp_path):
    judged = judged_table(tmp_path / "teacher.parquet", {"p": ["1", "2"], "q": ["2", None]})
    answers, problems = (
        answers_of({"p": ["1"] * 9 + ["2"], "q": ["2"] * 4, "r": [None]}),
        problems_of({"p": "1", "q": "3", "r": "4"}),
    )
    groups, *_ = group(answers, problems)
    write_table(tmp_path / "votes.parquet", vote(answers, groups, problems, min_share=0.9, min_votes=4), VOTES)
    lengths = distributions.lengths({"teacher, high": [judged]})
    return lengths, distributions.vote_shares([tmp_path / "votes.parquet"])


def test_lengths_and_vote_shares_count_everything_once(spread):
    lengths, shares = spread
    assert dict(lengths.group_by("verdict").agg(pl.col("answers").sum()).iter_rows()) == {"right": 1, "wrong": 3}
    found = {row["agrees"]: (row["low"], row["problems"]) for row in shares.rows(named=True)}
    assert found["agrees with the label"] == (0.9, 1) and found["differs from the label"] == (0.95, 1)
    assert found["no top answer"] == (0.0, 1)


def arm(name, value):
    return ("m", name, "sums", 2, 8, value, value - 2, value + 2, value - 1, value + 1, None, 0.0, 0.0, 0.0)


def test_figures_are_byte_stable_in_every_format(table, measured, spread, tmp_path):
    steps = pl.DataFrame([("problems", "read", 9, None), ("answers: high", "drawn", 5, 70)], schema=STEPS, orient="row")
    step = {"stage": "turbo", "epoch": 1.0, "grad_norm": 1.0, "tokens": 5, "mean_token_accuracy": 0.5}
    log = frame_of([{**step, "step": n, "loss": 1.0 / n, "learning_rate": 1e-4 / n} for n in (1, 2, 3)], TRAINING_LOG)
    published = pl.read_csv(ROOT / "config" / "published" / "reasonlite_figures.csv")
    curves = results.curves(measured, SETTINGS, 0)
    for name, draw in {
        "stages": lambda: figures.stages(table, "base"),
        "pass_at_k": lambda: figures.pass_at_k(curves),
        "budget": lambda: figures.budget(curves),
        "compute": lambda: figures.compute(results.compute(measured, SETTINGS)),
        "lengths": lambda: figures.lengths(spread[0]),
        "vote_shares": lambda: figures.vote_shares(spread[1]),
        "funnel": lambda: figures.funnel(steps),
        "loss": lambda: figures.loss(log),
        "reinforcement": lambda: figures.reinforcement(log.with_columns(reward=0.5, reward_std=0.1, all_wrong=1.0)),
        "arms": lambda: figures.arms(pl.DataFrame([arm("base", 5.0), arm("a", 9.0)], schema=ARMS, orient="row")),
        "accuracy_vs_parameters": lambda: figures.published_accuracy(published),
        "accuracy_vs_compute": lambda: figures.published_compute(published),
    }.items():
        bytes_of = []
        for attempt in ("a", "b"):
            paths = [tmp_path / f"{name}-{attempt}.{suffix}" for suffix in ("svg", "png", "pdf")]
            figures.save(draw(), paths)
            bytes_of.append([path.read_bytes() for path in paths])
        assert bytes_of[0] == bytes_of[1], name
        assert all(len(content) > 2_000 for content in bytes_of[0])
        assert b"/FontFile" in bytes_of[0][2], f"{name}: the fonts are not in the file"
