"""Lists of files in short: what is written is what the shell reads, and nothing else."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonlite.core import cli
from reasonlite.core.paths import braced, expanded

SHARDS = [f"{number:05d}" for number in range(343)]
LISTS = [
    ([f"r/votes/{shard}.parquet" for shard in SHARDS], "r/votes/{00000..00342}.parquet"),
    (
        [f"r/judged/{effort}/{shard}.parquet" for effort in ("medium", "high") for shard in SHARDS],
        "r/judged/{medium,high}/{00000..00342}.parquet",
    ),
    ([f"r/training/{stage}.parquet" for stage in ("turbo", "final")], "r/training/{turbo,final}.parquet"),
    (["tables/a.csv", "tables/b.parquet"], "tables/{a.csv,b.parquet}"),
]


@pytest.mark.parametrize(("paths", "short"), LISTS)
def test_combinations_are_one_text_that_bash_reads_the_same(paths, short):
    assert braced(paths) == [short]
    assert expanded(short) == paths
    printed = subprocess.run(["bash", "-c", f"printf '%s\\n' {short}"], capture_output=True, text=True, check=True)
    assert printed.stdout.splitlines() == paths


def test_runs_of_several_folders_are_a_text_each():
    paths = [f"r/{folder}/{shard}.parquet" for folder in ("problems/shards", "difficulty/own") for shard in SHARDS]
    short = braced(paths)
    assert short == ["r/problems/shards/{00000..00342}.parquet", "r/difficulty/own/{00000..00342}.parquet"]
    assert [path for text in short for path in expanded(text)] == paths


@pytest.mark.parametrize(
    "paths",
    [
        [],
        ["one.parquet"],
        ["a/1.parquet", "a/b/2.parquet"],
        ["a/x.parquet", "b/y.parquet"],  # not all combinations
        ["a/b.parquet", "a/b.parquet"],
        ["a/{00000..00002}.parquet", "a/x.parquet"],  # a file's own name
        ["a,b/x.parquet", "c/x.parquet"],
    ],
)
def test_what_is_no_combination_stays_as_it_is(paths):
    assert braced(paths) == paths


def test_numbers_are_a_run_only_if_each_follows_the_last():
    assert braced(["v/00001.parquet", "v/00002.parquet", "v/00004.parquet"]) == ["v/{00001,00002,00004}.parquet"]
    assert braced(["v/9.parquet", "v/10.parquet"]) == ["v/{9..10}.parquet"]
    assert expanded("v/{9..10}.parquet") == ["v/9.parquet", "v/10.parquet"]
    assert expanded("a {note}/x.parquet") == ["a {note}/x.parquet"]


NAMES = st.text(st.characters(exclude_characters="/{},\0", codec="utf-8"), min_size=1, max_size=6)


@given(st.lists(st.lists(NAMES, min_size=2, max_size=3).map("/".join), max_size=8))
def test_any_list_comes_back_in_its_order(paths):
    assert [path for text in braced(paths) for path in expanded(text)] == paths


def test_a_scripts_option_takes_them_beside_others(tmp_path):
    parser = cli.parser(None)
    parser.add_argument("--votes", action=cli.Paths, required=True)
    parser.add_argument("--more", action=cli.Paths, nargs="*", default=[])
    found = parser.parse_args(["--votes", "v/{00000..00001}.parquet", "own.parquet"])
    assert [str(path) for path in found.votes] == ["v/00000.parquet", "v/00001.parquet", "own.parquet"]
    assert found.more == [] and parser.parse_args(["--votes", "a", "--more"]).more == []


def test_json_may_stand_under_a_key_of_a_file(tmp_path, capsys):
    file = tmp_path / "plan.json"
    file.write_text('{"evaluation": {"a": 1}}')
    parser = cli.parser(None)
    parser.add_argument("--settings", type=cli.json_of(dict[str, int]))
    assert parser.parse_args(["--settings", f"@{file}:evaluation"]).settings == {"a": 1}
    for text, said in ((f"@{file}:other", "no key 'other'"), (f"@{file}.x:other", "cannot be read")):
        with pytest.raises(SystemExit):
            parser.parse_args(["--settings", text])
        assert said in capsys.readouterr().err
