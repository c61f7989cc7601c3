"""Manifests, comparisons with their causes, looks inside, verification and lineage, on small trees."""

import base64
import json
import os
import random
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import audit
from reasonlite.audit import changes, inside, lineage, manifest, sides, telling, verifying
from reasonlite.audit.content import describe
from reasonlite.audit.store import Limits, Store
from reasonlite.config.experiment import Audit
from reasonlite.core.errors import UserError

VALUES = st.lists(
    st.tuples(
        st.none() | st.text(max_size=5),
        st.none() | st.integers(-5, 5),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.booleans(),
        st.none() | st.lists(st.none() | st.text(max_size=3), max_size=3),
    ),
    max_size=12,
)
SCHEMA = {"text": pl.String, "number": pl.Int32, "real": pl.Float64, "flag": pl.Boolean, "list": pl.List(pl.String)}


@settings(max_examples=50)
@given(rows=VALUES, other=VALUES, size=st.integers(1, 5))
def test_the_content_hash_is_of_the_values_alone(tmp_path_factory, rows, other, size):
    folder = tmp_path_factory.mktemp("content")
    frame, another = (pl.DataFrame(part, schema=SCHEMA, orient="row") for part in (rows, other))
    frame.write_parquet(folder / "a.parquet", compression="zstd")
    frame.write_parquet(folder / "b.parquet", compression="uncompressed", row_group_size=size, statistics=False)
    another.write_parquet(folder / "c.parquet")
    first, second, third = (describe(folder / f"{name}.parquet")["content"] for name in "abc")
    assert first == second
    assert (first == third) == frame.equals(another, null_equal=True)


def test_lists_of_structs_and_moved_boundaries_count(tmp_path):
    def content(values):
        pl.DataFrame({"m": values}, schema={"m": pl.List(pl.Struct({"a": pl.String}))}).write_parquet(
            tmp_path / "x.parquet"
        )
        return describe(tmp_path / "x.parquet")["content"]

    tables = [
        [[{"a": "xy"}], []],
        [[], [{"a": "xy"}]],
        [[{"a": "x"}, {"a": "y"}], []],
        [[{"a": "xy"}], None],
        [[None], []],
    ]
    assert len({content(values) for values in tables}) == len(tables)


def test_a_broken_table_is_named(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(UserError, match=r"t\.parquet: is not a readable Parquet file"):
        describe(tmp_path / "t.parquet")


# -- a results tree as the workflow leaves it


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.jsonl").write_text('{"problem": "1+1"}\n')
    write(tmp_path, "problems/a.parquet", pl.DataFrame({"id": ["s:0"], "problem": ["1+1"]}), "shard", ["mine.jsonl"])
    rows = pl.DataFrame(
        {"answer_id": ["s:0_0", "s:0_1"], "problem_id": ["s:0"] * 2, "correct": [True, False], "tokens": [3, 4]}
    )
    write(tmp_path, "evaluation/m/b/judged.parquet", rows, "judge", ["results/x/problems/a.parquet"])
    write(
        tmp_path,
        "tables/r.csv",
        "model,benchmark,value\nm,b,50.0\n",
        "tabulate",
        ["results/x/evaluation/m/b/judged.parquet"],
    )
    return tmp_path


def write(root, name, value, rule, inputs, settings=None, code="c1", start=1000.0, log=()):
    path = root / "results" / "x" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, str):
        path.write_text(value)
    else:
        value.write_parquet(path)
    identity = json.dumps({"code": code, "settings": settings or {}})
    record = {
        **{"rule": rule, "input": inputs, "params": [repr("x"), repr(identity)], "log": list(log), "incomplete": False},
        **{
            "code": f"\n  python {rule}.py \\\n    --x\n",
            "record_format_version": 6,
            "starttime": start,
            "endtime": start + 1,
            "input_checksums": {},
        },
    }
    metadata = root / ".snakemake" / "metadata" / base64.b64encode(f"results/x/{name}".encode()).decode()
    metadata.parent.mkdir(parents=True, exist_ok=True)
    metadata.write_text(json.dumps(record))
    os.utime(metadata, (start, start))


RESULTS = Path("results/x")


def written():
    manifest.write(RESULTS, Path())
    return manifest.read(RESULTS / "manifest.json")


