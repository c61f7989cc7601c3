"""Requests, journal and projection. The engine here counts and can die; real ones are tested elsewhere."""

import fcntl
import itertools
import os
from dataclasses import replace

import polars as pl
import pytest

from reasonlite.answers.engines import Reply, Shared
from reasonlite.answers.generation import Job, asked, gather, generate
from reasonlite.answers.journal import FEW_CHUNKS, Journal, chunks_of, report
from reasonlite.answers.sampling import parameters
from reasonlite.config.settings import Effort, VllmEngine
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import ANSWERS
from reasonlite.core.tables import about_table, read_table

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
                "commit": 2,
            }
            | changes
        )
    )


class Counting:
    """Replies with the seed, in an order of its own; dies when asked for more than ``lives`` answers."""

    def __init__(self, lives=10**9, error=None, fails=lambda request: True, lost=False):
        self.asked, self.lives, self.error, self.fails, self.lost = [], lives, error, fails, lost
        self.seeds, self.closed = [], False

    def replies(self, requests):
        waiting = iter(requests)
        while batch := list(itertools.islice(waiting, 3)):
            for request in reversed(batch):
                if self.lives == 0:
                    raise KeyboardInterrupt
                self.lives -= 1
                self.asked.append(request.key)
                self.seeds.append(request.seed)
                if self.error and self.fails(request):
                    yield request, Reply(None, error=self.error, lost=self.lost)
                else:
                    yield request, Reply(f"so \\boxed{{{request.seed}}}", 5, 7, "stop")

    def close(self):
        self.closed = True


def drawn(problems, job, folder, engine):
    """The table of answers, and what the journal says of itself."""
    generate(problems, job, folder, engine, folder.parent / "answers.parquet")
    return read_table(folder.parent / "answers.parquet", ANSWERS)


def test_rows_come_in_order_with_their_seeds(tmp_path):
    frame = drawn(PROBLEMS, job(), tmp_path / "j", Counting)
    assert frame["answer_id"].to_list() == ["s:0_0", "s:0_1", "s:0_2", "s:1_0", "s:1_1", "s:1_2"]
    assert frame["answer"].cast(pl.Int64).to_list() == frame["seed"].to_list()
    assert frame["seed"].n_unique() == 6


def test_several_engines_draw_what_one_would_have_drawn(tmp_path):
    one = tmp_path / "one.parquet"
    generate(PROBLEMS, job(), tmp_path / "j", Counting, one)
    parts = []
    for place in range(2):
        parts.append(tmp_path / str(place) / "b.parquet")
        generate(PROBLEMS, job(part=(place, 2)), tmp_path / f"j{place}", Counting, parts[-1])
    assert [read_table(part, ANSWERS).height for part in parts] == [4, 2]
    assert gather(parts, tmp_path / "all.parquet") == 6
    assert read_table(tmp_path / "all.parquet", ANSWERS).equals(read_table(one, ANSWERS))
    assert about_table(tmp_path / "all.parquet") == about_table(one)
    with pytest.raises(UserError, match="s:0_0 stands in two parts"):
        gather([parts[0], parts[0]], tmp_path / "all.parquet")


def test_the_table_says_how_its_answers_were_drawn_to_the_last_parameter(tmp_path):
    drawn(PROBLEMS, job(), tmp_path / "j", Counting)
    told = about_table(tmp_path / "answers.parquet")
    assert told["sampling"] == parameters(job().settings.sampling) and told["sampling"]["min_p"] == 0.0
    assert told["model"] == "m" and told["seed"] == 1 and told["engine"]["kind"] == "vllm"
    assert told["engine"]["tensor_parallel_size"] == 1 and "max_num_seqs" in told["engine"]


class Sampler(Counting):
    """As vLLM with one seed for a job: its replies name the seed that the sampler began with."""

    def replies(self, requests):
        first = None
        for request, reply in super().replies(requests):
            first = self.seeds[0] if first is None else first
            yield request, replace(reply, seed=first)


def test_an_answer_keeps_the_seed_that_drew_it_and_a_continued_job_has_another(tmp_path):
    first = Sampler(lives=4)
    with pytest.raises(KeyboardInterrupt), Shared(lambda: first) as shared:
        drawn(PROBLEMS, job(), tmp_path / "j", shared.engine)
    second = Sampler()
    frame = drawn(PROBLEMS, job(), tmp_path / "j", lambda: second)
    assert set(frame["seed"]) == {first.seeds[0], second.seeds[0]} and first.seeds[0] != second.seeds[0]


