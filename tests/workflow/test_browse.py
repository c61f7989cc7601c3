"""The pages of scripts/browse.py in a real Chromium: hostile texts, keys and strokes, static files, a run under way."""

import json
import os
import signal
import subprocess
import time

import polars as pl
import pytest
import yaml
from browsing import BROWSE, CHROMIUM, opened, serving_pages
from PIL import Image
from running import environment
from small_run import HOSTILE, small_run

from reasonlite.audit import manifest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.full,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small run with an earlier state: other verdicts, labels, cells and another picture."""
    root = tmp_path_factory.mktemp("project")
    results = small_run(root / "results" / "small")
    (root / ".snakemake" / "metadata").mkdir(parents=True)
    Image.new("RGB", (90, 60), "white").save(results / "figures" / "stages.png")
    manifest.write(results, root)
    Image.new("RGB", (90, 60), "red").save(results / "figures" / "stages.png")
    table = results / "tables" / "results.csv"
    table.write_text(table.read_text().replace("40.0", "41.0"))
    flipped = ~pl.col("correct_vote").fill_null(True)
    altered = {"judged/high/00000": {"correct_vote": flipped, "answer": pl.lit(HOSTILE[1])}}
    altered["votes/00000"] = {"label": pl.lit(HOSTILE[2])}
    for name, columns in altered.items():
        path = results / f"{name}.parquet"
        pl.read_parquet(path).with_columns(**columns).write_parquet(path)
    manifest.write(results, root)
    return results


@pytest.fixture(scope="module")
def chromium():
    with opened() as watched:
        yield watched


def test_hostile_texts_do_nothing_on_any_page(small, chromium):
    with serving_pages(small) as address:
        found = chromium.walk(address)
    assert chromium.faults == []
    views = {page.split("?")[0].rpartition("/")[2] for page in found}
    wanted = {"", "problems", "problem", "benchmarks", "question", "training", "live", "log", "answer", "table"}
    assert wanted | {"states", "origin"} <= views
    shown = "\n".join(found.values())
    for text in HOSTILE[:4]:
        assert text in shown
    assert "U+202E" in shown and "{{ 7 * 7 }}" in shown


def test_static_pages_opened_as_files_do_as_much(small, chromium, tmp_path):
    command = [*BROWSE, str(small), "--export", str(tmp_path / "pages")]
    said = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout
    assert said.endswith(" pages\n") and "index.html: " in said
    found = chromium.walk((tmp_path / "pages" / "index.html").as_uri())
    assert chromium.faults == [] and len(found) > 20
    page = chromium.page
    page.goto((tmp_path / "pages" / "problems.html").as_uri())
    assert (
        page.inner_text("#count") == "4"
        and page.evaluate("getComputedStyle(document.querySelector('.chips')).display") == "flex"
    )
    for first in ("pol:<b>3</b>", "pol:2"):  # upwards, then downwards
        page.click("button[data-sort='0']")
        assert page.inner_text("#list tbody tr:first-child th") == first
    bars = page.locator("svg.bars a")
    titles = [bars.nth(place).get_attribute("aria-label") for place in range(bars.count())]
    assert len(titles) > 20 and any(title.startswith("true") for title in titles)
    for place, title in enumerate(titles):  # each bar shows as many rows as it says
        bars.nth(place).click()
        assert page.inner_text("#count") == title.rpartition(": ")[2], title
        page.click(".chips button")
        assert page.inner_text("#count") == "4"


def test_a_stroke_a_bar_and_keys_lead_where_they_say(small, chromium):
    page = chromium.page
    with serving_pages(small) as address:
        home = address.partition("?")[0]
        page.set_viewport_size({"width": 1280, "height": 900})
        chromium.begin(address)
        page.goto(f"{home}problems")
        bars = page.locator("svg.bars[data-column=tokens] a")
        first, last = bars.first.bounding_box(), bars.last.bounding_box()
        page.mouse.move(first["x"] + 1, first["y"] + 20)
        page.mouse.down()
        page.mouse.move(last["x"] + last["width"] - 1, last["y"] + 20, steps=5)
        page.mouse.up()
        page.wait_for_url("**/problems?is.tokens=*")
        assert page.inner_text("#count") == "4" and page.locator(".chip").count() == 1
        page.locator("svg.bars[data-column=longest] a").first.click()
        page.wait_for_url("**is.longest=*")
        page.keyboard.press("/")
        page.keyboard.type("length(id) = 5")
        page.keyboard.press("Enter")
        page.wait_for_url("**where=*")
        assert int(page.inner_text("#count")) >= 1 and page.locator(".chip").count() == 2
        page.goto(f"{home}problems?where=id+%3D+'pol:0'")
        page.locator("#list tbody a").click()
        page.wait_for_url("**/problem?id=pol%3A0")
        page.keyboard.press("j")
        page.wait_for_url("**id=pol%3A1")
        page.keyboard.press("ArrowLeft")
        page.wait_for_url("**id=pol%3A0")
        page.goto(f"{home}states")
        over = page.locator(".slide .over").first
        for part, left in (("20", "80%"), ("100", "0%")):
            page.locator(".slider input").first.fill(part)
            assert over.evaluate("each => getComputedStyle(each).clipPath").endswith(f" {left})")
        page.goto(f"{home}problem?id=pol:0")
        page.locator("details.reasoning summary").first.click()
        assert page.locator("details.reasoning").first.get_attribute("open") is not None
    assert chromium.faults == []


def test_a_port_that_is_taken_is_told(small):
    with serving_pages(small) as address:
        port = address.split(":")[2].split("/")[0]
        done = subprocess.run(
            [*BROWSE, str(small), "--port", port, "--no-open"], env=environment(), capture_output=True, text=True
        )
    assert done.returncode == 2 and f"127.0.0.1:{port}: cannot be listened on" in done.stderr
    assert "--port 0" in done.stderr


@pytest.fixture
def experiment(project):
    """An experiment that judges answers drawn elsewhere: no engine, some seconds."""
    problems = [{"id": str(n), "problem": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(20)]
    (project / "held.jsonl").write_text("".join(json.dumps(row) + "\n" for row in problems))
    models = []
    for model in ("one", "two", "three"):
        rows = [{"question": row["problem"], "reply": f"\\boxed{{{row['answer']}}}"} for row in problems]
        (project / f"{model}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        log = {"kind": "rows", "paths": [f"{model}.jsonl"], "columns": {"problem": "question", "reply": "reply"}}
        models.append({"model": model, "recorded": {"held": log}})
    source = {"kind": "jsonl", "path": "held.jsonl"}
    evaluation = {
        "answers_per_problem": 1,
        "pass_at": [1],
        "baseline": "one",
        "benchmarks": {"held": {"source": source}},
        "models": models,
        "resamples": 100,
    }
    config = {"experiment": "looked", "seed": 1, "evaluation": evaluation}
    (project / "looked.yaml").write_text(yaml.safe_dump(config))
    return project


def test_a_run_is_seen_while_it_goes_on_and_when_it_was_killed(experiment, chromium):
    command = ["snakemake", "--cores", "1", "--configfile", "looked.yaml"]
    results = experiment / "results" / "looked"
    with (experiment / "looked.log").open("w") as output:
        run = subprocess.Popen(command, cwd=experiment, env=environment(), stdout=output, stderr=output)
        try:
            while not (results / "logs" / "run.json").exists():
                assert run.poll() is None, (experiment / "looked.log").read_text()[-3000:]
                time.sleep(0.1)
            with serving_pages(results) as address:
                page = chromium.page
                chromium.begin(address)
                page.goto(address.partition("?")[0] + "live")
                page.wait_for_selector(".state.runs", timeout=600_000)
                assert "under way" in page.inner_text(".state") and chromium.checked()
                page.wait_for_selector(".state.done", timeout=1_800_000)  # without a reload by us
                assert "ended well" in page.inner_text(".state")
                texts = chromium.walk(page.url.replace("live", ""))
                assert any("what it was made from" in text or "tabulate_results" in text for text in texts.values())
                assert run.wait() == 0
                killed(experiment, command, page)
        finally:
            run.kill()
    assert chromium.faults == []


def killed(project, command, page):
    """Begin another run, end it without a word, and see that this shows."""
    with (project / "looked.log").open("w") as output:
        surroundings = {"env": environment(), "stdout": output, "stderr": output, "start_new_session": True}
        run = subprocess.Popen([*command, "--forceall"], cwd=project, **surroundings)
    page.goto(page.url.partition("?")[0].rpartition("/")[0] + "/live")
    while "under way" not in page.inner_text("#live"):
        assert run.poll() is None, (project / "looked.log").read_text()[-3000:]
        page.reload()
        time.sleep(0.2)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    page.wait_for_selector(".state.gone", timeout=600_000)
    assert "ended without a word" in page.inner_text(".state")
