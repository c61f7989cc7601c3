"""The worker: hostile pairs end within their limits, and the next pair is decided all the same."""

import threading

import pytest

from reasonlite.judge import algebra
from reasonlite.judge.equivalence import compare


@pytest.fixture
def worker():
    worker = algebra.Worker(cpu_seconds=1.0)
    yield worker
    worker.stop()


def test_a_pair_is_decided_and_a_hanging_one_is_undecided_with_its_reason(worker):
    assert worker.ask(r"\sqrt{8}", r"2\sqrt{2}") == (True, "algebra")
    first = worker._process.pid
    for hostile in ("9^{9^{9^{9}}}", "((((9!)!)!)!)!", "(x+1)^{10^{9}}"):
        verdict, reason = worker.ask(hostile, "7")
        assert verdict is not True, (hostile, reason)
    assert worker.ask("x+1", "1+x") == (True, "algebra")
    assert worker._process.pid != first


def test_off_the_main_thread(worker):
    found = []
    thread = threading.Thread(target=lambda: found.append(worker.ask("x^2-1", "(x-1)(x+1)")))
    thread.start()
    thread.join()
    assert found == [(True, "algebra")]


def test_what_is_seen_to_differ_is_not_simplified_and_what_is_not_is(worker):
    series = r"\sum_{n=0}^{\infty} x^n"
    for other in ("3", r"\sum_{n=0}^{\infty} 2 x^n", r"\sum_{n=0}^{\infty} y^n"):
        assert worker.ask(series, other) == (False, "algebra")
    assert worker.ask(r"\sum_{k=1}^{5} k", "15") == (True, "algebra")
    assert worker.ask("y = x + x", "2x") == (True, "algebra")
    assert worker.ask("0.333333333", r"\frac13") == (True, "algebra")


@pytest.mark.parametrize("text", [r"\frac{1}{0}", "\x00", "\ud800", "\u202e5", "{" * 200, r"\frac{" * 40 + "1"])
def test_strange_text_is_never_equal_to_a_number(text):
    assert compare(text, "17").verdict in {"different", "undecided"}


def test_a_whole_reply_is_judged_by_math_verifys_own_extraction():
    assert algebra.whole_reply("0.5", r"So it is \boxed{\frac{1}{2}}.") == (True, "math-verify")
    assert algebra.whole_reply("4", "The answer is 5.") == (False, "math-verify")
    assert algebra.whole_reply("4", "") == (False, "math-verify")


def test_a_reply_that_takes_too_long_ends_the_worker_and_not_the_job():
    worker = algebra.Worker(cpu_seconds=1.0, asked=algebra.REPLIES)
    hard = r"\boxed{\sum_{n=1}^{10^9} \frac{\sin(n^2)}{n!}}"
    assert worker.ask("1", hard)[0] is not True
    assert worker.ask("4", "The answer is 4.") == (True, "math-verify")
    worker.stop()
