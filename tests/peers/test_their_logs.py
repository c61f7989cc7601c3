"""Logs that the other programs themselves write, taken in by one command of ours that ends in the tables.

`make test-peers` makes the environment of those programs and runs this; elsewhere it is skipped.
"""

import csv
import json
import os
import subprocess
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROBLEMS = [  # problem, label, reply, right by our rules
    ("What is one half of one, as a decimal number?", "0.5", r"Half of it: \boxed{\frac{1}{2}}", True),
    ("How many sides does a square have, all told?", "4", "It has four of them. The answer is 4.", True),
    ("What is two plus two, in the usual numbers?", "4", "The answer is 5.", False),
    ("Which number comes right after nineteen here?", "20", "I do not know.", False),
]
MODELS = ("by_lm_eval", "by_inspect", "by_lighteval")
TASK = {
    "task": "little",
    "dataset_path": "json",
    "output_type": "generate_until",
    "test_split": "test",
    "doc_to_text": "Question: {{problem}}\nAnswer:",
    "doc_to_target": "{{answer}}",
    "generation_kwargs": {"until": ["\n\n"], "do_sample": False, "max_gen_toks": 64},
    "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    "filter_list": [
        {"name": name, "filter": [{"function": "regex", "regex_pattern": pattern}, {"function": "take_first"}]}
        for name, pattern in (("strict-match", r"answer is (\-?[0-9\.]+)\."), ("flexible", r"(-?[0-9]+)"))
    ],
    "metadata": {"version": 1.0},
}


