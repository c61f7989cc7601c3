"""Dry runs: every config plans, every mistake stops with a plain message, identities see what they must."""

import re

import pytest
import yaml
from running import ROOT, run_snakemake

CONFIGS = sorted({path.name for path in (ROOT / "config").glob("*.yaml")} - {"schema.yaml", "rates.yaml"})


@pytest.mark.parametrize("config", CONFIGS)
def test_every_config_plans(project, config, request):
    if "data/outputs" in (project / "config" / config).read_text() and not (project / "data").exists():
        (project / "data").symlink_to(request.getfixturevalue("shared_data"))  # or it is skipped
    done = run_snakemake(project, "-n", "--quiet", "rules", "--configfile", f"config/{config}")
    assert done.returncode == 0, done.stderr
    assert ("take_answers" if config == "regrade.yaml" else "generate_answers") in done.stdout + done.stderr


def demo():
    return yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())


def test_mistakes_stop_the_run_before_any_job(project):
    """Unknown key, impossible value, absent column, missing file: together, because starting Snakemake is dear."""
    raw = demo()
    raw["vote"] = {}
    raw["labels"]["min_share"] = 1.5
    raw["problems"]["shards"] = 0
    (project / "bad.yaml").write_text(yaml.safe_dump(raw))
    done = run_snakemake(project, "-n", "--configfile", "bad.yaml")
    assert done.returncode != 0
    text = done.stdout + done.stderr
    for message in (
        "vote: no such key",
        "labels.min_share: Input should be less than",
        "problems.shards: Input should",
    ):
        assert message in text
    assert "Traceback" not in text


def test_an_absent_column_in_a_filter_is_named(project):
    raw = demo()
    raw["strata"]["short"]["filter"] = "corect"
    (project / "bad.yaml").write_text(yaml.safe_dump(raw))
    done = run_snakemake(project, "-n", "--configfile", "bad.yaml")
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "strata.short.filter: names the column 'corect'" in done.stdout + done.stderr


def test_a_defective_input_fails_its_job_with_the_line(project):
    """A JSON line that does not parse: the job's message reaches the user, nothing half-written stays."""
    raw = demo() | {"experiment": "defect"}
    (project / "bad.jsonl").write_text('{"problem": "1+1?", "answer": "2"}\n{"problem": \n')
    raw["problems"]["sources"] = {"mine": {"kind": "jsonl", "path": "bad.jsonl"}}
    (project / "bad.yaml").write_text(yaml.safe_dump(raw))
    target = "results/defect/problems/sources/mine.parquet"
    done = run_snakemake(project, "--cores", "1", "--configfile", "bad.yaml", "--", target)
    assert done.returncode != 0
    assert "bad.jsonl: line 2: is not JSON" in done.stdout + done.stderr
    folder = project / "results/defect/problems/sources"
    assert not folder.exists() or not list(folder.iterdir())


def test_params_identity_stands_in_every_rule_that_runs(project):
    """A rule without it would not notice a changed library module."""
    for file in sorted((project / "rules").glob("*.smk")):
        for rule in re.split(r"^ *rule\b", file.read_text(), flags=re.MULTILINE)[1:]:
            if "shell:" in rule and "output:" in rule and "temp(" not in rule:  # what is looked at anew every time
                assert "identity=" in rule and "log:" in rule and "benchmark:" in rule, (
                    f"{file.name}: {rule.split(':')[0]}"
                )


PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "config" / "README.md", ROOT / "profiles" / "README.md"]
)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_name_only_what_exists(page):
    """Paths in backticks and links without an address stand in the repository (results excepted)."""
    text = page.read_text()
    named = re.findall(r"`((?:config|scripts|rules|envs|profiles|tests|docs)/[\w./-]+)`", text)
    named += re.findall(r"`python ((?:scripts|tests)/[\w./-]+\.py)", text)
    made_by_users = {"config/mine.yaml", "envs/image.sif"}
    places = (ROOT, ROOT / "scripts" / "reasonlite")
    missing = [path for path in {*named} - made_by_users if not any((place / path).exists() for place in places)]
    linked = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    assert not missing + [path for path in linked if not (page.parent / path).exists()]


