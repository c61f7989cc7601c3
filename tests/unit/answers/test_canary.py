"""What counts as garbage, and what becomes of a job whose engine writes it. Real engines are tested elsewhere."""

import json

import polars as pl
import pytest

from reasonlite.answers import canary
from reasonlite.answers.engines import Reply
from reasonlite.answers.generation import Job, generate
from reasonlite.answers.journal import Journal, chunks_of
from reasonlite.config.settings import Canary, Effort, Prompt, Sampling, VllmEngine
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import ANSWERS
from reasonlite.core.tables import read_table

ANSWERS_OF = dict(canary.PROBLEMS)
SAMPLING = Sampling(temperature=0.8, max_tokens=100)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("The answer is \\boxed{12}."), None),
        (Reply("12"), None),
        (Reply("Let α be the angle; 𝑥 = 7, naïve."), None),
        (Reply(None, error="empty reply with finish_reason stop"), "empty reply"),
        (Reply("   "), "empty"),
        (Reply("Well" + "!" * 40, ids=[5, *[0] * 40]), "one token over and over: '!!!!"),
        (Reply("ha ha ha ha", ids=[1, 2] * 20), None),
        (Reply("答案是十二，因为七加五等于十二"), "another alphabet: 答案是"),
        (Reply("การคำนวณ foo บวกกัน"), "another alphabet"),
        (Reply("\ufffd\ufffd\ufffd a \ufffd"), "bytes that are no characters"),
    ],
)
def test_garbage_is_told_from_answers(reply, said):
    found = canary.flaw_of(reply)
    assert found is None if said is None else said in found


class Engine:
    """Answers the canary as it is told: right, with a text, or with log-probabilities that it does not find again."""

    def __init__(self, text=None, after=10**9, logprob=-0.4, drift=0.0, late="!" * 40):
        self.text, self.after, self.logprob, self.drift, self.late = text, after, logprob, drift, late
        self.asked, self.canaries = 0, 0

    def replies(self, requests):
        for request in requests:
            if request.sampling is None:
                self.asked += 1
                yield request, Reply(f"so \\boxed{{{request.seed}}}", 5, 7, "stop")
                continue
            self.canaries += 1
            assert request.sampling.temperature == 0
            question = request.messages[-1]["content"].split("\n")[0]
            right = f"It is \\boxed{{{ANSWERS_OF.get(question, question.split(', ')[-1].split('.')[0])}}}."
            text = self.late if self.canaries > self.after else self.text or right
            yield (
                request,
                Reply(text, 5, 9, "stop", ids=[0] * 40 if text == self.late else [1, 2], logprobs=[self.logprob] * 2),
            )

    def scores(self, given):
        return [[self.logprob - self.drift] * len(ids) for _, ids in given]

    def close(self):
        pass


def watch(**settings):
    return canary.Watch(VllmEngine(max_model_len=512, canary=Canary(**settings)), Prompt(), SAMPLING)