def test_the_manifest_says_what_is_there_and_what_it_was_made_from(project):
    found = written()
    judged = found["outputs"]["evaluation/m/b/judged.parquet"]
    assert (judged["rows"], judged["rule"], judged["schema"]["tokens"]) == (2, "judge", "int64")
    assert list(judged["inputs"]) == ["results/x/problems/a.parquet"] and judged["code"] == "c1"
    assert set(found["sources"]) == {"mine.jsonl"}
    assert manifest.write(RESULTS, Path()) is False
    text = (RESULTS / "manifest.json").read_text()
    assert text == json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_an_unchanged_file_is_not_read_again_and_a_full_one_trusts_nothing(project, monkeypatch):
    written()
    table = RESULTS / "tables" / "r.csv"
    before = table.stat()
    with table.open("r+") as handle:
        handle.write("MODEL")
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert manifest.write(RESULTS, Path()) is False
    assert verifying.verify(written(), RESULTS, trust_cache=True) == []
    assert [str(fault) for fault in verifying.verify(written(), RESULTS)] == [
        "Fault(path='tables/r.csv', what='altered: same size, other bytes')"
    ]
    assert manifest.write(RESULTS, Path(), trust_cache=False) is True


def test_an_output_that_is_written_while_it_is_read_is_refused(project, monkeypatch):
    def growing(path):
        path.write_bytes(path.read_bytes() + b"x")
        return "0" * 64

    monkeypatch.setattr(manifest, "sha256_file", growing)
    with pytest.raises(UserError, match="is written to while it is read"):
        manifest.write(RESULTS, Path())
    assert not (RESULTS / "manifest.json").exists()


def test_a_second_audit_at_the_same_time_is_refused(project):
    written()
    with Store(RESULTS).alone(), pytest.raises(UserError, match="another audit is at work"):
        manifest.write(RESULTS, Path(), trust_cache=False)


def faults(found):
    return {fault.path: fault.what for fault in verifying.verify(found, RESULTS)}


def test_verification_names_what_is_missing_cut_off_altered_extra_and_out_of_date(project):
    found = written()
    shutil.copytree(RESULTS, project / "copy")
    (RESULTS / "tables" / "r.csv").write_text("model")
    (RESULTS / "problems" / "a.parquet").unlink()
    (RESULTS / "tables" / "new.csv").write_text("")
    judged = RESULTS / "evaluation/m/b/judged.parquet"
    judged.write_bytes(judged.read_bytes()[:-1] + b"?")
    assert faults(found) == {
        "problems/a.parquet": "missing",
        "tables/r.csv": "truncated: 5 of 31 bytes",
        "tables/new.csv": "extra: not in the manifest",
        "evaluation/m/b/judged.parquet": "altered: same size, other bytes",
    }
    assert verifying.verify(found, project / "copy") == []


def test_an_output_made_from_another_version_of_its_input_is_named(project):
    found = written()
    found["outputs"]["tables/r.csv"]["inputs"] = {"results/x/evaluation/m/b/judged.parquet": "0" * 64}
    found["outputs"]["problems/a.parquet"]["inputs"] = {"mine.jsonl": "0" * 64}
    assert faults(found) == {
        "tables/r.csv": "out of date: made from another version of evaluation/m/b/judged.parquet",
        "problems/a.parquet": "out of date: made from another version of mine.jsonl",
    }


def test_an_input_that_was_only_packed_anew_makes_nothing_out_of_date(project):
    table, inputs = "model,benchmark,value\nm,b,50.0\n", ["results/x/problems/a.parquet"]
    write(project, "tables/r.csv", table, "tabulate", inputs)
    found = written()
    read = found["outputs"]["problems/a.parquet"]["sha256"]
    frame = pl.read_parquet(RESULTS / "problems/a.parquet")
    frame.write_parquet(RESULTS / "problems/a.parquet", compression="uncompressed")
    found = written()
    found["outputs"]["tables/r.csv"]["inputs"] = {"results/x/problems/a.parquet": read}
    assert found["outputs"]["problems/a.parquet"]["sha256"] != read and faults(found) == {}
    frame.with_columns(problem=pl.lit("2+2")).write_parquet(RESULTS / "problems/a.parquet")
    found = written()
    found["outputs"]["tables/r.csv"]["inputs"] = {"results/x/problems/a.parquet": read}
    assert list(faults(found)) == ["tables/r.csv"]