def test_a_killed_job_pays_only_for_the_rest(tmp_path):
    first = Counting(lives=4)
    with pytest.raises(KeyboardInterrupt), Shared(lambda: first) as shared:
        drawn(PROBLEMS, job(), tmp_path / "j", shared.engine)
    assert first.closed and len(first.asked) == 4 and not (tmp_path / "answers.parquet").exists()
    second = Counting()
    frame = drawn(PROBLEMS, job(), tmp_path / "j", lambda: second)
    assert len(second.asked) == 2 and not set(first.asked) & set(second.asked)
    assert frame.equals(drawn(PROBLEMS, job(), tmp_path / "other", Counting))


def test_several_tables_share_one_engine(tmp_path):
    started = []
    with Shared(lambda: started.append(Counting()) or started[-1]) as shared:
        for name in ("a", "b"):
            drawn(PROBLEMS.with_columns(problem=pl.lit(name)), job(), tmp_path / name, shared.engine)
    assert len(started) == 1 and started[0].closed and len(started[0].asked) == 12


def test_a_fixed_first_seed_counts_up_for_every_problem(tmp_path):
    settings = {"answers_per_problem": 3, "sampling": {"temperature": 0.8, "max_tokens": 10}, "first_seed": 42}
    frame = drawn(PROBLEMS, job(settings=Effort(**settings)), tmp_path / "j", Counting)
    assert frame["seed"].to_list() == [42, 43, 44] * 2


def test_a_full_journal_starts_no_engine(tmp_path):
    whole = drawn(PROBLEMS, job(), tmp_path / "j", Counting)

    def refuse():
        raise AssertionError("the engine was started")

    assert drawn(PROBLEMS, job(), tmp_path / "j", refuse).equals(whole)
    assert drawn(PROBLEMS.head(0), job(), tmp_path / "empty", refuse).height == 0


def test_one_changed_problem_pays_only_for_itself(tmp_path):
    drawn(PROBLEMS, job(), tmp_path / "j", Counting)
    engine = Counting()
    drawn(PROBLEMS.with_columns(problem=pl.Series(["b?", "changed?"])), job(), tmp_path / "j", lambda: engine)
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
    drawn(PROBLEMS, job(), tmp_path / "j", Counting)
    engine = Counting()
    drawn(PROBLEMS, job(**change), tmp_path / "j", lambda: engine)
    assert len(engine.asked) == 6


def test_a_failed_request_is_made_again_with_other_seeds_then_recorded_as_failed(tmp_path):
    broken = Counting(error="empty reply with finish_reason stop")
    frame = drawn(PROBLEMS, job(), tmp_path / "j", lambda: broken)
    assert frame["status"].unique().to_list() == ["failed"] and frame["error"][0].startswith("empty reply")
    assert frame["text"].null_count() == frame["answer"].null_count() == 6
    assert len(broken.asked) == 3 * 6 and len(set(broken.seeds)) == 3 * 6
    again = Counting()
    assert drawn(PROBLEMS, job(), tmp_path / "j", lambda: again).equals(frame) and again.asked == []
    more = Effort(**(job().settings.model_dump() | {"attempts": 4}))
    frame = drawn(PROBLEMS, job(settings=more), tmp_path / "j", lambda: again)
    assert frame["status"].unique().to_list() == ["complete"] and len(again.asked) == 6
    assert not set(again.seeds) & set(broken.seeds)


def test_where_every_request_fails_there_is_no_table(tmp_path):
    many = pl.DataFrame({"id": [f"s:{n}" for n in range(6)], "problem": [f"{n}?" for n in range(6)]})
    broken = Counting(error="empty reply with finish_reason stop")
    for _ in range(2):  # the second time nothing is asked, and it is told again
        with pytest.raises(UserError, match="(?s)all 18 requests failed; the last one: empty reply.*raise attempts"):
            drawn(many, job(), tmp_path / "j", lambda: broken)
    assert len(broken.asked) == 3 * 18 and not (tmp_path / "answers.parquet").exists()


def test_one_empty_reply_costs_one_request_more(tmp_path):
    seen = []

    def first_of_its_key(request):
        seen.append(request.key)
        return seen.count(request.key) == 1 and len(set(seen)) == 1

    engine = Counting(error="empty reply", fails=first_of_its_key)
    frame = drawn(PROBLEMS, job(), tmp_path / "j", lambda: engine)
    assert frame["status"].unique().to_list() == ["complete"] and len(engine.asked) == 7
    assert frame["answer"].cast(pl.Int64).to_list() == frame["seed"].to_list()
    assert report(tmp_path / "j") == {
        "chunks": 4,
        "damaged": 0,
        "bytes": sum(path.stat().st_size for path in chunks_of(tmp_path / "j")),
        "replies": 6,
        "failed": 0,
        "replaced": 1,
        "tokens": 42,
    }


