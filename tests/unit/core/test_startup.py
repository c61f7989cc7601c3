"""How often Python looks for cyclic garbage, and how a program ends that has torch."""

import gc
import os
import subprocess
import sys

import pytest
from running import ROOT

from reasonlite.core import startup

PROGRAM = """
import atexit, json, sys, threading, time
sys.path.insert(0, "scripts")
from reasonlite.core import errors
class Told:
    def __del__(self):
        print("taken apart")
kept = Told()
def main(argv):
    sys.modules.update(dict.fromkeys(json.loads(sys.argv[1])))
    atexit.register(print, "at the end")
    print("written", end=" ")
    threading.Thread(target=lambda: (time.sleep(0.2), print("joined"))).start()
    if sys.argv[2] == "fail":
        raise errors.UserError("wrong")
    if sys.argv[2] == "break":
        raise RuntimeError("broken")
    if sys.argv[2] == "hand back":
        sys.exit(75)
    return int(sys.argv[2])
errors.run_main(main)
"""


def test_it_looks_seldom_until_the_work_begins_and_no_more_at_what_was_there_then():
    try:
        startup.begin()
        assert gc.get_threshold() == startup.SELDOM
        startup.done()
        assert gc.get_threshold() == startup.USUAL and gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()
        gc.set_threshold(*startup.USUAL)


@pytest.mark.parametrize(
    ("libraries", "ending", "code", "apart"),
    [
        ('["torch"]', "0", 0, False),
        ('["torch"]', "75", 75, False),
        ('["torch"]', "hand back", 75, False),
        ('["torch"]', "fail", 2, False),
        ('["torch"]', "break", 1, True),
        ("[]", "0", 0, True),
    ],
)
def test_with_torch_a_program_ends_without_taking_everything_apart(libraries, ending, code, apart):
    command = [sys.executable, "-c", PROGRAM, libraries, ending]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert done.stdout.startswith("written joined\nat the end\n") and ("taken apart" in done.stdout) == apart
    assert done.stderr.startswith({2: "error: wrong\n", 1: "Traceback"}.get(code, ""))


def test_an_output_that_nobody_reads_any_more_is_told_as_ever():
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", PROGRAM, '["torch"]', "0"]
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.returncode != 0 and "BrokenPipeError" in done.stderr