def rounds(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def begin(own, engine, folder):
    with Journal(folder) as journal:
        own.begin(engine, 3, journal)


def test_a_sane_engine_is_asked_once_and_recorded(tmp_path):
    engine, own = Engine(), watch(accuracy=1.0)
    begin(own, engine, tmp_path)
    begin(own, engine, tmp_path)
    (found,) = rounds(tmp_path / "canary.jsonl")
    assert found["sane"] and found["accuracy"] == 1.0 and found["drift"] == 0.0 and found["host"]
    assert [each["correct"] for each in found["replies"]] == [True] * 6 and engine.canaries == 6
    assert len(found["replies"][-1]["problem"]) > 100  # the long one


@pytest.mark.parametrize(
    ("engine", "settings", "said"),
    [
        (Engine("I do not know."), {}, None),
        (Engine("答案是十二，因为七加五等于十二"), {}, "another alphabet"),
        (Engine("   "), {}, "empty"),
        (Engine("It is 999."), {"accuracy": 0.5}, "0 of 6 right, and 50% are expected"),
        (Engine(logprob=-9.0), {}, "it guesses: its own words have a log-probability of -9.0"),
        (Engine(drift=0.8), {}, "other log-probabilities when it is read again, by 0.80"),
        (Engine(drift=float("nan")), {}, "read again, by 100.00"),
        (Engine(drift=0.8), {"tolerance": 1.0}, None),
    ],
)
def test_garbage_ends_the_job_with_evidence_and_switches(tmp_path, engine, settings, said):
    record = tmp_path / "canary.jsonl"
    if said is None:
        return begin(watch(**settings), engine, tmp_path)
    with pytest.raises(UserError) as raised:
        begin(watch(**settings), engine, tmp_path)
    text = str(raised.value)
    assert said in text and "what to do: try one of: VLLM_ROCM_USE_AITER=0" in text and str(record) in text
    assert not rounds(record)[-1]["sane"]
    return None


def test_log_probabilities_are_compared_with_a_run_that_is_trusted(tmp_path):
    trusted, record = tmp_path / "trusted" / "canary.jsonl", tmp_path / "canary.jsonl"
    begin(watch(), Engine(logprob=-0.4), trusted.parent)
    begin(watch(reference=trusted), Engine(logprob=-0.5), tmp_path)
    assert rounds(record)[-1]["reference_drift"] == pytest.approx(0.1)
    with pytest.raises(UserError, match=rf"log-probabilities are 0.80 on the mean from {trusted}"):
        begin(watch(reference=trusted), Engine(logprob=-1.2), tmp_path)
    trusted.write_text("{}\n")
    with pytest.raises(UserError, match=r"canary.jsonl: is no canary's record"):
        begin(watch(reference=trusted), Engine(), tmp_path)


def job():
    settings = Effort(sampling=SAMPLING, answers_per_problem=40)
    return Job("medium", settings, VllmEngine(max_model_len=512), "m", 1, 4)


PROBLEMS = pl.DataFrame({"id": ["s:1"], "problem": ["b?"]})


def test_between_answers_it_is_asked_again_and_nothing_of_it_is_an_answer(tmp_path):
    engine = Engine()
    generate(PROBLEMS, job(), tmp_path / "j", lambda: engine, tmp_path / "a.parquet", watch(every=10))
    assert engine.asked == 40 and engine.canaries == 6 * (1 + 4)
    assert read_table(tmp_path / "a.parquet", ANSWERS).height == 40
    assert len(rounds(tmp_path / "j" / "canary.jsonl")) == 5


def test_what_came_since_the_last_sane_round_is_put_aside(tmp_path):
    """The engine turns bad after the second round: what was drawn after that is drawn again by the next try."""
    engine = Engine(after=12)
    with pytest.raises(UserError, match="one token over and over"):
        generate(PROBLEMS, job(), tmp_path / "j", lambda: engine, tmp_path / "a.parquet", watch(every=10))
    assert not (tmp_path / "a.parquet").exists()
    kept = sum(read_rows(path) for path in chunks_of(tmp_path / "j"))
    suspect = sum(read_rows(path) for path in (tmp_path / "j").glob("*.suspect"))
    assert 0 < kept <= 10 and suspect > 0
    again = Engine()
    generate(PROBLEMS, job(), tmp_path / "j", lambda: again, tmp_path / "a.parquet", watch(every=10))
    assert again.asked == 40 - kept and read_table(tmp_path / "a.parquet", ANSWERS).height == 40


def read_rows(path):
    return pl.read_parquet(path.read_bytes(), columns=["key"]).height


def test_the_last_replies_too_are_trusted_only_after_a_round(tmp_path):
    """The engine turns bad after the round at 30 of 40: the one at the end finds it."""
    engine = Engine(after=6 * 2)
    with pytest.raises(UserError, match="one token over and over"):
        generate(PROBLEMS, job(), tmp_path / "a", lambda: engine, tmp_path / "a.parquet", watch(every=30))
    assert engine.asked == 40 and not (tmp_path / "a.parquet").exists()
    assert 0 < sum(read_rows(path) for path in chunks_of(tmp_path / "a")) <= 30
    assert sum(read_rows(path) for path in (tmp_path / "a").glob("*.suspect")) > 0


def test_a_server_that_is_away_or_refuses_is_no_garbage_and_no_sane_engine(tmp_path):
    class Away(Engine):
        def replies(self, requests):
            for request in requests:
                yield request, Reply(None, error="refused", lost=True)

    begin(watch(), Away(), tmp_path)
    (found,) = rounds(tmp_path / "canary.jsonl")
    assert found["sane"] is None and found["unasked"] == "refused"
    assert canary.flaw_of(Reply("", finish_reason="length")) is None  # it keeps its reasoning to itself
