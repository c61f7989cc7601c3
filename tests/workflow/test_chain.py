"""The whole chain for real in its smallest form, killed once and continued; then again: that run does nothing."""

import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from modulefinder import ModuleFinder
from pathlib import Path

import polars as pl
import pytest
import yaml
from auditing import CHANGES, Project, check
from browsing import opened, serving_pages
from rocrate.rocrate import ROCrate
from running import ROOT, environment, need_vllm, run_snakemake
from terminal import Terminal

import audit
from reasonlite.core.errors import UserError

pytestmark = pytest.mark.slow
BENCH = ROOT.parent / "shared" / "data" / "bench"
SANDBOX = shutil.which("bwrap") is not None  # without it the benchmarks of programs are left out


def real_benchmarks() -> dict:
    """Two problems of each real benchmark whose file lies beside the project."""
    names = {"aime24": "aime24", "aime25": "aime25_nemo", "amc23": "amc23", "math500": "math500", "gsm8k": "gsm8k_test"}
    paths = {name: BENCH / f"{file}.jsonl" for name, file in (names | {"humaneval": "humaneval"}).items()}
    return {
        name: {"source": {"kind": "jsonl", "path": str(path), "limit": 2, "columns": {"tests": name == "humaneval"}}}
        for name, path in paths.items()
        if path.exists() and (SANDBOX or name != "humaneval")
    }


@dataclass(frozen=True)
class Finished:
    """The results of a chain that was killed once; ``kept`` are the replies its journals held then, by key.

    ``written`` is what the run that continued it wrote to its terminal. That run had no network if ``offline``.
    """

    results: Path
    kept: dict[str, str]
    written: str
    offline: bool


def replies(results: Path) -> list[tuple[str, str]]:
    """Key and text of each reply in the teacher's journals, as often as they hold it."""
    folders = [folder for effort in ("medium", "high") for folder in results.glob(f"journals/{effort}/*")]
    chunks = [path for folder in folders for path in folder.glob("*.parquet") if path.stem.isdigit()]
    return [row for path in sorted(chunks) for row in pl.read_parquet(path, columns=["key", "text"]).rows()]


def kill_when_replies_are_kept(project: Path) -> dict[str, str]:
    """Start the chain and end everything with SIGKILL once a journal holds something."""
    command = ["snakemake", "--cores", "2", "--configfile", "tiny.yaml"]
    with (project / "killed.log").open("w") as output:
        run = subprocess.Popen(
            command, cwd=project, env=environment(), stdout=output, stderr=output, start_new_session=True
        )
    results = project / "results" / "tiny"
    while not replies(results):
        assert run.poll() is None, (project / "killed.log").read_text()[-5000:]
        time.sleep(0.1)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    kept = dict(replies(results))
    done = run_snakemake(project, "--configfile", "tiny.yaml", "--unlock")
    assert done.returncode == 0, done.stderr
    return kept


@pytest.fixture(scope="module")
def chain(project, tiny_model) -> Finished:
    need_vllm()
    config = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text().replace("TINY", str(tiny_model)))
    config["evaluation"]["benchmarks"] |= real_benchmarks()
    if not SANDBOX:
        del config["evaluation"]["benchmarks"]["programs"]
    (project / "tiny.yaml").write_text(yaml.safe_dump(config))
    problems = [{"problem": f"What is {a} + {b}?", "answer": str(a + b)} for a in (1, 2, 3) for b in (4, 6)]
    (project / "mine.jsonl").write_text("".join(json.dumps(p) + "\n" for p in [*problems, problems[0]]))
    held_out = [{"problem": "What is 5 + 5?", "answer": "10"}, {"problem": "What is 1 + 4?", "answer": "5"}]
    (project / "heldout.jsonl").write_text("".join(json.dumps(p) + "\n" for p in held_out))
    test = "def check(candidate):\n    assert candidate(2) == 4\n"
    program = {"task_id": "P/0", "prompt": 'def double(x):\n    """2x"""\n', "test": test, "entry_point": "double"}
    (project / "programs.jsonl").write_text(json.dumps(program) + "\n")
    kept = kill_when_replies_are_kept(project)
    marker = project / "offline"
    alone = [sys.executable, str(ROOT / "tests" / "offline.py"), str(marker)]
    terminal = Terminal([*alone, "snakemake", "--cores", "2", "--configfile", "tiny.yaml"], project, environment())
    assert terminal.finish() == 0, terminal.written[-9000:]
    assert "avg@2" in terminal.written and "results/tiny/figures" in terminal.written
    return Finished(project / "results" / "tiny", kept, terminal.written, marker.exists())