def test_any_byte_that_is_turned_over_is_found(project):
    found, chance = written(), random.Random(1)
    for _ in range(20):
        path = RESULTS / chance.choice(sorted(found["outputs"]))
        whole, status = path.read_bytes(), path.stat()
        place = chance.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert list(faults(found)) == [path.relative_to(RESULTS).as_posix()]
        path.write_bytes(whole)


def difference(old, new):
    found = changes.compare(old, new)
    return {change.path: (change.kind, [str(cause) for cause in change.causes]) for change in found.changes}


def test_a_changed_source_is_the_cause_of_all_that_follows_and_only_of_that(project):
    old = written()
    (project / "mine.jsonl").write_text('{"problem": "1+2"}\n')
    write(
        project,
        "problems/a.parquet",
        pl.DataFrame({"id": ["s:0"], "problem": ["1+2"]}),
        "shard",
        ["mine.jsonl"],
        start=2e3,
    )
    assert difference(old, written()) == {
        "problems/a.parquet": ("changed", ["source mine.jsonl: other bytes, same size"])
    }
    write(
        project,
        "tables/r.csv",
        "model,benchmark,value\nm,b,40.0\n",
        "tabulate",
        ["results/x/problems/a.parquet"],
        start=2e3,
    )
    found = difference(old, written())
    assert found["tables/r.csv"] == ("changed", ["source mine.jsonl: other bytes, same size"])


def test_settings_code_chance_and_a_hand_are_told_apart(project):
    parts = {"1": {"f": "1", "g": "2"}, "2": {"f": "1", "g": "3"}}
    for name, files in (("c1", {"a.py": "1"}), ("c2", {"a.py": "2", "b.py": "1"})):
        Store(RESULTS).save(f"code/{name}.json", {"files": files, "functions": parts})
    old = written()
    table, inputs = "model,benchmark,value\nm,b,41.0\n", ["results/x/evaluation/m/b/judged.parquet"]
    (RESULTS / "tables" / "r.csv").write_text(table)
    assert difference(old, written())["tables/r.csv"][1] == ["by hand tables/r.csv: altered after the job that made it"]
    write(project, "tables/r.csv", table, "tabulate", inputs, {"deep": {"n": [1, 2]}}, start=2e3)
    assert difference(old, written())["tables/r.csv"][1] == ["setting tabulate.deep: None → {'n': [1, 2]}"]
    write(project, "tables/r.csv", table, "tabulate", inputs, start=3e3)
    assert difference(old, written())["tables/r.csv"][1] == [
        "chance tabulate: nothing differs that was recorded: this step is not deterministic"
    ]
    for rule, settings_ in (("tabulate_results", {}), ("evaluate_answers", {"engine": {"batch_invariant": True}})):
        write(project, "tables/r.csv", table, rule, inputs, settings_, start=3e3)
        old = written()
        write(project, "tables/r.csv", table + "m,d,2\n", rule, inputs, settings_, start=4e3)
        (told,) = difference(old, written())["tables/r.csv"][1]
        assert told.startswith(
            f"fault {rule}: it repeats exactly, and nothing differs that was recorded, yet its values do"
        )
    write(project, "tables/r.csv", table, "tabulate", inputs, start=3e3)
    old = written()
    write(project, "tables/r.csv", table + "m,c,1\n", "tabulate", inputs, code="c2", start=4e3)
    assert difference(old, written())["tables/r.csv"][1] == ["code a.py: g", "code b.py: newly used"]


