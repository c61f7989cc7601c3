"""What may happen to a run on one machine: after each the outputs are those of an undisturbed one, and nothing is paid
for twice. tests/benchmarks/kills.py does the first of these a hundred times."""

import os
import random
import re
import shutil
import subprocess
import sys
import time

import polars as pl
import pytest
import yaml
from interrupting import DRAWN, TARGETS, chain
from running import ROOT, environment, run_snakemake
from terminal import Terminal

pytestmark = [pytest.mark.slow, pytest.mark.full]
KILLS = 4


@pytest.fixture(scope="module")
def running(teacher, tmp_path_factory):
    with chain(tmp_path_factory.mktemp("chain"), teacher) as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(running):
    """Hashes of the outputs, and the seconds it took."""
    started = time.monotonic()
    running.run()
    assert len(running.door.seeds) == len(set(running.door.seeds)) == DRAWN
    seconds = time.monotonic() - started
    running.lay_aside()
    return running.hashes(), seconds


@pytest.fixture(autouse=True)
def _from_the_start(undisturbed, running):
    running.forget()
    running.door.seeds.clear()


def stopped(running) -> str:
    process = running.start("--show-failed-logs")
    said, _ = process.communicate(timeout=3600)
    assert process.returncode != 0, said
    return said


def test_given_out_in_reasonlites_layout_taken_in_and_used_without_any_engine(undisturbed, running, tmp_path):
    running.restore()
    judged = pl.read_parquet(running.results / "judged/high/00000.parquet")
    theirs, recorded = tmp_path / "theirs", tmp_path / "recorded"
    for effort in ("medium", "high"):
        exchange("give-out", running.results, "--effort", effort, "--output", theirs)
        taking = ["--effort", effort, "--source", "mine", "--shards", "1", "--output", recorded]
        exchange("take-in", theirs / effort, *taking)
    shutil.copy(theirs / "medium" / "info.jsonl", running.folder / "info.jsonl")
    config = yaml.safe_load((running.folder / "chain.yaml").read_text()) | {"experiment": "taken"}
    config["teacher"]["engine"] = {"kind": "recorded", "folder": str(recorded)}
    config["problems"]["sources"]["mine"]["path"] = "info.jsonl"
    (running.folder / "taken.yaml").write_text(yaml.safe_dump(config))
    running.door.seeds.clear()
    target = "results/taken/judged/high/00000.parquet"
    done = run_snakemake(running.folder, "--cores", "2", "--configfile", "taken.yaml", "--", target)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    columns = ["answer_id", "status", "answer", "class", "correct", "correct_vote", "pass_rate", "label_source"]
    assert pl.read_parquet(running.folder / target).select(columns).equals(judged.select(columns))
    assert running.door.seeds == []


def exchange(*arguments):
    command = [sys.executable, "scripts/exchange.py", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stderr


def test_killed_again_and_again(undisturbed, running):
    hashes, seconds = undisturbed
    chance = random.Random(1)
    for _ in range(KILLS):
        running.kill_after(chance.uniform(1, seconds))
        kept, asked = running.kept_seeds(), len(running.door.seeds)
        running.unlock()
    running.run()
    assert running.hashes() == hashes
    assert not kept & set(running.door.seeds[asked:])  # what was kept at the last kill was not asked for again
    assert not running.leftovers()


def check_one_line(terminal: Terminal) -> None:
    """After Ctrl-C a single line, and where Snakemake's log is if it has begun one."""
    assert terminal.finish() != 0
    _, _, after = terminal.written.rpartition("interrupted: ")
    assert after.startswith("what is done is kept; the same command goes on"), terminal.written[-3000:]
    lines = [line for line in after.splitlines()[1:] if re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line).strip()]
    assert all("Complete log(s): " in line for line in lines) and len(lines) <= 1, lines
    assert "Traceback" not in terminal.written and "failed:" not in terminal.written


