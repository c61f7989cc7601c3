"""A process in which nothing moves is ended, and its log says where it and what it started were."""

import os
import subprocess
import sys

import pytest

BEGIN = """
import ctypes, os, subprocess, sys, time
from reasonlite.core import stalls
stalls.LOOK_SECONDS = 0.05
stalls.OTHERS_SECONDS, stalls.DEAF_SECONDS = 0.5, 1.0
"""


def run(code, seconds="0.5"):
    around = {**os.environ, "PYTHONPATH": "scripts", "REASONLITE_STALL_SECONDS": seconds, "PYTHONFAULTHANDLER": "1"}
    return subprocess.run([sys.executable, "-c", BEGIN + code], env=around, capture_output=True, text=True, timeout=120)


def test_a_wait_without_end_is_ended_with_its_stack_and_those_of_its_workers():
    done = run("""
worker = "def of_the_worker():\\n import time\\n print('up', flush=True)\\n time.sleep(100)\\nof_the_worker()"
def waits_for_ever():
    child = subprocess.Popen([sys.executable, "-c", worker], stdout=subprocess.PIPE)
    child.stdout.readline()
    with stalls.Guard("step") as guard:
        for _ in range(3):
            time.sleep(0.1)
            guard.beat()
        time.sleep(100)
waits_for_ever()
""")
    assert done.returncode == 75
    assert "stalled: no step for" in done.stderr and "(3 before, at most 0 s apart)" in done.stderr
    assert "in waits_for_ever" in done.stderr and "in of_the_worker" in done.stderr
    assert "what to do:" in done.stderr and "REASONLITE_STALL_SECONDS" in done.stderr


def test_a_call_that_keeps_the_interpreters_lock_is_ended_too():
    done = run("""
def in_a_library():
    with stalls.Guard("step"):
        ctypes.PyDLL(None).sleep(100)
in_a_library()
""")
    assert done.returncode != 0 and "in in_a_library" in done.stderr


@pytest.mark.parametrize("pause", [0.0, 0.2])
def test_what_moves_goes_on_and_afterwards_nothing_watches(pause):
    done = run(f"""
with stalls.Guard("step") as guard:
    for _ in range(4):
        time.sleep({pause})
        guard.beat()
time.sleep(2.5)
print("done")
""")
    assert done.returncode == 0 and done.stdout == "done\n", done.stderr


def test_the_limit_grows_with_the_pace():
    done = run("""
with stalls.Guard("step") as guard:
    guard.beat()
    time.sleep(0.3)
    guard.beat()
    time.sleep(1.5)  # three times the floor, half of ten times the longest pause
print("done")
""")
    assert done.returncode == 0 and done.stdout == "done\n", done.stderr