def test_what_is_meant_to_change_no_value_is_recorded_and_never_taken_for_chance(project):
    engine = {"dtype": "float32", "arguments": {"seed": 1}}
    log, benchmark = RESULTS / "logs" / "draw" / "m.log", RESULTS / "benchmarks" / "draw" / "m.jsonl"

    def drawn(value, commit, seqs, start):
        write(
            project, "answers/m.csv", f"value\n{value}\n", "draw", [], {"engine": engine}, start=start, log=[str(log)]
        )
        params = {"engine": json.dumps(engine | {"max_num_seqs": seqs}), "commit": commit, "identity": "{}"}
        entry = {"wildcards": {"m": "m"}, "s": 1.0, "params": params, "threads": 2}
        benchmark.parent.mkdir(parents=True, exist_ok=True)
        benchmark.write_text(json.dumps(entry))
        return written()

    old, same = drawn(1, 64, 8, 1e3), drawn(1, 1024, 16, 2e3)
    assert old["outputs"]["answers/m.csv"]["told"] == {"engine": {"max_num_seqs": 8}, "commit": 64, "threads": 2}
    assert "answers/m.csv" not in difference(old, same)
    assert difference(old, drawn(2, 1024, 16, 3e3))["answers/m.csv"][1] == [
        "parameter draw.commit: 64 → 1024, which is meant to leave the values as they are",
        "parameter draw.engine.max_num_seqs: 8 → 16, which is meant to leave the values as they are",
    ]


def test_a_changed_program_whose_inputs_changed_too_is_a_cause_perhaps(project):
    for name, digest in (("c1", "1"), ("c2", "2")):
        Store(RESULTS).save(f"code/{name}.json", {"files": {"a.py": digest}, "functions": {digest: {"f": digest}}})
    (table, judged, problems) = ("tables/r.csv", "evaluation/m/b/judged.parquet", "problems/a.parquet")
    inputs = [f"results/x/{judged}"]
    old = written()
    write(project, table, "model,benchmark,value\nm,b,7\n", "tabulate", inputs, code="c2", start=2e3)
    assert difference(old, written())[table][1] == ["code a.py: f"]  # nothing else can have done it
    rows = pl.read_parquet(RESULTS / judged).with_columns(tokens=pl.lit(9))
    write(project, judged, rows, "judge", [f"results/x/{problems}"], {"limit": 1}, start=3e3)
    causes = difference(old, written())[table][1]
    assert causes == ["code a.py: f (perhaps: something else differs too)", "setting judge.limit: None → 1"]
    write(project, judged, rows, "judge", [f"results/x/{problems}"], code="c2", start=4e3)
    assert difference(old, written())[table][1] == ["code a.py: f"]  # for sure above, so no "perhaps" beside it


def test_same_values_in_other_bytes_are_no_cause(project):
    old = written()
    frame = pl.read_parquet(RESULTS / "problems/a.parquet")
    frame.write_parquet(RESULTS / "problems/a.parquet", compression="uncompressed")
    found = difference(old, written())
    assert list(found) == ["problems/a.parquet"] and found["problems/a.parquet"][0] == "rewritten"


def test_the_manifests_before_are_kept_and_what_they_name(project):
    for number in range(8):
        (RESULTS / "tables" / "r.csv").write_text(f"model,benchmark,value\nm,b,{number}\n")
        written()
    assert len(Store(RESULTS).history()) == 5
    old, new = sides.before(RESULTS), sides.open_side("results/x", Path())
    stores = sides.stores_of([old, new])
    told = telling.look(changes.compare(old.manifest, new.manifest), old, new, stores)
    assert [one.details for one in told] == [["m, b · value: 6 → 7"]]
    assert len(list((RESULTS / ".audit" / "objects").glob("*/*"))) == 2 + 1 + 6  # tables, the source, six versions


def test_the_store_keeps_by_itself_what_the_config_keeps():
    assert asdict(Limits()) == Audit().model_dump()


def weights(values):
    """A checkpoint of two bfloat16 tensors and one of integers."""
    import torch
    from safetensors.torch import save_file

    path = RESULTS / "checkpoints" / "s" / "model.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"a": torch.tensor(values, dtype=torch.bfloat16).reshape(2, -1), "b": torch.ones(3, dtype=torch.bfloat16)}
    save_file(told | {"n": torch.arange(4)}, path)
    return told["a"].double()


