"""Scores in the forms that the hub reads, checked by its own library."""

import pytest
import yaml
from running import ROOT

from reasonlite.audit import scores
from reasonlite.config.experiment import parse_config
from reasonlite.core.schemas import RESULTS
from reasonlite.core.tables import frame_of


@pytest.fixture
def made(tmp_path):
    rows = [
        ("final", "aime24", "avg@16", 28.54, 20.0, 37.1, 30, 16),
        ("final", "aime24", "pass@16", 60.0, 50.0, 70.0, 30, 16),
        ("final", "heldout", "avg@16", 50.0, 40.0, 60.0, 30, 16),
        ("turbo", "aime24", "avg@16", 1.0, 0.0, 2.0, 30, 16),
    ]
    (tmp_path / "tables").mkdir()
    frame_of(rows, RESULTS).write_csv(tmp_path / "tables" / "results.csv")
    raw = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())
    hub = {"kind": "hub", "repo": "math-ai/aime24", "revision": "abc123", "files": ["*.parquet"]}
    raw["evaluation"]["benchmarks"]["aime24"] = {"source": hub, "hub_task": "aime_2024"}
    return parse_config(raw), tmp_path


def test_model_index_names_the_hubs_data_sets(made):
    from huggingface_hub.repocard_data import model_index_to_eval_results

    name, entries = model_index_to_eval_results(scores.model_index(*made, "final"))
    assert name == "final"
    told = [(e.dataset_type, e.dataset_revision, e.metric_type, e.metric_value) for e in entries]
    assert told == [("math-ai/aime24", "abc123", "avg@16", 28.54), ("heldout", None, "avg@16", 50.0)]
    assert scores.model_index(*made, "nobody") == []


def test_eval_results_has_a_file_for_each_benchmark_that_is_on_the_hub(made):
    from huggingface_hub import parse_eval_result_entries

    ((path, text),) = scores.eval_results(*made, "final").items()
    (entry,) = parse_eval_result_entries(yaml.safe_load(text))
    assert path == ".eval_results/aime24.yaml"
    assert (entry.dataset_id, entry.task_id, entry.value) == ("math-ai/aime24", "aime_2024", 28.54)
    assert entry.dataset_revision == "abc123" and "avg@16, 95% interval 20.0 to 37.1" in entry.notes


def test_a_local_copy_counts_as_the_data_set_that_the_config_says_it_is(made):
    config, results = made
    local = config.evaluation.benchmarks["heldout"].model_copy(update={"hub_dataset": "me/heldout"})
    benchmarks = config.evaluation.benchmarks | {"heldout": local}
    named = config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"benchmarks": benchmarks})})
    assert list(scores.eval_results(named, results, "final")) == [
        ".eval_results/aime24.yaml",
        ".eval_results/heldout.yaml",
    ]