@pytest.fixture(scope="module")
def finished(chain) -> Path:
    return chain.results


def test_no_step_needed_a_network(chain):
    if not chain.offline:
        pytest.skip("the kernel gives this user no network namespace")
    assert (chain.results / "manifest.json").exists()


def test_the_terminal_showed_steps_and_each_jobs_own_pace_and_little_else(chain):
    steps = [tuple(map(int, found)) for found in re.findall(r"(\d+) of (\d+) steps ·", chain.written)]
    assert len({done for done, _ in steps}) > 10 and len({total for _, total in steps}) == 1
    assert re.search(r"\d+ of \d+ answers", chain.written) and re.search(r"\d+ s gone", chain.written)
    assert re.search(r"Training the stage turbo.*?\d+ of \d+ steps, loss \d", chain.written, re.DOTALL)
    assert re.search(r"(about|at least) \d+ (s|min \d+ s) left", chain.written)
    assert "Reason: " not in chain.written and "Finished jobid" not in chain.written
    log = re.search(r"Complete log\(s\): ([^\s\x1b]+)", chain.written)
    assert "Finished jobid" in Path(log.group(1)).read_text() and "Reason: " in Path(log.group(1)).read_text()


def test_what_was_answered_before_the_kill_was_not_asked_again(chain):
    found = replies(chain.results)
    assert len(dict(found)) == len(found) == 5 * 2 * 2 and chain.kept.items() <= dict(found).items()
    said = [path.read_text() for path in (chain.results / "logs" / "generate_answers").glob("*/*.log")]
    assert sum(int(count) for text in said for count in re.findall(r"(\d+) of them in the journal", text)) == len(
        chain.kept
    )
    assert not [path for path in chain.results.rglob("*") if "partial" in path.name or "spool" in path.name]


def test_every_output_of_the_design_is_there(finished):
    for path in [
        "problems/sources/mine.parquet",
        "problems/shards/00001.parquet",
        "problems/dropped.parquet",
        "answers/high/00000.parquet",
        "groups/00000.parquet",
        "groups/pairs/00000.parquet",
        "groups/adjudicated/00000.parquet",
        "groups/settled/00001.parquet",
        "votes/00001.parquet",
        "judged/medium/00000.parquet",
        "curriculum/long/00000.parquet",
        "curriculum/funnel/short/00001.parquet",
        "checkpoints/final/model.safetensors",
        "checkpoints/final/tokenizer.json",
        "checkpoints/final/chat_template.jinja",
        "training/turbo.parquet",
        "evaluation/final/heldout/judged.parquet",
        *(["evaluation/final/programs/executions.parquet"] if SANDBOX else []),
        "tables/results.csv",
        "tables/results.md",
        "tables/results.tex",
        "tables/funnel.csv",
        "tables/vote_sweep.csv",
        "tables/agreement.csv",
        "tables/contamination.csv",
        "tables/disagreements.csv",
        "manifest.json",
        *(
            f"figures/{name}.{suffix}"
            for name in ("stages", "funnel", "loss", "accuracy_vs_parameters")
            for suffix in ("svg", "png", "pdf")
        ),
    ]:
        assert (finished / path).stat().st_size > 0, path
    assert not list((finished / "training" / "work" / "turbo").glob("checkpoint-*"))


