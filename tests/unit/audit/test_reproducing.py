"""Releases that are run again: what is refused, what is tried, and how old and new outputs are told apart."""

import gzip
import io
import json
import random
import tarfile

import pytest

from reasonlite.audit import manifest, release, reproducing, sides
from reasonlite.config.experiment import load_config
from reasonlite.core.errors import UserError
from reasonlite.core.files import sha256_text

TABLE = (
    "model,benchmark,metric,value,low,high\nfinal,b,avg@4,10.0,8.0,12.0\n"
    'final,b,"tokens p50, p90, p99",10.0,20.0,30.0\n'  # whose value is below its low
)
CONFIG = {
    "experiment": "x",
    "models": {"m": {"kind": "package", "package": "p"}},
    "problems": {"sources": {"s": {"kind": "reasoning_gym"}}},
    "teacher": {"engine": {"kind": "vllm"}, "efforts": {"medium": {}}},
    "evaluation": {"benchmarks": {"b": {"source": {"kind": "reasoning_gym"}}}, "models": [{"model": "m"}]},
}


def texts(table=TABLE, config=CONFIG, version=manifest.VERSION):
    outputs = {"tables/results.csv": {"sha256": sha256_text(table), "bytes": len(table)}}
    found = {"version": version, "outputs": outputs, "sources": {}}
    return {
        "manifest.json": json.dumps(found),
        "tables/results.csv": table,
        "config/x.yaml": json.dumps(config),
        **{f"workflow/{name}": f"# {name}\n" for name in ("Snakefile", "Makefile", "rules/a.smk", "envs/setup.sh")},
    }


