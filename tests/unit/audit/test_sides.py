"""Releases as sides of a comparison: what they hold is compared, and nothing in them is trusted."""

import io
import json
import tarfile

import pytest
from small_run import small_run

from reasonlite.audit import changes, manifest, sides, telling
from reasonlite.core.errors import UserError
from reasonlite.core.files import sha256_text


def entry(text):
    return {"sha256": sha256_text(text), "bytes": len(text)}


def archive(path, files, extra=()):
    """A release with the given texts by name, and ``extra`` members."""
    with tarfile.open(path, "w:gz") as packed:
        for name, text in files.items():
            member = tarfile.TarInfo(f"x/{name}")
            member.size = len(text)
            packed.addfile(member, io.BytesIO(text.encode()))
        for member in extra:
            packed.addfile(member, io.BytesIO(b"evil"[: member.size]))
    return path


def release(path, table, weights="w", extra=()):
    outputs = {"tables/results.csv": entry(table), "checkpoints/a/model.safetensors": entry(weights)}
    found = {"version": manifest.VERSION, "outputs": outputs, "sources": {}}
    return archive(path, {"manifest.json": json.dumps(found), "tables/results.csv": table}, extra)


def member(name, **fields):
    made = tarfile.TarInfo(name)
    made.size = 4
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def told(one, two):
    old, new = sides.open_side(str(one), one.parent), sides.open_side(str(two), two.parent)
    found = changes.compare(old.manifest, new.manifest)
    return telling.text(found, telling.look(found, old, new, []), {})


def test_two_releases_are_compared_by_cells_and_what_they_lack_by_hash(tmp_path):
    one = release(tmp_path / "one.tar.gz", "model,benchmark,value\nfinal,b,1.5\n")
    two = release(tmp_path / "two.tar.gz", "model,benchmark,value\nfinal,b,2.5\n", weights="v")
    said = told(one, two)
    assert "final, b · value: 1.5 → 2.5" in said and "2 changed" in said
    assert "checkpoints/a/model.safetensors" in said and "no part of a release" in said


def test_a_release_is_compared_with_the_tree_it_was_made_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake" / "metadata").mkdir(parents=True)
    results = small_run(tmp_path / "results" / "small")
    manifest.write(results.relative_to(tmp_path), tmp_path)
    files = {
        name: (results / name).read_text() for name in ("manifest.json", "tables/results.csv", "figures/stages.svg")
    }
    made = archive(tmp_path / "small.tar.gz", files)
    assert told(made, results).startswith(f"{len(json.loads(files['manifest.json'])['outputs'])} unchanged")
    (results / "tables" / "results.csv").write_text(files["tables/results.csv"].replace("40.0", "41.0"))
    manifest.write(results.relative_to(tmp_path), tmp_path)
    assert "40 → 41" in told(made, results)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x/tables/results.csv", "holds x/tables/results.csv twice"),
        ("x/answers/anything.bin", "unpacks to more than a release does"),
    ],
)
def test_what_no_release_holds_is_refused(tmp_path, monkeypatch, name, message):
    path = release(tmp_path / "bad.tar.gz", "a\n", extra=[member(name)])
    if "more" in message:
        monkeypatch.setattr(sides, "MOST_BYTES", 100)
    with pytest.raises(UserError, match=message):
        sides.open_side(str(path), tmp_path)


def test_links_and_paths_out_of_the_archive_are_left_where_they_are(tmp_path):
    (tmp_path / "secret.csv").write_text("secret")
    extra = [
        member("x/tables/link.csv", type=tarfile.SYMTYPE, linkname=str(tmp_path / "secret.csv"), size=0),
        member("x/tables/hard.csv", type=tarfile.LNKTYPE, linkname="x/manifest.json", size=0),
        member("x/tables/../../../out.csv"),
        member("/tables/absolute.csv"),
        member("x/tables/pipe.csv", type=tarfile.FIFOTYPE, size=0),
    ]
    side = sides.open_side(str(release(tmp_path / "r.tar.gz", "a\n", extra=extra)), tmp_path)
    assert side.folder is not None
    names = sorted(path.relative_to(side.folder).as_posix() for path in side.folder.rglob("*") if not path.is_dir())
    assert names == ["manifest.json", "tables/results.csv"] and not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("keep", [10, 100])
def test_a_release_that_is_cut_off_or_none_is_named(tmp_path, keep):
    path = release(tmp_path / "r.tar.gz", "a\n" * 10_000)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match="is not a whole release"):
        sides.open_side(str(path), tmp_path)
    with pytest.raises(UserError, match="holds no manifest.json"):
        sides.open_side(str(archive(tmp_path / "empty.tar.gz", {"tables/a.csv": "a"})), tmp_path)


def test_a_file_that_is_not_what_the_manifest_says_is_not_shown(tmp_path):
    outputs = {"tables/results.csv": entry("a,b\n1,2\n")}
    found = json.dumps({"version": manifest.VERSION, "outputs": outputs, "sources": {}})
    altered = archive(tmp_path / "altered.tar.gz", {"manifest.json": found, "tables/results.csv": "a,b\n9,9\n"})
    other = release(tmp_path / "other.tar.gz", "a,b\n1,3\n")
    said = told(altered, other)
    assert "not looked into: the file of altered.tar.gz" in said and "9 →" not in said
