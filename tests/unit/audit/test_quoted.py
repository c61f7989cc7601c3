"""Numbers in a paper's text against the tables; releases signed with a key of one's own."""

import json
import shutil
import subprocess

import pytest
from test_sides import archive, entry

import audit
import release
from reasonlite.audit import claims, jobs, manifest, sides, signing
from reasonlite.core.errors import UserError

RESULTS = """model,benchmark,metric,value,low,high
final,aime24,avg@16,47.26,41.04,53.55
final,aime24,difference,12.5,8.0,17.1
final,aime24,tokens p50,9,10,11
base,aime24,avg@16,34.76,30.0,40.0
final,aime24,cut off,1234.5,1000,1500
"""
CURVES = "curve,benchmark,model,x,value\nbudget,aime24,final,4096,31.24\nbudget,aime24,final,8192,40.0\n"


@pytest.fixture
def paper(tmp_path):
    texts = {"tables/results.csv": RESULTS, "tables/curves.csv": CURVES}
    outputs = {name: entry(text) for name, text in texts.items()}
    found = {"version": manifest.VERSION, "outputs": outputs, "sources": {}}
    return archive(tmp_path / "paper.tar.gz", {"manifest.json": json.dumps(found), **texts})


@pytest.mark.parametrize(
    "text",
    [
        r"\rl{final aime24 avg@16}{47.3}",
        r"\rl{aime24 avg@16 final}{47.3\% [41.0, 53.6]}",
        r"\rl{final aime24 difference}{+12.5}",
        r"\rl{curves: budget aime24 final 4096}{31.2}",
        "47.26 [41.04, 53.55]<!-- rl final aime24 avg@16 -->",
        "about **47**<!--rl final aime24 avg@16-->",
        "47.3 points<!-- rl final aime24 avg@16 -->",
        "in 2024 it was (47.3)<!-- rl final aime24 avg@16 -->",
        "47.3 (41.0, 53.6)<!-- rl final\naime24 avg@16 -->",
        r"\rl{final aime24 avg@16}{\textbf{47.3}}",
        "\\rl{final aime24 avg@16} %\n  {47.3 [41.0--53.6]}",
        r"\rl{final aime24 avg@16}{47.3 [41.0–53.6]}",
        r"\rl{final aime24 'cut off'}{1{,}234.5}",
        "1,234.5<!-- rl final aime24 'cut off' -->",
    ],
)
def test_numbers_that_stand_in_the_tables_pass(text, paper, tmp_path, capsys):
    (tmp_path / "paper.tex").write_text(f"Line one.\n{text}\n")
    assert audit.main(["check-text", str(tmp_path / "paper.tex"), str(paper)]) == 0
    assert capsys.readouterr().out == "1 numbers quoted, 0 not as in the tables\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"\rl{final aime24 avg@16}{47.2}", "the text says 47.2, tables/results.csv has 47.3"),
        (r"\rl{final aime24 avg@16}{47.3 [41.0, 53.4]}", r"has 47.3, 41.0, 53.5"),
        (r"\rl{final aime24 difference}{-12.5}", "the text says -12.5, tables/results.csv has 12.5"),
        (r"\rl{curves: budget aime24 final 4096}{31.2 [1, 2]}", "the text says 3 numbers, tables/curves.csv has 1"),
        (r"\rl{other aime24 avg@16}{1}", "no row has 'other'"),
        (r"\rl{aime24 avg@16}{1}", "2 rows have 'aime24 avg@16'"),
        (r"\rl{none: x}{1}", "tables/none.csv: is not in the manifest"),
        (r"\rl{final aime24 avg@16}{many}", "'many' holds no number"),
        (r"\rl{final aime24 avg@16}", "no number can be read beside it"),
        (r"\rl{final aime24 avg@16}{\a{\b{47.3}}}", "no number can be read beside it"),
        ("nothing <!-- rl final aime24 avg@16 -->", "no number can be read beside it"),
        ("46<!-- rl final aime24 avg@16 -->", "the text says 46, tables/results.csv has 47"),
    ],
)
def test_stale_and_unknown_numbers_are_named_with_their_line(text, said, paper, tmp_path, capsys):
    (tmp_path / "paper.md").write_text(f"Line one.\n\n{text} and 3.5 of ours\n")
    assert audit.main(["check-text", str(tmp_path / "paper.md"), str(paper)]) == 1
    told = capsys.readouterr().out
    assert "paper.md:3: " in told and said in told and "1 numbers quoted, 1 not as in the tables" in told


def test_the_results_are_macros_with_the_hash_of_their_table(paper, tmp_path):
    assert audit.main(["macros", str(paper), "--output", str(tmp_path / "numbers.tex")]) == 0
    text = (tmp_path / "numbers.tex").read_text()
    assert r"rl@final@aime24@avg@16@whole\endcsname{47.3 [41.0, 53.5]}" in text or "[41.0, 53.6]" in text
    assert r"rl@base@aime24@avg@16@value\endcsname{34.8}" in text and "tokens p50" not in text
    assert f"sha256 {entry(RESULTS)['sha256']}" in text