def packed(path, files, sums=True, extra=()):
    """A release of these texts, with its sums, and ``extra`` members."""
    lines = "".join(f"{sha256_text(text)}  {name}\n" for name, text in sorted(files.items()))
    whole = {**files, "SHA256SUMS": lines} if sums is True else {**files, **({"SHA256SUMS": sums} if sums else {})}
    with tarfile.open(path, "w:gz") as archive:
        for name, text in whole.items():
            member = tarfile.TarInfo(f"x/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
        for member in extra:
            archive.addfile(member, io.BytesIO(b"evil"[: member.size]))
    return path


def member(name, **fields):
    made = tarfile.TarInfo(name)
    for field, value in ({"size": 4} | fields).items():
        setattr(made, field, value)
    return made


def altered():
    """Ways in which an archive is not what it was, by name."""
    whole = texts()
    for name in whole:
        yield f"altered {name}", lambda path, name=name: packed(path, whole | {name: whole[name] + " "}, sums_of(whole))
        without = {other: text for other, text in whole.items() if other != name}
        yield f"without {name}", lambda path, without=without: packed(path, without, sums_of(whole))
    for name, made in {
        "path out": member("x/../../evil"),
        "absolute path": member("/evil"),
        "link": member("x/workflow/evil", type=tarfile.SYMTYPE, linkname="/etc/passwd", size=0),
        "hard link": member("x/workflow/evil", type=tarfile.LNKTYPE, linkname="x/manifest.json", size=0),
        "device": member("x/workflow/evil", type=tarfile.CHRTYPE, size=0),
        "fifo": member("x/workflow/evil", type=tarfile.FIFOTYPE, size=0),
        "folder": member("x/workflow/evil", type=tarfile.DIRTYPE, size=0),
        "extra file": member("x/workflow/evil"),
        "second manifest": member("x/manifest.json"),
        "second table": member("y/tables/results.csv"),
    }.items():
        yield name, lambda path, made=made: packed(path, whole, extra=[made])
    yield "no sums", lambda path: packed(path, whole, sums=None)
    yield "manifest of another version", lambda path: packed(path, texts(version=manifest.VERSION + 7))
    yield "manifest that is none", lambda path: packed(path, whole | {"manifest.json": "[]"})
    other = whole | {"manifest.json": texts(table="other\n")["manifest.json"]}
    yield "manifest of another experiment", lambda path: packed(path, other)
    yield "two configs", lambda path: packed(path, whole | {"config/y.yaml": json.dumps(CONFIG)})
    for place in range(16):
        yield f"cut short {place}", lambda path, place=place: cut(packed(path, whole), (place + 1) / 17)
        yield f"flipped {place}", lambda path, place=place: flipped(packed(path, whole), place)
    yield "not packed", lambda path: path.write_bytes(b"text\n") and path
    yield "bomb", bomb


def sums_of(files):
    return "".join(f"{sha256_text(text)}  {name}\n" for name, text in sorted(files.items()))


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def flipped(path, seed):
    content = bytearray(path.read_bytes())
    place = random.Random(seed).randrange(12, len(content) - 8)  # past the head, whose time and name say nothing
    content[place] ^= 1 << (seed % 8)
    path.write_bytes(content)
    return path


def bomb(path):
    """A head that says more than any release holds; the rest is not there."""
    head = member("x/big", size=sides.MOST_BYTES + 1)
    path.write_bytes(gzip.compress(head.tobuf() + bytes(1024)))
    return path


ALTERED = dict(altered())


@pytest.mark.parametrize("name", ALTERED)
def test_altered_archives_are_refused_and_nothing_is_written_outside(name, tmp_path):
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    archive = ALTERED[name](inside / "release.tar.gz")
    with pytest.raises(UserError) as told:
        reproducing.unpack(archive, inside / "out")
    assert "what to do" in str(told.value) or "release" in str(told.value)
    outside = [path for path in tmp_path.rglob("*") if path.is_file() and inside / "out" not in path.parents]
    assert outside == [archive]


def test_there_are_more_than_fifty_and_the_unaltered_one_is_taken(tmp_path):
    assert len(ALTERED) > 50
    archive = packed(tmp_path / "release.tar.gz", texts())
    assert release.verify(archive)[1] == []
    found = reproducing.unpack(archive, tmp_path / "out")
    assert (found.experiment, found.config, found.lacking, found.targets) == ("x", "config/x.yaml", [], ["all"])
    assert (tmp_path / "out/rules/a.smk").is_file() and (tmp_path / "out/envs/setup.sh").stat().st_mode & 0o100
    with pytest.raises(UserError, match="is there already"):
        reproducing.unpack(archive, tmp_path / "out")


def test_what_is_not_here_is_named_and_not_tried(tmp_path):
    config = CONFIG | {
        "models": {"big": {"kind": "hub"}},
        "problems": {"sources": {"mine": {"kind": "jsonl"}}},
        "teacher": {"engine": {"kind": "recorded"}, "efforts": {"other": {"engine": {"kind": "server"}}}},
    }
    found = reproducing.unpack(packed(tmp_path / "r.tar.gz", texts(config=config)), tmp_path / "out")
    assert found.lacking == ["hub: big", "jsonl: mine", "recorded: teacher", "server: other"]
    assert found.targets == ["published"]
    assert load_config(tmp_path / "out" / found.config).experiment == "x"  # one that can be planned


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (TABLE, "same bytes"),
        (TABLE.replace("avg@4,10.0", "avg@4,11.9"), "within the interval"),
        (TABLE.replace("avg@4,10.0", "avg@4,12.1"), "different"),
        (TABLE.replace("final", "other"), "different"),
        (None, "not run"),
    ],
)
def test_outputs_are_told_apart_by_bytes_values_and_intervals(made, kind, tmp_path):
    found = reproducing.unpack(packed(tmp_path / "r.tar.gz", texts()), tmp_path / "out")
    results = tmp_path / "out" / "results" / "x"
    if made is not None:
        (results / "tables").mkdir(parents=True)
        (results / "tables/results.csv").write_text(made)
        outputs = {"tables/results.csv": {"sha256": sha256_text(made), "bytes": len(made)}}
        (results / "manifest.json").write_text(
            json.dumps({"version": manifest.VERSION, "outputs": outputs, "sources": {}})
        )
    assert reproducing.compare(found) == {"tables/results.csv": kind}
    told = reproducing.report(found, {"tables/results.csv": kind})
    assert told.startswith(f"1 {kind}\n") and ("tables/results.csv" in told) == (kind != "same bytes")
