"""A script in a copy of a warm process gets what a process of its own would get, and ends as one would."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running import environment, warm

pytestmark = pytest.mark.slow
TELLING = """
import json, os, sys
import beside
print(json.dumps([sys.argv, os.getcwd(), os.environ["MINE"], sys.stdin.read(), __name__, beside.VALUE,
                  sorted(name for name in sys.modules if name.split(".")[0] == "reasonlite")]))
print("told", file=sys.stderr)
sys.exit(3)
"""
WAITING = """
import os, signal, sys, time
from pathlib import Path
signal.signal(signal.SIGURG, lambda *_: Path("warned").touch())
Path("begun").write_text(str(os.getpid()))
while True:
    time.sleep(0.05)
"""


def test_a_script_sees_what_it_would_see_by_itself(tmp_path):
    (tmp_path / "telling.py").write_text(TELLING)
    (tmp_path / "beside.py").write_text("VALUE = 7")
    (tmp_path / "within").mkdir()
    told = [
        subprocess.run(
            ["python", "../telling.py", "a b"], cwd=tmp_path / "within", env=around | {"MINE": "x"}, input="in",
            capture_output=True, text=True,
        )
        for around in (environment(), warm())
    ]  # fmt: skip
    assert told[0].stdout == told[1].stdout and told[1].stderr == "told\n"
    assert [done.returncode for done in told] == [3, 3]
    assert json.loads(told[1].stdout)[:2] == [["../telling.py", "a b"], str(tmp_path / "within")]


def test_signals_reach_it_and_it_ends_with_the_one_who_asked(tmp_path):
    (tmp_path / "waiting.py").write_text(WAITING)
    for how in (signal.SIGTERM, signal.SIGKILL):
        asked = subprocess.Popen(["python", "waiting.py"], cwd=tmp_path, env=warm())
        pid = int(when(tmp_path / "begun", asked).read_text())
        (tmp_path / "begun").unlink()
        assert pid != asked.pid
        asked.send_signal(signal.SIGURG)
        when(tmp_path / "warned", asked).unlink()
        asked.send_signal(how)
        assert asked.wait(60) == -how
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.02)


def test_a_warm_process_that_is_gone_is_started_again(tmp_path):
    around = warm() | {"WARM_FOLDER": str(tmp_path)}
    for _ in range(2):
        done = subprocess.run(["snakemake", "--version"], env=around, capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout[0].isdigit(), done.stderr
        (server,) = (
            int(entry.name)
            for entry in Path("/proc").glob("[0-9]*")
            if f"server.py\0snakemake\0{tmp_path}/snakemake\0".encode() in (entry / "cmdline").read_bytes()
        )
        os.kill(server, signal.SIGKILL)
        while Path(f"/proc/{server}/cmdline").exists() and Path(f"/proc/{server}/cmdline").read_bytes():
            time.sleep(0.02)


def when(path: Path, process: subprocess.Popen) -> Path:
    while not path.exists() or not (path.stat().st_size or path.name == "warned"):
        assert process.poll() is None
        time.sleep(0.02)
    return path


def test_what_is_no_script_starts_by_itself():
    code = "import os, sys; print(os.getppid(), sys.executable)"
    done = subprocess.run(["python", "-c", code], env=warm(), capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(os.getpid()), sys.executable]