def test_ctrl_c_while_a_run_is_planned_and_while_answers_are_drawn(undisturbed, running):
    planning = Terminal(running.command(), running.folder, environment())
    while not list((running.folder / ".snakemake" / "reasonlite").glob("plan-*.json")):
        assert planning.code is None
        time.sleep(0.01)
    planning.interrupt()
    check_one_line(planning)
    drawing = Terminal(running.command(), running.folder, environment())
    while not running.kept_seeds():
        assert drawing.code is None, drawing.written[-3000:]
        time.sleep(0.05)
    drawing.interrupt()
    check_one_line(drawing)
    kept, asked = running.kept_seeds(), len(running.door.seeds)
    running.run()
    assert running.hashes() == undisturbed[0] and not kept & set(running.door.seeds[asked:])
    assert not running.leftovers()


def test_two_runs_at_once(undisturbed, running):
    first = running.start()
    journal = running.results / "journals" / "medium" / "00000"
    while not list(journal.glob("*.parquet")):
        assert first.poll() is None
        time.sleep(0.05)
    second = running.start()
    said, _ = second.communicate(timeout=3600)
    assert second.returncode != 0 and "locked" in said
    assert first.wait(3600) == 0 and running.hashes() == undisturbed[0]
    assert len(running.door.seeds) == len(set(running.door.seeds)) == DRAWN


def test_copied_half_way_to_another_path_and_continued_there(undisturbed, running, tmp_path):
    while not running.kept_seeds():
        running.forget()
        running.kill_after(undisturbed[1] * 0.6)
    running.unlock()
    kept = running.kept_seeds()
    running.door.seeds.clear()
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(running.folder, elsewhere, symlinks=True)
    home, running.folder, running.results = running.folder, elsewhere, elsewhere / "results" / "chain"
    try:
        running.run()
        assert running.hashes() == undisturbed[0] and not kept & set(running.door.seeds)
    finally:
        running.folder, running.results = home, home / "results" / "chain"


def test_the_clock_set_back(undisturbed, running):
    """What was made before the clock went back lies in the future: nothing is made again or lost for that."""
    running.restore()
    later = time.time() + 86_400
    future = [running.results / f"{name}/00000.parquet" for name in ("problems/shards", "answers/medium", "votes")]
    for path in [*future, running.folder / "mine.jsonl"]:
        os.utime(path, (later, later))
    assert "Nothing to be done" in running.run()
    (running.results / "votes/00000.parquet").unlink()  # made anew, it would be older than what it is made of
    assert "clock skew" in stopped(running)
    for path in [*future[:2], running.folder / "mine.jsonl"]:
        os.utime(path)
    running.run()
    assert running.hashes() == undisturbed[0] and "Nothing to be done" in running.run()
    assert len(running.door.seeds) == DRAWN


def test_a_table_cut_short_behind_our_back_is_named_and_made_again(undisturbed, running):
    running.restore()
    path = running.results / "answers/high/00000.parquet"
    stat = path.stat()
    os.truncate(path, stat.st_size // 2)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (running.results / "judged/high/00000.parquet").unlink()
    said = stopped(running)
    assert "Traceback" not in said
    assert "answers/high/00000.parquet: is not a readable Parquet file" in said and "delete it and rerun" in said
    path.unlink()
    running.run()
    assert running.hashes() == undisturbed[0] and len(running.door.seeds) == DRAWN


@pytest.fixture
def small_disk(running):
    """The results on a file system of three MiB."""
    running.results.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", running.results], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount a small file system here")
    yield running.results
    subprocess.run(["umount", running.results], check=True)


def test_the_disk_full_then_not(undisturbed, running, small_disk):
    (small_disk / "ballast").write_bytes(b"x" * (3 * 2**20 - 180_000))
    said = stopped(running)
    assert "the disk is full" in said or "No space left on device" in said, said[-3000:]
    assert not [name for name in TARGETS if (small_disk / name).exists() and not (small_disk / name).stat().st_size]
    (small_disk / "ballast").unlink()
    kept, asked = running.kept_seeds(), len(running.door.seeds)
    running.run()
    assert running.hashes() == undisturbed[0] and not kept & set(running.door.seeds[asked:])


def test_results_that_cannot_be_written(undisturbed, running, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    said = stopped(running)
    assert "Read-only file system" in said or "the file system is read-only" in said
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    running.run()
    assert running.hashes() == undisturbed[0]
