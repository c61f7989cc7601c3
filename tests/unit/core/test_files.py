"""Files appear whole or not at all; tables keep their schema and bytes."""

import os
import subprocess

import polars as pl
import pytest

from reasonlite.answers.journal import Journal
from reasonlite.core.errors import UserError, surroundings
from reasonlite.core.files import atomic_path
from reasonlite.core.schemas import GROUPS, JOURNAL
from reasonlite.core.spool import Spool
from reasonlite.core.tables import TableWriter, frame_of, read_table, write_table


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_folders_are_replaced_whole(tmp_path):
    for name in ("first", "second"):
        with atomic_path(tmp_path / "model") as folder:
            folder.mkdir()
            (folder / name).write_text("")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["second"]


def test_the_same_rows_give_the_same_bytes(tmp_path):
    frame = frame_of([{"problem_id": "p", "answer": "1", "class": 0, "is_label": True, "count": 3}] * 5, GROUPS)
    for name in ("a", "b"):
        write_table(tmp_path / name, frame, GROUPS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_table_of_another_schema_is_named(tmp_path):
    path = tmp_path / "t.parquet"
    with pytest.raises(UserError, match="no such file"):
        read_table(path, GROUPS)
    pl.DataFrame({"problem_id": ["p"]}).write_parquet(path)
    with pytest.raises(UserError, match="lacks the column 'answer'"):
        read_table(path, GROUPS)
    pl.DataFrame({"problem_id": [1], "answer": ["1"], "class": [0], "is_label": [True], "count": [1]}).write_parquet(
        path
    )
    with pytest.raises(UserError, match="column 'problem_id' is Int64"):
        read_table(path, GROUPS)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match="not a readable Parquet"):
        read_table(path, GROUPS)


@pytest.fixture
def small_disk(tmp_path):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", tmp_path], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount a small file system here")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_every_writer_says_that_the_disk_is_full_and_leaves_nothing(small_disk):
    rows = [{"key": str(n), "text": os.urandom(200).hex(), "seed": n, "tries": 1} for n in range(5000)]
    frame = frame_of(rows, JOURNAL)

    def by_piece():
        with TableWriter(small_disk / "a.parquet", JOURNAL) as table:
            table.write(frame)

    def spooled():
        with Spool(small_disk / "spool", 2**40) as spool:
            for _ in range(200):  # it writes when it holds more than a part
                spool.add(frame.with_columns(rank=pl.lit(0, pl.UInt64)))

    def kept():
        with Journal(small_disk / "journal") as journal:
            journal.append(rows)

    for write in (lambda: write_table(small_disk / "a.parquet", frame, JOURNAL), by_piece, spooled, kept):
        with pytest.raises(OSError) as raised:
            write()
        told = str(surroundings(raised.value))
        assert "the disk is full" in told and str(small_disk) in told
    assert not list(small_disk.rglob("*.parquet")) and not list(small_disk.glob("spool*"))