def reply_to(prompt):
    return next(reply for problem, _, reply, _ in PROBLEMS if problem in prompt)


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "little.jsonl"
    rows = [{"id": number, "problem": text, "answer": label} for number, (text, label, *_) in enumerate(PROBLEMS)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def lm_eval_log(benchmark, tmp_path_factory):
    pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed here; make test-peers")
    import lm_eval
    import lm_eval.tasks
    from lm_eval.api.model import LM
    from lm_eval.loggers import EvaluationTracker

    class Told(LM):
        """A model that gives the replies above."""

        def generate_until(self, requests, disable_tqdm=False):
            return [reply_to(request.args[0]) for request in requests]

        def loglikelihood(self, requests, disable_tqdm=False):
            raise NotImplementedError

        loglikelihood_rolling = loglikelihood

    folder = tmp_path_factory.mktemp("lm_eval")
    tracker = EvaluationTracker(output_path=str(folder))
    task = TASK | {"dataset_kwargs": {"data_files": {"test": str(benchmark)}}}
    manager = lm_eval.tasks.TaskManager(include_defaults=False)
    found = lm_eval.simple_evaluate(
        Told(), tasks=[task], log_samples=True, evaluation_tracker=tracker, bootstrap_iters=0, task_manager=manager
    )
    samples = found.pop("samples")
    tracker.save_results_aggregated(results=found, samples=samples)
    tracker.save_results_samples("little", samples["little"])
    return next(folder.rglob("samples_little_*.jsonl"))


@pytest.fixture(scope="module")
def inspect_log(tmp_path_factory):
    inspect_ai = pytest.importorskip("inspect_ai", reason="Inspect is not installed here; make test-peers")
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import match
    from inspect_ai.solver import generate, prompt_template

    def outputs():
        for _, _, reply, _ in PROBLEMS:
            output = ModelOutput.from_content("mockllm/model", reply)
            output.usage = ModelUsage(input_tokens=5, output_tokens=3)  # or it asks the network for a tokenizer
            yield output

    task = inspect_ai.Task(
        [Sample(id=number, input=text, target=label) for number, (text, label, *_) in enumerate(PROBLEMS)],
        solver=[prompt_template("Solve this.\n\n{prompt}"), generate()],
        scorer=match(numeric=True),
    )
    (log,) = inspect_ai.eval(
        task, model=get_model("mockllm/model", custom_outputs=list(outputs())), max_connections=1, max_samples=1,
        display="none", log_dir=str(tmp_path_factory.mktemp("inspect")), log_format="eval",
    )  # fmt: skip
    assert log.status == "success", log.error
    return Path(log.location.removeprefix("file://"))


@pytest.fixture(scope="module")
def lighteval_log(tmp_path_factory):
    pytest.importorskip("lighteval", reason="lighteval is not installed here; make test-peers")
    from lighteval.logging.evaluation_tracker import EvaluationTracker
    from lighteval.metrics.metrics import Metrics
    from lighteval.models.abstract_model import ModelConfig
    from lighteval.models.model_output import ModelResponse
    from lighteval.tasks.requests import Doc, SamplingMethod

    folder = tmp_path_factory.mktemp("lighteval")
    tracker = EvaluationTracker(output_dir=str(folder), save_details=True)
    tracker.general_config_logger.log_model_info(ModelConfig(model_name="told/model"))
    metric = Metrics.expr_gold_metric.value
    for number, (text, label, reply, _) in enumerate(PROBLEMS):
        doc = Doc(query=f"Solve.\n{text}", choices=[label], gold_index=0, task_name="little|0", id=str(number),
                  sampling_methods=[SamplingMethod.GENERATIVE])  # fmt: skip
        response = ModelResponse(input=doc.query, text=[reply], output_tokens=[[1, 2, 3]])
        score = metric.compute_sample(doc=doc, model_response=response)
        tracker.details_logger.log("little|0", doc, response, score)
        tracker.metrics_logger.log("little|0", score)
    task = types.SimpleNamespace(aggregation=metric.get_corpus_aggregations)
    tracker.metrics_logger.aggregate({"little|0": task}, bootstrap_iters=0)
    tracker.details_logger.aggregate()
    tracker.save()
    return next(folder.rglob("details_little*.parquet"))


@pytest.fixture(scope="module")
def tables(benchmark, lm_eval_log, inspect_log, lighteval_log, tmp_path_factory):
    """The tables of one run over the three logs, in a folder of its own."""
    folder = tmp_path_factory.mktemp("run")
    logs = {
        MODELS[0]: {"kind": "lm_eval", "paths": [str(lm_eval_log)], "filter": "strict-match"},
        MODELS[1]: {"kind": "inspect", "paths": [str(inspect_log)]},
        MODELS[2]: {"kind": "lighteval", "paths": [str(lighteval_log)]},
    }
    config = {
        "experiment": "bridge",
        "seed": 1,
        "evaluation": {
            "answers_per_problem": 1, "pass_at": [1], "baseline": "by_lm_eval", "resamples": 200,
            "graders": ["equality", "own"],
            "benchmarks": {"little": {"source": {"kind": "jsonl", "path": str(benchmark)}}},
            "models": [{"model": name, "recorded": {"little": log}} for name, log in logs.items()],
        },
    }  # fmt: skip
    (folder / "bridge.json").write_text(json.dumps(config))  # JSON is YAML
    binaries = ROOT / ".venv" / "bin"
    around = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    around["PATH"] = f"{binaries}:{around['PATH']}"
    done = subprocess.run(
        [binaries / "snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", "bridge.json", "--cores", "2"],
        cwd=folder, env=around, capture_output=True, text=True, timeout=3600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "results" / "bridge"


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_log_ends_in_the_tables_with_its_own_verdicts_beside_ours(tables):
    by = {(row["model"], row["grader"]): row for row in read(tables / "tables" / "graders.csv")}
    assert [by[model, "rules"]["accuracy"] for model in MODELS] == ["50.0000"] * 3
    # the harness wants the words "answer is", and the half is boxed; the others' rules take fractions or do not
    assert by["by_lm_eval", "own"]["accuracy"] == "25.0000" and by["by_lm_eval", "own"]["rejects"] == "1"
    explained = [row for row in read(tables / "tables" / "explained.csv") if row["left"] == "by_lm_eval: own"]
    parts = {row["part"]: float(row["value"]) for row in explained}
    assert parts["whole"] == 25.0 == sum(value for part, value in parts.items() if part != "whole")


def test_settings_and_scores_of_the_runs_are_kept(tables):
    facts = {name: json.loads((tables / "evaluation" / name / "little" / "log.json").read_text()) for name in MODELS}
    assert facts["by_lm_eval"]["settings"]["generation"]["max_gen_toks"] == 64
    assert facts["by_lm_eval"]["settings"]["version"] == 1.0
    assert facts["by_inspect"]["settings"]["model"] == "mockllm/model"
    assert facts["by_lighteval"]["settings"]["model"] == "told/model"
    for each in facts.values():
        assert each["stated"] == [pytest.approx(each["own"])] and each["labels that differ"] == []


def test_inspects_library_lists_and_reads_what_we_give_out(tables, tmp_path):
    from inspect_ai.log import list_eval_logs, read_eval_log

    command = [ROOT / ".venv" / "bin" / "python", ROOT / "scripts" / "exchange.py", "give-inspect", tables]
    named = ["--model", "by_lm_eval", "--benchmark", "little", "--output", tmp_path / "given"]
    subprocess.run([*command, *named], check=True)
    (listed,) = list_eval_logs(str(tmp_path / "given"))  # its viewer shows what is listed
    assert listed.task == "little"
    log = read_eval_log(listed)
    assert log.eval.metadata["drawn"]["settings"]["generation"]["max_gen_toks"] == 64
    assert log.status == "success" and log.results.scores[0].metrics["accuracy"].value == 0.5
    assert [sample.scores["reasonlite"].value for sample in log.samples] == ["C", "C", "I", "N"]
    assert [sample.output.completion for sample in log.samples] == [reply for _, _, reply, _ in PROBLEMS]


def test_the_reader_of_inspect_logs_reads_what_the_library_reads(inspect_log):
    from inspect_ai.log import read_eval_log

    script = (
        "import json, sys; from pathlib import Path; from pydantic import TypeAdapter\n"
        "from reasonlite.config.recorded import Log; from reasonlite.exchange.logs import open_log\n"
        "path = Path(sys.argv[1]); log = {'kind': 'inspect', 'paths': [str(path)]}\n"
        "opened = open_log(path, TypeAdapter(Log).validate_python(log))\n"
        "print(json.dumps([[row.texts[0], row.reply, row.number, row.score, row.tokens] for row in opened.rows]))\n"
    )
    around = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "python", "-c", script, inspect_log],
        env=around, capture_output=True, text=True, check=True,
    )  # fmt: skip
    scores = {"C": 1.0, "I": 0.0}
    wanted = [
        [sample.input, sample.output.completion, sample.epoch - 1, scores[sample.scores["match"].value],
         sample.output.usage.output_tokens]
        for sample in read_eval_log(str(inspect_log)).samples
    ]  # fmt: skip
    assert sorted(json.loads(done.stdout)) == sorted(wanted)