def test_of_large_files_that_are_replaced_a_sketch_is_kept(project):
    limits, table = Limits(whole_mib=0, sample_rows=20), RESULTS / "answers" / "a.parquet"
    table.parent.mkdir()

    def made(tokens, values):
        rows = [(f"s:{n}_0", "x" * 3000, tokens, [{"role": "user"}]) for n in range(90)]
        pl.DataFrame(rows, ["answer_id", "text", "tokens", "messages"], orient="row").write_parquet(table)
        norm = weights(values).norm().item()
        manifest.write(Path("results/x"), Path(), limits=limits)
        return norm

    before, after = made(5, [1.0, 2.0, -3.0, 4.0]), made(6, [1.0, 2.0, -3.0, 8.0])
    assert len(list((RESULTS / ".audit" / "objects").glob("*/*.sample.parquet"))) == 2 + 2  # the answers', and others'
    old, new = sides.before(RESULTS), sides.open_side("results/x", Path())
    stores = sides.stores_of([old, new])
    told = {
        one.change.path: one.details
        for one in telling.look(changes.compare(old.manifest, new.manifest), old, new, stores)
    }
    assert told["checkpoints/s/model.safetensors"] == [
        "1 of 3 tensors differ; by statistics, as the whole file is not kept:",
        f"  a: norm {before:.6g} → {after:.6g}, mean 1 → 2, largest 4 → 8",
    ]
    assert told["answers/a.parquet"][:2] == [
        "of a sample of its rows, as the whole file is not kept:",
        "tokens changed in 20 rows",
    ]
    manifest.write(Path("results/x"), Path())  # as the last time, without being told
    assert Store(RESULTS).load("limits.json")["whole_mib"] == 0


def test_a_comparison_is_told_in_every_form_and_ends_as_asked(project, capsys):
    picture = RESULTS / "figures" / "f.png"
    picture.parent.mkdir()
    for level in (0, 255):
        Image.new("L", (4, 4), level).save(picture)
        (RESULTS / "tables" / "r.csv").write_text(f"model,benchmark,value\nm,b,{level}\n")
        written()
    for form, expected in {
        "text": "  changed   tables/r.csv  (tabulate)\n      m, b · value: 0 → 255",
        "markdown": "| `tables/r.csv` | changed | tabulate |",
        "json": '"path": "figures/f.png"',
        "html": 'title="after" src="data:image/png;base64,',
    }.items():
        assert audit.main(["diff", "results/x", "--format", form, "--output", f"told.{form}"]) == 0
        assert expected in Path(f"told.{form}").read_text()
    for word, code in (("never", 0), ("changed", 1), ("any", 1)):
        assert audit.main(["diff", "results/x", "--fail-on", word]) == code
    assert audit.main(["diff", "results/x", "results/x", "--fail-on", "any"]) == 0
    assert "4 unchanged" in capsys.readouterr().out


def test_a_manifest_in_git_is_compared_with_the_tree(project, capsys):
    written()
    for command in (["init", "-q"], ["add", "-f", "results/x/manifest.json"], ["commit", "-qm", "first"]):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *command], check=True)
    (RESULTS / "tables" / "r.csv").write_text("model,benchmark,value\nm,b,51.0\n")
    written()
    assert audit.main(["diff", "HEAD:results/x/manifest.json", "results/x", "--fail-on", "changed"]) == 1
    assert "m, b · value: 50 → 51" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"version": 1, "outputs": {}}', "is a manifest of version 1; this program reads 2"),
        ('{"version": 2, "outputs": {', "is not whole JSON"),
        ("[]", "is not a manifest"),
        ('{"version": 2, "outputs": {"a": 1}, "sources": {}}', "its 'outputs' cannot be read"),
        ('{"version": 2, "outputs": {"../a": {"sha256": "", "bytes": 1}}, "sources": {}}', "a path outside its folder"),
        ('{"version": 2, "outputs": {"/a": {"sha256": "", "bytes": 1}}, "sources": {}}', "a path outside its folder"),
    ],
)
def test_what_is_no_manifest_is_refused_by_name(tmp_path, text, said):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UserError, match=said):
        manifest.read(tmp_path)


def test_another_container_is_told(project):
    image = project / "envs" / "image.sif"
    image.parent.mkdir()
    old = written()
    image.write_bytes(b"one")
    assert changes.compare(old, new := written()).notes == ["the container envs/image.sif is another"]
    assert new["container"]["bytes"] == 3 and changes.compare(new, new).notes == []