def test_a_server_that_is_away_costs_no_try_and_what_came_in_is_kept(tmp_path):
    engine = Counting(error="connection refused", fails=lambda request: len(engine.asked) > 2, lost=True)
    with pytest.raises(UserError, match="2 requests were answered, then .* lost: connection refused"):
        drawn(PROBLEMS, job(), tmp_path / "j", lambda: engine)
    back = Counting()
    frame = drawn(PROBLEMS, job(), tmp_path / "j", lambda: back)
    assert len(back.asked) == 4 and frame["status"].unique().to_list() == ["complete"]


def test_a_request_lost_among_others_is_made_again(tmp_path):
    engine = Counting(error="busy", fails=lambda request: len(engine.asked) == 2, lost=True)
    assert drawn(PROBLEMS, job(), tmp_path / "j", lambda: engine)["status"].unique().to_list() == ["complete"]
    assert len(engine.asked) == 7


def entry(key, text="x", tries=1, error=None):
    return {"key": key, "text": text, "tokens": 1, "error": error, "seed": 0, "tries": tries}


def texts(journal, keys, **rows):
    return [text for frame in journal.read(keys, **rows) for text in frame["text"]]


def test_a_journal_gives_its_entries_in_any_order_and_the_last_of_a_key(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append([entry("a", "1"), entry("b", "2")])
        journal.append([entry("c", "3"), entry("a", "4")])
    with Journal(tmp_path / "j") as journal:
        assert texts(journal, ["c", "a", "b", "a"]) == ["3", "4", "2", "4"]
        assert texts(journal, ["b", "c", "a"], rows=1) == ["2", "3", "4"]
        assert texts(journal, []) == []


def test_a_chunk_cut_short_is_set_aside_and_asked_for_again(tmp_path):
    whole = drawn(PROBLEMS, job(), tmp_path / "j", Counting)
    chunk = chunks_of(tmp_path / "j")[1]
    content, stat = chunk.read_bytes(), chunk.stat()
    for size in (0, 4, len(content) // 2, len(content) - 1):
        chunk.write_bytes(content[:size])
        os.utime(chunk, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        engine = Counting()
        assert drawn(PROBLEMS, job(), tmp_path / "j", lambda: engine).equals(whole) and len(engine.asked) == 2  # noqa: B023
        assert chunk.with_suffix(".damaged").read_bytes() == content[:size] and report(tmp_path / "j")["damaged"] == 1
        chunks_of(tmp_path / "j")[-1].rename(chunk)


def test_what_a_killed_writer_left_is_no_entry(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append([entry("a")])
    (tmp_path / "j" / ".000002.77.partial.parquet").write_bytes(b"PAR1 half")
    with Journal(tmp_path / "j") as journal:
        assert set(journal.places) == {"a"}
    assert [path.name for path in sorted((tmp_path / "j").iterdir())] == [".lock", "000001.parquet"]


def test_many_small_chunks_become_few_with_the_same_entries(tmp_path):
    with Journal(tmp_path / "j") as journal:
        for number in range(FEW_CHUNKS + 4):
            journal.append([entry(f"k{number}", str(number)), entry("same", str(number))])
        journal.compact()
        assert len(chunks_of(tmp_path / "j")) == 1
    with Journal(tmp_path / "j") as journal:
        assert texts(journal, ["k3", "same"]) == ["3", str(FEW_CHUNKS + 3)]
        assert report(tmp_path / "j")["replaced"] == 0


def test_two_writers_at_once_are_refused_and_no_lock_outlives_its_holder(tmp_path):
    with Journal(tmp_path / "j"), pytest.raises(UserError, match=f"process {os.getpid()} on .* writes to this journal"):
        Journal(tmp_path / "j", lock_seconds=0)
    with Journal(tmp_path / "j"):
        pass
    if (child := os.fork()) == 0:  # dies with the lock in its hand
        Journal(tmp_path / "j")
        os._exit(0)
    os.waitpid(child, 0)
    with (tmp_path / "j" / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_no_table_can_hold_is_replaced_and_the_rest_kept(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append([entry("a", "\ud800 \x00 \U0001d54f")])
        assert texts(journal, ["a"]) == ["? \x00 \U0001d54f"]


def test_teachers_share_problems_out_by_places_that_stay_the_same():
    problems = pl.DataFrame({"id": [f"s:{number}" for number in range(2000)]})

    def part(low, high):
        settings = Effort(sampling={"temperature": 1, "max_tokens": 9}, answers_per_problem=1, problems=(low, high))
        return set(asked(problems, settings)["id"])

    whole, left, right = part(0, 1), part(0, 0.3), part(0.3, 1)
    assert len(whole) == 2000 and left | right == whole and not left & right
    assert 520 < len(left) < 680 and part(0, 0.1) < left
