"""Requests, journal and projection. The engine here counts and can die; real ones are tested elsewhere."""

import json

import polars as pl
import pytest

from reasonlite.engines import Reply, Shared
from reasonlite.errors import UserError
from reasonlite.generation import Job, generate
from reasonlite.journal import Journal
from reasonlite.settings import Effort, VllmEngine

PROBLEMS = pl.DataFrame({"id": ["s:1", "s:0"], "problem": ["b?", "a?"]})


def job(**changes):
    settings = Effort(sampling={"temperature": 0.5, "max_tokens": 9}, answers_per_problem=3)
    return Job(
        **(
            {
                "effort": "medium",
                "settings": settings,
                "engine": VllmEngine(max_model_len=64),
                "model": "m",
                "seed": 1,
                "chunk": 2,
            }
            | changes
        )
    )


class Counting:
    """Replies with the seed; dies when asked for more than ``lives`` chunks."""

    def __init__(self, lives=10**9, error=None):
        self.asked, self.lives, self.error, self.closed = [], lives, error, False

    def generate(self, requests):
        if self.lives == 0:
            raise KeyboardInterrupt
        self.lives -= 1
        self.asked += [request.key for request in requests]
        if self.error:
            return [Reply(None, error=self.error) for _ in requests]
        return [Reply(f"so \\boxed{{{request.seed}}}", 5, 7, "stop") for request in requests]

    def close(self):
        self.closed = True


def test_rows_come_in_order_with_their_seeds(tmp_path):
    frame = generate(PROBLEMS, job(), tmp_path / "j", Counting)
    assert frame["answer_id"].to_list() == ["s:0_0", "s:0_1", "s:0_2", "s:1_0", "s:1_1", "s:1_2"]
    assert frame["answer"].cast(pl.Int64).to_list() == frame["seed"].to_list()
    assert frame["seed"].n_unique() == 6


def test_a_killed_job_pays_only_for_the_rest(tmp_path):
    first = Counting(lives=2)
    with pytest.raises(KeyboardInterrupt), Shared(lambda: first) as shared:
        generate(PROBLEMS, job(), tmp_path / "j", shared.engine)
    assert first.closed and len(first.asked) == 4
    second = Counting()
    frame = generate(PROBLEMS, job(), tmp_path / "j", lambda: second)
    assert len(second.asked) == 2 and not set(first.asked) & set(second.asked)
    assert frame.equals(generate(PROBLEMS, job(), tmp_path / "other", Counting))


def test_several_tables_share_one_engine(tmp_path):
    started = []
    with Shared(lambda: started.append(Counting()) or started[-1]) as shared:
        for name in ("a", "b"):
            generate(PROBLEMS.with_columns(problem=pl.lit(name)), job(), tmp_path / name, shared.engine)
    assert len(started) == 1 and started[0].closed and len(started[0].asked) == 12


def test_a_fixed_first_seed_counts_up_for_every_problem(tmp_path):
    settings = {"answers_per_problem": 3, "sampling": {"temperature": 0.8, "max_tokens": 10}, "first_seed": 42}
    frame = generate(PROBLEMS, job(settings=Effort(**settings)), tmp_path / "j", Counting)
    assert frame["seed"].to_list() == [42, 43, 44] * 2


def test_a_full_journal_starts_no_engine(tmp_path):
    whole = generate(PROBLEMS, job(), tmp_path / "j", Counting)

    def refuse():
        raise AssertionError("the engine was started")

    assert generate(PROBLEMS, job(), tmp_path / "j", refuse).equals(whole)
    assert generate(PROBLEMS.head(0), job(), tmp_path / "empty", refuse).height == 0


def test_one_changed_problem_pays_only_for_itself(tmp_path):
    generate(PROBLEMS, job(), tmp_path / "j", Counting)
    engine = Counting()
    generate(PROBLEMS.with_columns(problem=pl.Series(["b?", "changed?"])), job(), tmp_path / "j", lambda: engine)
    assert len(engine.asked) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"},
        {"seed": 2},
        {"effort": "high"},
        {"engine": VllmEngine(max_model_len=65)},
        {"settings": Effort(sampling={"temperature": 0.6, "max_tokens": 9}, answers_per_problem=3)},
    ],
)
def test_whatever_could_change_a_reply_asks_anew(tmp_path, change):
    generate(PROBLEMS, job(), tmp_path / "j", Counting)
    engine = Counting()
    generate(PROBLEMS, job(**change), tmp_path / "j", lambda: engine)
    assert len(engine.asked) == 6


def test_failed_requests_are_rows_and_are_tried_again(tmp_path):
    frame = generate(PROBLEMS, job(), tmp_path / "j", lambda: Counting(error="empty reply"))
    assert frame["status"].unique().to_list() == ["failed"] and frame["error"][0] == "empty reply"
    again = Counting()
    assert generate(PROBLEMS, job(), tmp_path / "j", lambda: again)["status"].unique().to_list() == ["complete"]
    assert len(again.asked) == 6


def test_a_torn_journal_line_is_cut_off_and_a_broken_one_is_named(tmp_path):
    path = tmp_path / "j"
    Journal(path).append([("a", {"text": "x"}), ("b", {"text": "y"})])
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert set(Journal(path).entries) == {"a", "b"} if size == len(whole) else set(Journal(path).entries) <= {"a"}
        assert path.read_bytes() in (b"", whole[: whole.index(b"\n") + 1])
    path.write_bytes(b"nonsense\n" + whole)
    with pytest.raises(UserError, match="line 1 is not a journal entry"):
        Journal(path)


def test_lone_surrogates_survive_the_journal(tmp_path):
    Journal(tmp_path / "j").append([("a", {"text": "\ud800 \x00"})])
    assert Journal(tmp_path / "j").entries["a"]["text"] == "\ud800 \x00"
    json.loads((tmp_path / "j").read_text())
