"""Our graders called by the libraries that they are made for; those live in an environment of their own.

`make test-peers` makes it and runs these; elsewhere they are skipped.
"""

import pytest

ROWS = [  # reply, gold, equal
    (r"<think>\boxed{2}?</think>So it is \boxed{\frac{1}{2}}.", "0.5", True),
    (r"The answer is \boxed{3}.", "4", False),
    (r"\boxed{5\text{ apples}}", r"5\text{ pears}", False),  # undecided
    (r"<think>I think \boxed{7}", "7", False),  # cut off
]


def test_inspect_scores_a_task_with_it(tmp_path):
    inspect_ai = pytest.importorskip("inspect_ai", reason="Inspect is not installed here; make test-peers")
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    from reasonlite.judge.graders import inspect_scorer

    replies = [ModelOutput.from_content("mockllm/model", reply) for reply, _, _ in ROWS]
    for reply in replies:  # or Inspect counts tokens, for which it asks the network
        reply.usage = ModelUsage(input_tokens=1, output_tokens=1)
    task = inspect_ai.Task([Sample(input="?", target=gold) for _, gold, _ in ROWS], scorer=inspect_scorer())
    (log,) = inspect_ai.eval(
        task, model=get_model("mockllm/model", custom_outputs=replies), max_connections=1, max_samples=1,
        display="none", log_dir=str(tmp_path),
    )  # fmt: skip
    assert log.status == "success", log.error
    scores = [sample.scores["reasonlite"] for sample in log.samples]
    assert [score.value for score in scores] == ["C", "I", "I", "N"]
    assert [score.metadata["verdict"] for score in scores] == ["equal", "different", "undecided", "different"]
    assert scores[0].answer == r"\frac{1}{2}" and scores[2].explanation == "undecided: units"
    accuracy = {metric.name: metric.value for metric in log.results.scores[0].metrics.values()}["accuracy"]
    assert accuracy == pytest.approx(0.25)


def test_lighteval_applies_it_as_a_metric():
    metrics = pytest.importorskip("lighteval.metrics", reason="lighteval is not installed here; make test-peers")
    from lighteval.models.model_output import ModelResponse
    from lighteval.tasks.requests import Doc

    from reasonlite.judge.graders import lighteval_metric

    metric = lighteval_metric()
    docs = [Doc(query="?", choices=[gold, "no answer like it"], gold_index=[0]) for _, gold, _ in ROWS]
    responses = [ModelResponse(text=[reply]) for reply, _, _ in ROWS]
    found = metrics.apply_metric(responses, docs, [metric])
    assert [row["reasonlite_equivalence"] for row in found] == [1.0, 0.0, 0.0, 0.0]
    halves = metrics.apply_metric([ModelResponse(text=[r"\boxed{0.5}", "1"])], docs[:1], [metric])
    assert halves == [{"reasonlite_equivalence": 0.5}]
    (corpus,) = metric.get_corpus_aggregations().values()
    assert corpus([row["reasonlite_equivalence"] for row in found]) == 0.25