EVALUATION = {
    "baseline": "m",
    "models": [
        {"model": "final", "sampling": {"max_tokens": 900}},
        {"model": "final-think64", "of": "final", "thinking": 64, "sampling": {"max_tokens": 900}},
    ],
}
GRID = {"bases": {"q": "m"}, "seeds": [1, 2], "arms": {"a": ["x"], "c": ["x", "y"]}, "reference": "a"}


@pytest.mark.parametrize(
    ("row", "models"),
    [
        ({"model": "final", "benchmark": "b", "metric": "avg@4"}, {"final", "b", "avg@4"}),
        ({"model": "final", "benchmark": "b", "metric": "difference"}, {"final", "b", "difference", "m"}),
        ({"benchmark": "b", "left": "m", "right": "final", "difference": 1.0}, {"b", "m", "final"}),
        (
            {"base": "q", "arm": "c", "benchmark": "b", "difference": 1.0},
            {"b", "q-x-s1", "q-x-s2", "q-x-y-s1", "q-x-y-s2"},
        ),
        ({"base": "q", "arm": "base", "benchmark": "b"}, {"b", "m"}),
        ({"curve": "thinking", "benchmark": "b", "model": "final", "x": 64}, {"thinking", "b", "final-think64"}),
        ({"curve": "thinking", "benchmark": "b", "model": "final", "x": 900}, {"thinking", "b", "final"}),
        ({"curve": "budget", "benchmark": "b", "model": "final", "x": 64}, {"budget", "b", "final"}),
    ],
)
def test_a_number_is_of_the_verdicts_that_it_was_made_of(row, models):
    assert claims.models_of({"evaluation": EVALUATION, "grid": GRID}, row) == models


def test_the_order_of_the_words_tells_left_from_right(tmp_path):
    text = "benchmark,left,right,difference\nb,base,final,1.5\nb,final,base,2.5\nb,final,turbo,3.5\n"
    found = {"version": manifest.VERSION, "outputs": {"tables/comparisons.csv": entry(text)}, "sources": {}}
    files = {"manifest.json": json.dumps(found), "tables/comparisons.csv": text}
    side = sides.open_side(str(archive(tmp_path / "p.tar.gz", files)), tmp_path)
    told = [claims.row_of(side, "tables/comparisons.csv", words.split())["difference"]
            for words in ("base final", "final base", "b final base", "turbo final", "final turbo b")]  # fmt: skip
    assert told == [1.5, 2.5, 2.5, 3.5, 3.5]


def test_an_experiment_that_reads_anothers_results_keeps_its_own_name():
    outputs = {
        "votes/0": {"inputs": {"results/demo/problems/0": None, "results/mine/answers/0": None}},
        "answers/0": {"inputs": {"results/demo/recorded/0": None}},
    }
    assert jobs.experiment_of({"outputs": outputs}) == "mine"
    assert jobs.experiment_of({"outputs": {}}) == "unknown"


@pytest.fixture
def keys(tmp_path):
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed (Debian: openssh-client)")
    for name in ("mine", "another"):
        line = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(tmp_path / name)]
        subprocess.run(line, check=True, capture_output=True)
    public = (tmp_path / "mine.pub").read_text().strip()
    (tmp_path / "allowed").write_text(f"me@lab {public}\n")
    other = (tmp_path / "another.pub").read_text().strip()
    (tmp_path / "others").write_text(f"you@lab {other}\n")
    return tmp_path


def test_a_signature_says_who_made_a_release_and_fits_nothing_else(keys, capsys):
    made = keys / "one.tar.gz"
    made.write_bytes(b"release")
    assert release.main(["sign", str(made), "--key", str(keys / "mine")]) == 0
    assert signing.check(made, keys / "allowed") == "me@lab"
    with pytest.raises(UserError, match=r"one\.tar\.gz\.sig: was signed by nobody in others"):
        signing.check(made, keys / "others")
    made.write_bytes(b"altered")
    with pytest.raises(UserError, match=r"one\.tar\.gz: does not fit its signature"):
        signing.check(made, keys / "allowed")
    for key in (keys / "none", keys / "allowed"):
        with pytest.raises(UserError, match="no such file|could not be used"):
            signing.sign(made, key)
    made.with_name("one.tar.gz.sig").unlink(missing_ok=True)
    with pytest.raises(UserError, match=r"sig: no such file"):
        signing.check(made, keys / "allowed")
    line = ["ssh-keygen", "-Y", "sign", "-f", str(keys / "mine"), "-n", "mail", str(made)]
    subprocess.run(line, check=True, capture_output=True)
    with pytest.raises(UserError, match="does not fit its signature"):  # made for another purpose
        signing.check(made, keys / "allowed")