def test_a_manifest_that_cannot_be_read_is_made_again(project):
    whole = json.dumps(written())
    (RESULTS / "manifest.json").write_text(whole[: len(whole) // 2])
    assert manifest.write(RESULTS, Path()) is True
    assert json.dumps(manifest.read(RESULTS)) == whole


def test_folders_that_are_not_there_are_named(tmp_path, project):
    with pytest.raises(UserError, match="no such results folder"):
        manifest.write(tmp_path / "none", Path())
    with pytest.raises(UserError, match="no such manifest"):
        manifest.read(tmp_path / "none.json")
    written()
    with pytest.raises(UserError, match="no earlier manifest"):
        sides.before(RESULTS)
    with pytest.raises(UserError, match="git has no such file"):
        sides.open_side("HEAD:results/x/manifest.json", project)


# -- the look inside


def test_cells_rows_lines_pixels_and_tensors(tmp_path):
    from safetensors.numpy import save_file

    def pair(suffix, one, other, save):
        paths = [tmp_path / f"{number}{suffix}" for number in (1, 2)]
        for path, value in zip(paths, (one, other), strict=True):
            save(path, value)
        return inside.look(*paths, suffix)

    def text(path, value):
        path.write_text(value)

    table = "model,metric,value\nfinal,avg,{}\nbase,avg,1\n"
    assert pair(".csv", table.format("57.1"), table.format("57.4") + "new,avg,2\n", text) == [
        "row added: new, avg",
        "final, avg · value: 57.1 → 57.4",
    ]
    assert pair(".md", "a\nb\n", "a\nc\n", text) == ["- b", "+ c"]
    one = pl.DataFrame({"answer_id": ["a", "b", "c"], "correct": [True, False, None], "n": [1, 2, 3]})
    other = pl.DataFrame({"answer_id": ["b", "c", "d"], "correct": [True, None, True], "n": [2, 4, 9]})
    assert pair(".parquet", one, other, lambda path, frame: frame.write_parquet(path)) == [
        *("row added: d", "row removed: a", "correct flipped: False → True 1", "  b · correct: False → True"),
        *("n changed in 1 rows", "  c · n: 3 → 4"),
    ]
    picture = numpy.zeros((10, 20, 3), dtype="uint8")
    spotted = picture.copy()
    spotted[2:4, 5:9] = 200
    assert pair(".png", picture, spotted, lambda path, array: Image.fromarray(array).save(path)) == [
        "8 pixels differ (4%), by up to 200 of 255 levels, within columns 5–8 and rows 2–3"
    ]
    weights = {"a": numpy.ones(4, "float32"), "b": numpy.ones(4, "float32")}
    changed = weights | {"b": numpy.full(4, 1.5, "float32")}
    assert pair(".safetensors", weights, changed, lambda path, value: save_file(value, path)) == [
        "1 of 2 tensors differ; relative distance of the farthest:",
        "  b: 0.5",
    ]
    assert pair(".csv", "", "a,b\n", text)[0].startswith("cannot be looked into")


# -- lineage


def test_an_output_a_row_and_a_cell_are_traced(project):
    written()
    found = lineage.open_lineage(RESULTS / "tables" / "r.csv")
    lines = list(lineage.tree(found))
    assert [line for line in lines if not line.startswith(" ")] == list(found.upstream())
    assert any("from mine.jsonl" in line for line in lines)
    assert list(lineage.row(found, "m,b"))[:3] == [
        "tables/r.csv  (tabulate)",
        "    model m, benchmark b, value 50.0",
        "evaluation/m/b/judged.parquet  (judge)",
    ]
    judged = lineage.open_lineage(RESULTS / "evaluation/m/b/judged.parquet")
    assert list(lineage.row(judged, "s:0_1")) == [
        "evaluation/m/b/judged.parquet  (judge)",
        "    answer_id s:0_1, problem_id s:0, correct False, tokens 4",
        "problems/a.parquet  (shard)",
        "    id s:0, problem 1+1",
    ]
    drawing = lineage.drawing(found)
    assert drawing.startswith("<svg") and drawing.count("<rect") == 3 and drawing.count("<path") == 2
    for wanted, of in (("nobody", judged), ("x,y", found)):
        with pytest.raises(UserError):
            list(lineage.row(of, wanted))