def test_cleaning_dropped_the_copy_and_the_benchmark_twin(finished):
    dropped = pl.read_parquet(finished / "problems/dropped.parquet").select("id", "reason", "twin")
    assert set(dropped.rows()) == {("mine:0", "contaminated", "heldout:1"), ("mine:6", "contaminated", "heldout:1")}


def test_training_lowers_the_loss(finished):
    loss = pl.read_parquet(finished / "training/turbo.parquet")["loss"]
    assert loss[-1] < 0.9 * loss[0]


def test_the_answers_are_the_real_teachers(finished):
    answers = pl.concat([pl.read_parquet(finished / f"answers/medium/0000{n}.parquet") for n in (0, 1)])
    assert answers.height == 5 * 2 and answers["seed"].n_unique() == 10
    assert answers["answer"].drop_nulls().len() >= 8, answers["text"].to_list()


def test_the_model_was_asked_about_pairs_and_its_replies_are_kept(finished):
    asked = pl.concat([pl.read_parquet(finished / f"groups/adjudicated/0000{n}.parquet") for n in (0, 1)])
    assert asked.height and asked["reply"].null_count() == 0
    # 135M parameters seldom write the object asked for: whatever is not it leaves the pair undecided
    assert asked.filter(pl.col("error").is_not_null())["verdict"].unique().to_list() in ([], ["undecided"])
    counted = dict(pl.read_csv(finished / "tables/agreement.csv").rows())
    assert counted["pairs asked"] == asked.height


def test_the_manifest_names_outputs_with_rows(finished):
    outputs = json.loads((finished / "manifest.json").read_text())["outputs"]
    assert outputs["problems/dropped.parquet"]["rows"] == 2
    assert not [path for path in outputs if path.startswith(("logs/", "journals/"))]


def test_the_real_benchmarks_walk_the_same_road(finished):
    if not real_benchmarks():
        pytest.skip("the shared benchmark files are not here")
    table = pl.read_csv(finished / "tables/results.csv")
    for name in real_benchmarks():
        rows = table.filter((pl.col("benchmark") == name) & (pl.col("metric") == "avg@2"))
        assert rows["problems"].to_list() == [2, 2] and rows["value"].is_between(0, 100).all(), name
    if not SANDBOX:
        return
    programs = pl.read_parquet(finished / "evaluation/tiny/humaneval/executions.parquet")
    assert programs.height == 4 and set(programs["status"]) <= {"failed", "timeout"}  # random weights write no program


# opens the part Results, its table, and then a figure, and leaves what a reader sees then in the page
READER = """<script>window.addEventListener("load", () => setTimeout(async () => {
  const wait = milliseconds => new Promise(done => setTimeout(done, milliseconds));
  const part = () => [...document.querySelectorAll("a")].find(link => link.textContent.trim() === "Results");
  const row = name => [...document.querySelectorAll("tr")].find(line => line.textContent.trim() === name);
  const open = name => row(name).querySelector("[iconname=eye]");
  const parts = [...document.querySelectorAll("a")].map(link => link.textContent.trim());
  part().click(); await wait(1000);
  open("results").click(); await wait(1000);
  const table = atob(document.querySelector("iframe").src.split("base64,")[1]);
  open("stages").click(); await wait(1000);
  const figures = [...document.querySelectorAll("img")].filter(image => image.naturalWidth > 100).length;
  const seen = document.createElement("pre"); seen.id = "seen";
  seen.textContent = JSON.stringify({parts, table, figures});
  document.body.append(seen);
}, 1000));</script>"""


