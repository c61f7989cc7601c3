"""Code identity by meaning, manifests and their difference."""

import functools
import json
import re
import shutil
import subprocess
import sys
from modulefinder import ModuleFinder
from pathlib import Path

import pytest
from running import ROOT, environment

from reasonlite.audit import provenance
from reasonlite.audit.provenance import code_hash, code_id, code_of, identity, imported_modules, parts_of
from reasonlite.core.errors import UserError

SCRIPTS = Path(__file__).parents[3] / "scripts"


def hash_of(tmp_path, text):
    path = tmp_path / f"{abs(hash(text))}.py"
    path.write_text(text)
    return code_hash(path)


def test_comments_docstrings_and_layout_do_not_count_but_code_does(tmp_path):
    plain = hash_of(tmp_path, "def f(x):\n    return x + 1\n")
    assert hash_of(tmp_path, '# note\ndef f(x):\n    """Doc."""\n\n    return (x + 1)  # why\n') == plain
    assert hash_of(tmp_path, "def f(x):\n    return x + 2\n") != plain


def test_imports_are_followed_also_lazy_and_indirect_ones():
    files = set(code_of(SCRIPTS / "generate_answers.py", SCRIPTS))
    assert {
        "generate_answers.py",
        "reasonlite/answers/generation.py",
        "reasonlite/judge/extraction.py",
        "reasonlite/answers/transcripts.py",
        "reasonlite/answers/engines/offline.py",
        "reasonlite/answers/engines/server.py",
    } <= files
    assert "reasonlite/labels/votes.py" not in files and "reasonlite/report/figures.py" not in files


PROGRAMS = sorted(SCRIPTS.glob("*.py"))


@functools.cache
def run_by(script: Path) -> frozenset[str]:
    """Files of the library that a script imports, as Python's own finder follows the imports."""
    finder = ModuleFinder(path=[str(SCRIPTS)])
    finder.run_script(str(script))
    files = {Path(module.__file__) for module in finder.modules.values() if module.__file__}
    return frozenset(str(file.relative_to(SCRIPTS)) for file in files)


@pytest.mark.parametrize("script", PROGRAMS, ids=lambda path: path.stem)
def test_the_imports_followed_are_those_that_pythons_own_finder_finds(script):
    assert set(code_of(script, SCRIPTS)) == run_by(script)


def ids_of(scripts: list[Path]) -> dict[str, str]:
    """The code's hash by script, found out anew."""
    for known in (provenance._facts, provenance._tree, imported_modules, code_of, code_id):
        known.cache_clear()
    return {script.name: code_id((script,)) for script in scripts}


def test_a_change_in_any_module_changes_the_identity_of_its_users_alone_and_a_remark_changes_none(tmp_path):
    """What a rule's identity is made of; that Snakemake acts on it, some dry runs show (test_chain.py)."""
    shutil.copytree(SCRIPTS, tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    scripts = [tmp_path / "scripts" / script.name for script in PROGRAMS]
    before = ids_of(scripts)
    wrong = {}
    for module in sorted({file for script in PROGRAMS for file in run_by(script)}):
        path = tmp_path / "scripts" / module
        source = path.read_text()
        users = {script.name for script in PROGRAMS if module in run_by(script)}
        for addition, wanted in (("\n# a remark\n", set()), ("\n# a remark\nMUTATION = 1\n", users)):
            path.write_text(source + addition)
            after = ids_of(scripts)
            changed = {name for name in before if after[name] != before[name]}
            if changed != wanted:
                wrong[module] = (wanted - changed, changed - wanted)
        path.write_text(source)
    assert wrong == {} and ids_of(scripts) == before


RULES = [
    (name, body)
    for path in sorted((ROOT / "rules").glob("*.smk"))
    for name, body in re.findall(r"^ *rule ?(\w*):\n(.*?)(?=^ *rule\b|\Z)", path.read_text(), re.MULTILINE | re.DOTALL)
    if "{params.scripts:q}" in body
]


@pytest.mark.parametrize(("name", "body"), RULES, ids=[name or "figures" for name, _ in RULES])
def test_a_rules_identity_is_of_the_scripts_that_its_command_calls(name, body):
    called = set(re.findall(r"\{params\.scripts:q\}/([\w{}.]+)\.py", body))
    settled = re.search(r"identity=(?:lambda wildcards: )?identity\((.*?)(?:,\s*\w+=|\)\s*[,:]?\n)", body, re.DOTALL)
    named = set(re.findall(r'f?"([^"]+)"', settled.group(1)))
    assert called == {script.replace("{stage_of(wildcards)['method']}", "{params.method}") for script in named}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("from reasonlite.judge import compare", "takes compare from the package reasonlite.judge"),
        ("from .judge import equivalence", "relative imports are not followed"),
    ],
)
def test_an_import_that_cannot_be_followed_to_its_module_is_refused(tmp_path, line, said):
    script = tmp_path / "script.py"
    script.write_text(f"def f():\n    {line}\n")
    with pytest.raises(UserError, match=said) as told:
        imported_modules(script, SCRIPTS)
    assert "script.py: line 2" in str(told.value)


def test_notes_of_unchanged_files_give_the_same_identities_and_damaged_ones_are_left(tmp_path):
    """In processes of their own, for what is known of a file is kept as long as the process lives."""
    notes = tmp_path / "code.json"
    code = (
        "import json, sys; from pathlib import Path; from reasonlite.audit import provenance\n"
        "notes, script = map(Path, sys.argv[1:])\n"
        "provenance.remember(notes)\n"
        "known = len(provenance._noted)\n"
        "print(provenance.identity([script], {}), known)\n"
        "provenance.keep(notes)"
    )

    def told():
        command = [sys.executable, "-c", code, str(notes), str(SCRIPTS / "vote.py")]
        return subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=True).stdout

    first, again = told().split(), told().split()
    assert first[0] == again[0] and first[1] == "0" and int(again[1]) > 5
    notes.write_text('{"cut off')
    assert told().split() == first


def test_identity_names_its_settings():
    script = SCRIPTS / "vote.py"
    first = identity([script], {"min_share": 0.9, "min_votes": 4})
    assert json.loads(first)["settings"] == {"min_share": 0.9, "min_votes": 4}
    assert first != identity([script], {"min_share": 4, "min_votes": 0.9})


def test_a_change_is_found_in_its_function(tmp_path):
    path = tmp_path / "m.py"
    text = "X = 1\ndef f():\n    return 1\nclass C(list):\n    y = 2\n    def g(self):\n        return 3\n"
    path.write_text(text)
    before = parts_of(path)
    assert set(before) == {"f", "C", "C.g", "the module's own lines"}
    for old, new, name in (("return 1", "return 2", "f"), ("y = 2", "y = 3", "C"), ("return 3", "return 4", "C.g")):
        other = tmp_path / f"{name}.py"
        other.write_text(text.replace(old, new))
        after = parts_of(other)
        assert [part for part in after if after[part] != before[part]] == [name]
