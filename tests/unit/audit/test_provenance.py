"""Code identity by meaning, manifests and their difference."""

import json
import subprocess
import sys
from modulefinder import ModuleFinder
from pathlib import Path

import pytest
from running import ROOT, environment

from reasonlite.audit.provenance import code_hash, code_of, identity, imported_modules, parts_of
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


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_the_imports_followed_are_those_that_pythons_own_finder_finds(script):
    finder = ModuleFinder(path=[str(SCRIPTS)])
    finder.run_script(str(script))
    files = {Path(module.__file__) for module in finder.modules.values() if module.__file__}
    assert set(code_of(script, SCRIPTS)) == {str(file.relative_to(SCRIPTS)) for file in files}


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