def test_the_report_opens_in_a_browser_and_shows_the_table_and_a_figure(finished, tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    page = tmp_path / "report.html"
    done = run_snakemake(finished.parents[1], "--configfile", "tiny.yaml", "--report", str(page))
    assert done.returncode == 0, done.stderr[-2000:]
    before, end, after = page.read_text().rpartition("</body>")
    page.write_text(before + READER + end + after)
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--virtual-time-budget=60000", "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=3600).stdout
    _, _, found = dom.rpartition('<pre id="seen">')
    seen = json.loads(html.unescape(found.partition("</pre>")[0]))
    assert {"Data", "Published", "Results", "Training"} <= set(seen["parts"])
    assert "<td>final</td><td>heldout</td>" in seen["table"] and seen["figures"] >= 1


def test_every_page_of_the_browser_opens_over_the_finished_chain(finished):
    with opened() as watched, serving_pages(finished, "--root", str(finished.parents[1])) as address:
        found = watched.walk(address)
    assert watched.faults == []
    texts = {page.removeprefix(watched.home).partition("?")[0]: text for page, text in found.items()}
    assert {"", "problems", "problem", "benchmarks", "question", "training", "live", "log", "table", "origin"} <= {
        *texts
    }
    assert "ended well" in texts["live"] and "final" in texts["benchmarks"] and "made by" in texts["origin"]