def test_the_map_names_every_rule_and_no_file_that_is_not_there():
    """docs/architecture.md, by which a newcomer finds the rule, the script and the module of an output."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = [line.split(" | ") for line in page.split("## The rooms")[0].splitlines() if line.startswith("| `")]
    rows += [line.split(" | ") for line in page.splitlines() if line.startswith("| `…/")]
    for _, _, scripts, modules in rows:
        for name in re.findall(r"`([\w/]+\.py)`", scripts):
            assert (ROOT / "scripts" / name).is_file(), name
        for name in re.findall(r"`([\w/]+\.py)`", modules):
            assert (ROOT / "scripts" / "reasonlite" / name).is_file(), name
    texts = {path.name: path.read_text() for path in (ROOT / "rules").glob("*.smk")}
    named = {rule for _, rules, _, _ in rows for rule in re.findall(r"`([a-z_]+)`", rules)}
    with_outputs = {
        rule
        for text in texts.values()
        for rule, body in re.findall(r"^rule (\w+):\n(.*?)(?=^rule |\Z)", text, re.MULTILINE | re.DOTALL)
        if "output:" in body
    }
    assert with_outputs - named <= {"tabulate_published", "tabulate_sweep", "tabulate_agreement"}
    for _, rules, _, _ in rows:
        for rule, file in re.findall(r"`([a-z_]+)`, `(\w+\.smk)`", rules):
            assert f"rule {rule}:" in texts[file], (rule, file)


def test_a_model_that_judges_too_brings_its_rules_and_tables(project):
    raw = demo()
    raw["labels"] |= {"judge": "llm", "adjudicator": {"sampling": {"temperature": 0, "max_tokens": 64}}}
    (project / "llm.yaml").write_text(yaml.safe_dump(raw))
    done = run_snakemake(project, "-n", "--quiet", "rules", "--configfile", "llm.yaml")
    planned = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE))
    shards = str(raw["problems"]["shards"])
    assert planned["adjudicate"] == planned["settle_groups"] == shards and planned["tabulate_agreement"] == "1"


def test_the_published_table_and_figures_need_nothing_else(project):
    done = run_snakemake(project, "-n", "--configfile", "config/paper.yaml", "--quiet", "rules", "--", "published")
    planned = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE))
    assert set(planned) == {
        "plot_accuracy_vs_compute",
        "plot_accuracy_vs_parameters",
        "published",
        "tabulate_published",
        "total",
    }


def test_tables_and_figures_are_made_of_what_exists_and_start_no_engine(project):
    """Evaluation tables alone, copied in: their tables and figures, and the published ones."""
    raw = demo() | {"experiment": "copied"}
    (project / "copied.yaml").write_text(yaml.safe_dump(raw))
    for model in ("smollm2", "turbo", "final"):
        path = project / "results" / "copied" / "evaluation" / model / "heldout" / "judged.parquet"
        path.parent.mkdir(parents=True)
        path.touch()
    done = run_snakemake(project, "-n", "--configfile", "copied.yaml", "--quiet", "rules", "--", "figures", "tables")
    planned = set(re.findall(r"^(\w+) +\d+$", done.stdout + done.stderr, flags=re.MULTILINE)) - {"total"}
    drawn = {f"plot_{name}" for name in ("stages", "pass_at_k", "budget", "compute")}
    published = {"plot_accuracy_vs_parameters", "plot_accuracy_vs_compute", "tabulate_published"}
    assert planned == {"figures", "tables", "tabulate_results", *drawn, *published}


def test_the_demo_says_what_it_will_do(project):
    done = run_snakemake(project, "-n", "--quiet", "rules")
    stats = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE))
    shards = demo()["problems"]["shards"]
    assert int(stats["generate_answers"]) == 2 * shards and int(stats["train"]) == 2