def release(folder, *arguments, code=0):
    command = [sys.executable, str(ROOT / "scripts" / "release.py"), *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_release_is_the_same_twice_and_is_checked_anywhere(finished, tmp_path):
    project = finished.parents[1]
    for name in ("one", "two"):
        release(project, "build", "--config", "tiny.yaml", "--output", tmp_path / f"{name}.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()
    assert release(tmp_path, "verify", "one.tar.gz").endswith(", 0 faults\n")
    with tarfile.open(tmp_path / "one.tar.gz") as archive:
        archive.extractall(tmp_path)  # our own archive; Debian 12's Python 3.11.2 knows no filter yet
    crate = ROCrate(tmp_path / "tiny")
    assert crate.dereference("browse/").type == "Dataset" and (tmp_path / "tiny/browse/index.html").is_file()
    assert crate.mainEntity.id == "workflow/Snakefile" and crate.dereference("tables/results.csv")["sha256"]
    front = yaml.safe_load((tmp_path / "tiny/cards/dataset.md").read_text().split("---\n")[1])
    assert [part["config_name"] for part in front["configs"]] == ["long", "short"]
    front = yaml.safe_load((tmp_path / "tiny/cards/models/final.md").read_text().split("---\n")[1])
    assert {result["dataset"]["name"] for result in front["model-index"][0]["results"]} >= {"heldout"}
    (tmp_path / "tiny/tables/results.csv").write_text("better\n")
    (tmp_path / "tiny/tables/new.csv").write_text("")
    with tarfile.open(tmp_path / "altered.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "tiny", "tiny")
    assert "holds something that is no plain file: tiny" in release(tmp_path, "verify", "altered.tar.gz", code=2)
    with tarfile.open(tmp_path / "altered.tar.gz", "w:gz") as archive:
        for path in sorted((tmp_path / "tiny").rglob("*")):
            if path.is_file() and path.name != "results.tex":
                archive.add(path, path.relative_to(tmp_path))
    said = release(tmp_path, "verify", "altered.tar.gz", code=1)
    for line in ("tables/results.csv: altered", "tables/new.csv: extra", "tables/results.tex: missing"):
        assert line in said
    (tmp_path / "cut.tar.gz").write_bytes((tmp_path / "one.tar.gz").read_bytes()[:-5000])
    assert "is not a whole release" in release(tmp_path, "verify", "cut.tar.gz", code=2)


def test_a_number_is_explained_down_to_its_sources_also_from_a_release(finished, tmp_path, capsys):
    archive = tmp_path / "paper.tar.gz"
    release(finished.parents[1], "build", "--config", "tiny.yaml", "--output", archive)
    rows = pl.read_csv(finished / "tables/results.csv").filter(model="final", benchmark="heldout", metric="avg@2")
    value = rows["value"].item()
    for where in (finished, archive):
        assert audit.main(["explain", str(where), "final heldout avg@2"]) == 0
        told = capsys.readouterr().out
        assert told.startswith(f"# final, heldout, avg@2: {value:.1f} [")
        for heading in ("answers behind it", "checkpoint", "training files", "Votes", "teacher's", "machines", "again"):
            assert heading in told.partition("\n")[2], heading
        assert "| final | sft | turbo | short, long | 7 |" in told and "| generate_answers |" in told
        assert ("is not here; it had sha256" in told) == (where is archive)
        assert ("| not here | not here |" in told) == (where is archive)  # counts of answers that a release lacks
        assert ("audit.py trace" in told) == (where is finished)
        assert (f"`evaluation/final/heldout/judged.parquet`: {value:.4f}." in told) == (where is finished)
    manifest = json.loads((finished / "manifest.json").read_text())["outputs"]
    assert manifest["checkpoints/final/model.safetensors"]["sha256"] in told
    page = tmp_path / "page.html"
    as_page = ["--format", "html", "--output", str(page)]
    assert audit.main(["explain", str(finished), "final heldout difference", *as_page]) == 0
    assert "evaluation/tiny/heldout/answers.parquet" in page.read_text()  # of the baseline too
    for claim, said in (
        ("final heldout", "rows have 'final heldout'.*say also metric"),
        ("final aime99 avg@2", "no row has 'aime99'"),
    ):
        with pytest.raises(UserError, match=f"(?s){said}"):
            audit.main(["explain", str(finished), claim])
    with pytest.raises(UserError, match="tables/none.csv: is not in the manifest\n.*tables/results.csv"):
        audit.main(["explain", str(finished), "x", "--table", "tables/none.csv"])


def test_a_release_is_run_again_as_far_as_it_can_be_here(finished, tmp_path):
    release(
        finished.parents[1], "build", "--config", "tiny.yaml", "--output", tmp_path / "paper.tar.gz", "--problems", 0
    )
    line = [sys.executable, str(ROOT / "scripts" / "reproduce.py"), "paper.tar.gz", "--into", "again", "--cores", "2"]
    done = subprocess.run(line, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "not here: local: tiny" in done.stdout and "not tried, because it is not here: jsonl: " in done.stdout
    told = (tmp_path / "again" / "reproduced.txt").read_text()
    assert told.startswith("8 same bytes, ") and "not run              tables/results.csv" in told
    assert (tmp_path / "again/results/tiny/figures/accuracy_vs_compute.svg").read_bytes() == (
        finished / "figures/accuracy_vs_compute.svg"
    ).read_bytes()


def test_an_upload_lists_what_it_would_send_and_sends_nothing_unasked(finished, monkeypatch):
    project = finished.parents[1]
    said = release(project, "upload", "--config", "tiny.yaml", "--dataset", "me/data")
    assert "short/00000.parquet" in said and "nothing was sent" in said
    said = release(project, "upload", "--config", "tiny.yaml", "--model", "me/model", "--stage", "final")
    assert "model.safetensors" in said and "README.md" in said and "nothing was sent" in said
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    said = release(project, "upload", "--config", "tiny.yaml", "--dataset", "me/data", "--send", code=2)
    assert "error: me/data: the hub did not take it" in said and "Traceback" not in said


def test_a_second_run_does_nothing(finished):
    done = run_snakemake(finished.parents[1], "--cores", "2", "--configfile", "tiny.yaml")
    assert done.returncode == 0 and "Nothing to be done" in done.stdout + done.stderr


def test_a_changed_threshold_reruns_the_labels_and_no_engine(finished):
    project = finished.parents[1]
    changed = (project / "tiny.yaml").read_text().replace("min_votes: 2", "min_votes: 4")
    (project / "changed.yaml").write_text(changed)
    done = run_snakemake(project, "-n", "--quiet", "rules", "--configfile", "changed.yaml")
    text = done.stdout + done.stderr
    assert "vote_and_judge " in text and "generate_answers" not in text and "shard_problems" not in text


def users(graph: set[str]) -> dict[str, set[str]]:
    """Rules by library module and script they run, as Python's own finder follows the imports."""
    found: dict[str, set[str]] = {}
    rules = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    for name, body in re.findall(r"^rule (\w+):\n(.*?)(?=^rule |\Z)", rules, re.MULTILINE | re.DOTALL):
        for script in re.findall(r"\{params\.scripts:q\}/(\w+|train_\{params\.method\})\.py", body):
            # the figures' rules are made in a loop and have no name in the text
            runs = {name} if script != "plot" else {each for each in graph if each.startswith("plot_")}
            path = ROOT / "scripts" / f"{script.replace('{params.method}', 'sft')}.py"
            finder = ModuleFinder(path=[str(ROOT / "scripts")])
            finder.run_script(str(path))
            for module in finder.modules.values():
                if module.__file__:
                    found.setdefault(str(Path(module.__file__).relative_to(ROOT / "scripts")), set()).update(runs)
    return found


def planned(project, *arguments) -> set[str]:
    done = run_snakemake(project, "-n", "--quiet", "rules", "--configfile", "tiny.yaml", *arguments)
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^(\w+) +\d+$", done.stdout + done.stderr, re.MULTILINE)) - {"total"}


# that every other module counts as well, its users' identities show (tests/unit/audit/test_provenance.py)
WITNESSES = ["plot.py", "train_sft.py"] + [
    f"reasonlite/{module}.py" for module in ("core/errors", "judge/grammar", "report/funnel")
]


def test_a_change_in_a_module_reruns_its_users_and_what_follows_and_a_comment_nothing(finished):
    project = finished.parents[1]
    graph = run_snakemake(project, "--rulegraph", "--forceall", "--configfile", "tiny.yaml").stdout
    names = dict(re.findall(r'(\d+)\[label = "(\w+)"', graph))
    after = {name: set() for name in names.values()}
    for source, target in re.findall(r"(\d+) -> (\d+)", graph):
        after[names[source]].add(names[target])
    wrong, rules_by_module = {}, users(set(after))
    for module in WITNESSES:
        wanted = reached = rules_by_module[module] & after.keys()
        while (more := reached | {name for rule in reached for name in after[rule]}) != reached:
            reached = more
        path = project / "scripts" / module
        source = path.read_text()
        try:
            path.write_text(source + "\n# a remark\nMUTATION = 1\n")
            found = planned(project)
        finally:
            path.write_text(source)
        if not wanted or not wanted <= found <= reached:
            wrong[module] = (wanted - found, found - reached)
    assert wrong == {}
    module = project / "scripts" / "reasonlite" / "core" / "errors.py"  # which all of them use
    module.write_text(module.read_text().replace('"""What a user', '"""  # What\n\na user') + "\n# a remark\n")
    assert planned(project) == set()


@pytest.fixture(scope="module")
def audited(finished, tmp_path_factory) -> Project:
    """A copy that may be changed; the models, which no change here touches, are links to the same files."""
    project, copy = finished.parents[1], tmp_path_factory.mktemp("audited") / "project"
    linked = {finished / "models", finished / "checkpoints"}
    left = shutil.ignore_patterns("__pycache__", "models", "checkpoints")
    shutil.copytree(project, copy, ignore=lambda at, names: left(at, names) if Path(at) == finished else [])
    for folder in linked:
        shutil.copytree(folder, copy / folder.relative_to(project), copy_function=os.link)
    return Project(copy, "tiny", "tiny.yaml")


# all of them are made one after the other in test_changes.py
HANDFUL = ["only times", "a vote threshold", "a function of the library", "a published figure", "a table on disk"]


@pytest.mark.parametrize("name", HANDFUL)
def test_the_audit_names_what_changed_and_why(audited, name):
    check(audited, *next(change for change in CHANGES if change[0] == name))
