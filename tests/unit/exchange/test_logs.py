"""Other programs' logs as recorded answers: each form, the problem a row is about, and everything that can be wrong.

The files here have the documented forms; tests/peers makes such logs with the programs themselves.
"""

import gzip
import json
import zipfile

import polars as pl
import pytest
from pydantic import TypeAdapter

from reasonlite.config.recorded import Log
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import ANSWERS, JUDGED, PROBLEMS, TAKEN
from reasonlite.core.tables import frame_of, write_table
from reasonlite.exchange.inspect_out import give
from reasonlite.exchange.taking import take
from reasonlite.labels.groups import group
from reasonlite.labels.judged import judge

ADAPTER = TypeAdapter(Log)
TEXTS = ["What is one half of one?", "How many sides does a square have?"]
PROBLEM_ROWS = [("b:0", "b", TEXTS[0], "0.5"), ("b:1", "b", TEXTS[1], "4")]
BENCHMARK = frame_of(PROBLEM_ROWS, PROBLEMS)
REPLIES = [r"<think>half</think>\boxed{\frac12}", r"It has five: \boxed{5}"]


def log_of(path, kind="rows", **settings):
    return ADAPTER.validate_python({"kind": kind, "paths": [str(path)]} | settings)


def sample(place, reply, score, **changed):
    return {
        "doc_id": place, "doc": {"question": TEXTS[place], "answer": "?"}, "target": PROBLEM_ROWS[place][3],
        "arguments": {"gen_args_0": {"arg_0": f"Q: {TEXTS[place]}\nA:", "arg_1": {"temperature": 0.0, "until": []}}},
        "resps": [[reply]], "filtered_resps": [reply[-2:]], "filter": "strict", "metrics": ["exact_match"],
        "exact_match": score,
    } | changed  # fmt: skip


def lm_eval_log(folder, rows, score=0.5, name="samples_b_2026-11-26T10-00-00.000001.jsonl"):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    results = {"results": {"b": {"exact_match,strict": score}}, "n-shot": {"b": 0}, "versions": {"b": 1},
               "config": {"model": "vllm", "gen_kwargs": {"temperature": 0}}, "lm_eval_version": "0.4.13"}  # fmt: skip
    (folder / "results_2026-11-26T10-00-00.000001.json").write_text(json.dumps(results))
    return path


SAMPLES = [sample(0, REPLIES[0], 1.0), sample(1, REPLIES[1], 0.0)]


def test_lm_eval_samples_keep_their_own_verdicts_and_settings(tmp_path):
    taken = take(log_of(lm_eval_log(tmp_path, SAMPLES), "lm_eval"), BENCHMARK)
    assert taken.answers.schema == ANSWERS and taken.rows.schema == TAKEN
    assert taken.answers["answer"].to_list() == [r"\frac12", "5"]
    assert taken.rows["score"].to_list() == [1.0, 0.0] and taken.rows["prompt"][1].startswith("Q: How many")
    assert taken.rows["place"][1].endswith("line 2")
    assert taken.facts["settings"]["harness"] == "0.4.13" and taken.facts["settings"]["metric"] == "exact_match"
    assert taken.facts["stated"] == [0.5] and taken.facts["own"] == 0.5 and taken.facts["labels that differ"] == []


def test_lm_eval_draws_of_one_request_are_answers_of_their_own_without_a_verdict(tmp_path):
    rows = [sample(place, "", 1.0, resps=[[REPLIES[0], REPLIES[1]]]) for place in (0, 1)]
    taken = take(log_of(lm_eval_log(tmp_path, rows), "lm_eval"), BENCHMARK)
    assert taken.answers["number"].to_list() == [0, 1, 0, 1] and taken.rows["score"].null_count() == 4


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        ([], {}, "holds no samples"),
        ([{"doc_id": 0}], {}, "line 1: has no doc: this is not a log of lm-evaluation-harness as 0.4.13"),
        ([SAMPLES[0]], {}, "1 of 2 problems lack answers: b:1 has 0 of 1"),
        (SAMPLES, {"filter": "loose"}, "has no filter 'loose': strict"),
        ([*SAMPLES, sample(0, "", 1.0, filter="loose")], {}, "has 2 filters: strict, loose"),
        (SAMPLES, {"verdict": "f1"}, "has no metric 'f1': exact_match"),
        ([SAMPLES[0], sample(1, REPLIES[1], 1.0)], {}, "states a score of 0.5000, and its 2 verdicts have a mean of 1"),
        ([SAMPLES[0], sample(1, "", 0.0, doc={"question": "Who?"})], {}, "line 2: its problem is none of the 2"),
        ([SAMPLES[0], sample(1, "", 0.0, resps=[[[-1.5, False]]])], {}, "its resps are no texts"),
    ],
)
def test_what_is_wrong_with_a_log_is_named_with_its_place(tmp_path, rows, settings, message):
    with pytest.raises(UserError, match=message):
        take(log_of(lm_eval_log(tmp_path, rows), "lm_eval", **settings), BENCHMARK)


def test_what_the_config_lets_pass_is_taken_and_noted(tmp_path):
    wrong = [SAMPLES[0], sample(1, REPLIES[1], 1.0)]
    noted = take(log_of(lm_eval_log(tmp_path, wrong), "lm_eval", contradiction="note"), BENCHMARK)
    assert noted.facts["stated"] == [0.5] and noted.facts["own"] == 1.0
    fewer = lm_eval_log(tmp_path, [SAMPLES[0], sample(1, "", 0.0, doc={"question": "Who?"})], score=1.0)
    dropped = take(log_of(fewer, "lm_eval", missing="drop", others="drop"), BENCHMARK)
    assert dropped.answers["problem_id"].to_list() == ["b:0"] and dropped.facts["left out"] == 1
    assert dropped.facts["lacking"] == ["b:1"]
    counted = take(log_of(fewer, "lm_eval", missing="wrong", others="drop"), BENCHMARK)
    assert counted.answers["status"].to_list() == ["complete", "failed"] and counted.rows.height == 1
    assert counted.answers["error"][1] == "not among the log's answers"


def test_further_logs_are_further_draws_only_with_the_same_settings(tmp_path):
    paths = [lm_eval_log(tmp_path / name, SAMPLES) for name in ("one", "two")]
    log = log_of("", "lm_eval").model_copy(update={"paths": paths})
    taken = take(log, BENCHMARK)
    assert taken.answers["answer_id"].to_list() == ["b:0_0", "b:0_1", "b:1_0", "b:1_1"]
    rows = [sample(0, REPLIES[0], 1.0, arguments=[["?", {"temperature": 1.0}]]), SAMPLES[1]]
    lm_eval_log(tmp_path / "two", rows)
    with pytest.raises(UserError, match=r"two/samples.*other settings than .*one/samples.*generation is .*1\.0"):
        take(log, BENCHMARK)


def eval_log(path, samples, archive=True, **changed):
    header = {
        "version": 2, "status": "success",
        "eval": {"task": "b", "model": "mockllm/model", "config": {"epochs": 2}, "packages": {"inspect_ai": "0.3"},
                 "model_generate_config": {"temperature": 0.6, "seed": None}},
        "results": {"scores": [{"name": "match", "metrics": {"accuracy": {"value": 0.5}}}]},
    } | changed  # fmt: skip
    if not archive:
        path.write_text(json.dumps(header | {"samples": samples}))
        return path
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("header.json", json.dumps(header))
        for each in samples:
            file.writestr(f"samples/{each['id']}_epoch_{each['epoch']}.json", json.dumps(each))
    return path


def inspected(place, epoch, content, value, stop="stop"):
    return {
        "id": place, "epoch": epoch, "input": TEXTS[place], "target": PROBLEM_ROWS[place][3],
        "messages": [{"role": "user", "content": "attachment://a"}], "attachments": {"a": f"Solve: {TEXTS[place]}"},
        "output": {"choices": [{"message": {"content": content}, "stop_reason": stop}], "usage": {"output_tokens": 7}},
        "scores": {"match": {"value": value, "answer": "x"}},
    }  # fmt: skip


INSPECTED = [
    inspected(0, 1, [{"type": "reasoning", "reasoning": "half"}, {"type": "text", "text": r"\boxed{0.5}"}], "C"),
    inspected(0, 2, r"\boxed{0.5", "I", stop="max_tokens"),
    inspected(1, 1, r"\boxed{4}", 1),
    inspected(1, 2, r"\boxed{5}", "I"),
]


@pytest.mark.parametrize("archive", [True, False])
def test_inspect_logs_keep_epochs_reasoning_cuts_and_what_was_sent(tmp_path, archive):
    path = eval_log(tmp_path / "log.eval", INSPECTED, archive)
    taken = take(log_of(path, "inspect"), BENCHMARK)
    assert taken.answers["text"][0] == "<think>\nhalf\n</think>\\boxed{0.5}"
    assert taken.answers["status"].to_list() == ["complete", "cut", "complete", "complete"]
    assert taken.answers["tokens"].to_list() == [7] * 4 and taken.rows["score"].to_list() == [1.0, 0.0, 1.0, 0.0]
    assert taken.rows["prompt"][0] == f"Solve: {TEXTS[0]}"
    assert taken.facts["settings"]["generation"] == {"temperature": 0.6} and taken.facts["stated"] == [0.5]


def test_what_is_given_out_as_a_log_of_inspect_comes_in_again_the_same(tmp_path):
    taken = take(log_of(eval_log(tmp_path / "log.eval", INSPECTED), "inspect"), BENCHMARK)
    folder = tmp_path / "results" / "evaluation" / "m" / "b"
    write_table(tmp_path / "results" / "problems" / "sources" / "b.parquet", BENCHMARK, PROBLEMS)
    write_table(folder / "answers.parquet", taken.answers, ANSWERS)
    groups, *_ = group(taken.answers, BENCHMARK)
    judged = judge(taken.answers, groups, BENCHMARK.select("id", "source"), None)
    write_table(folder / "judged.parquet", judged, JUDGED)
    path, count = give(tmp_path / "results", "m", "b", tmp_path / "out")
    assert path.parent == tmp_path / "out" and path.name.endswith("_b_m.json") and count == 4
    again = take(log_of(path, "inspect"), BENCHMARK)
    same = ["answer_id", "text", "status", "answer", "tokens", "finish_reason"]
    assert again.answers.select(same).equals(taken.answers.select(same))
    assert [score == 1.0 for score in again.rows["score"]] == judged.sort("answer_id")["correct"].to_list()
    with pytest.raises(UserError, match="has no judged answers"):
        give(tmp_path / "results", "m", "other", tmp_path / "out")


@pytest.mark.parametrize(
    ("samples", "changed", "message"),
    [
        (INSPECTED, {"version": 1}, "is a log of format 1, and format 2 is read"),
        (INSPECTED, {"status": "error"}, "ended with status 'error'"),
        ([], {}, "holds no samples"),
        (INSPECTED[:3], {}, "b:1 has 1 of 2"),
        ([{"id": 0, "epoch": 1}], {}, "has no input: this is not a log of Inspect"),
        ([*INSPECTED, inspected(0, 1, "?", "I")], {}, "draw 0 of b:0 stands here too, first in .*sample 0"),
        (INSPECTED, {"results": {"scores": [{"name": "a"}, {"name": "b"}]}}, "has 2 scorers: a, b"),
    ],
)
def test_bad_inspect_logs_are_named(tmp_path, samples, changed, message):
    path = eval_log(tmp_path / "log.json", samples, archive=False, **changed)
    with pytest.raises(UserError, match=message):
        take(log_of(path, "inspect"), BENCHMARK)


def test_an_eval_file_that_was_cut_off_or_never_ended_is_named(tmp_path):
    path = eval_log(tmp_path / "log.eval", INSPECTED)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(UserError, match="neither an .eval file nor JSON"):
        take(log_of(path, "inspect"), BENCHMARK)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("_journal/start.json", "{}")
    with pytest.raises(UserError, match=r"has no header\.json"):
        take(log_of(path, "inspect"), BENCHMARK)


def test_inspects_means_several_values_and_words_are_verdicts(tmp_path):
    def scored(place, value):
        return inspected(place, 1, "?", "C") | {"scores": {"s": {"value": value}}}

    told = [
        {"name": "a", "scorer": "s", "reducer": "max", "metrics": {"mean": {"value": 1.0}}},
        {"name": "a", "scorer": "s", "reducer": "mean", "metrics": {"mean": {"value": 0.5}}},
    ]
    samples = [scored(0, {"a": "yes", "b": 0}), scored(1, {"a": "No", "b": 1})]
    path = eval_log(tmp_path / "log.json", samples, archive=False, results={"scores": told})
    assert take(log_of(path, "inspect"), BENCHMARK).rows["score"].to_list() == [1.0, 0.0]
    unscored = [scored(0, {"a": float("nan")}), scored(1, {"a": 1})]
    path = eval_log(tmp_path / "log.json", unscored, archive=False, results={"scores": told[1:]})
    assert take(log_of(path, "inspect"), BENCHMARK).rows["score"].to_list() == [None, 1.0]


def test_a_filter_that_hands_the_reply_on_has_found_no_answer(tmp_path):
    rows = [sample(0, REPLIES[0], 1.0, filtered_resps=[REPLIES[0]], filter="none"), SAMPLES[1] | {"filter": "none"}]
    taken = take(log_of(lm_eval_log(tmp_path, rows), "lm_eval"), BENCHMARK)
    assert taken.rows["extracted"].to_list() == [None, REPLIES[1][-2:]]


def test_worked_examples_before_the_problem_do_not_count(tmp_path):
    prompts = [f"{TEXTS[1]} Four.\n{TEXTS[0]}", f"{TEXTS[0]} A half.\n{TEXTS[1]} Answer:"]
    path = rows_log(tmp_path / "r.jsonl", [{"q": prompt, "out": "1"} for prompt in prompts])
    taken = take(log_of(path, columns={"reply": "out", "problem": "q"}), BENCHMARK)
    assert [place.rpartition(" ")[2] for place in taken.rows["place"]] == ["1", "2"]
    assert taken.rows["problem_id"].to_list() == ["b:0", "b:1"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"arguments": [5]}, r"is not built as its kind is \(TypeError"),
        ({"doc": 5, "resps": [["x"]], "target": 1}, "its problem is none of the 2"),
    ],
)
def test_what_is_built_otherwise_is_told_plainly(tmp_path, row, message):
    with pytest.raises(UserError, match=message):
        take(log_of(lm_eval_log(tmp_path, [SAMPLES[0] | row]), "lm_eval"), BENCHMARK)


def test_damaged_files_folders_and_columns_that_no_row_has_are_told(tmp_path):
    packed = gzip.compress(
        b"".join(json.dumps({"q": TEXTS[0], "out": str(n) * 99}).encode() + b"\n" for n in range(99))
    )
    (tmp_path / "r.jsonl.gz").write_bytes(packed[:60] + b"\0\0\0\0" + packed[64:])
    with pytest.raises(UserError, match="cannot be read as JSON in UTF-8"):
        take(log_of(tmp_path / "r.jsonl.gz", columns={"reply": "out", "problem": "q"}), BENCHMARK)
    with pytest.raises(UserError, match="no such file"):
        take(log_of(tmp_path, "lm_eval"), BENCHMARK)
    rows = [{"q": text, "out": "1"} for text in TEXTS]
    path = rows_log(tmp_path / "r.jsonl", rows)
    with pytest.raises(UserError, match="no row has the column scor"):
        take(log_of(path, columns={"reply": "out", "problem": "q", "verdict": "scor"}), BENCHMARK)


def test_draws_that_differ_in_their_seed_alone_belong_together(tmp_path):
    paths = [lm_eval_log(tmp_path / name, SAMPLES) for name in ("one", "two")]
    for seed, path in enumerate(paths):
        results = path.with_name("results_2026-11-26T10-00-00.000001.json")
        told = json.loads(results.read_text())
        told["config"]["model_args"] = f"pretrained=m,seed={seed},dtype=auto"
        results.write_text(json.dumps(told))
    taken = take(log_of("", "lm_eval").model_copy(update={"paths": paths}), BENCHMARK)
    assert taken.facts["settings"]["model_args"] == "pretrained=m,dtype=auto" and taken.answers.height == 4


def test_lighteval_details_are_read(tmp_path):
    folder = tmp_path / "details" / "org" / "model" / "2026-11-26T10-00-00"
    folder.mkdir(parents=True)
    rows = [
        {
            "doc": {"query": f"Solve. {TEXTS[place]} Answer:", "choices": [PROBLEM_ROWS[place][3]], "gold_index": [0],
                    "task_name": "b", "id": str(place), "fewshot_samples": [], "generation_size": 64},
            "model_response": {"text": [REPLIES[place]], "output_tokens": [[1, 2, 3]], "input": "sent",
                               "reasonings": [None]},
            "metric": {"extractive_match": [1.0, 0.0][place]},
        }
        for place in (0, 1)
    ]  # fmt: skip
    path = folder / "details_b_2026-11-26T10-00-00.parquet"
    pl.DataFrame(rows).write_parquet(path)
    results = tmp_path / "results" / "org" / "model" / "results_2026-11-26T10-00-00.json"
    results.parent.mkdir(parents=True)
    general = {"model_name": "org/model", "model_config": {"generation_parameters": {"temperature": 0.6}}}
    results.write_text(json.dumps({"config_general": general, "results": {"b": {"extractive_match": 0.5}}}))
    taken = take(log_of(path, "lighteval"), BENCHMARK)
    assert taken.answers["answer"].to_list() == [r"\frac12", "5"] and taken.answers["tokens"].to_list() == [3, 3]
    assert taken.rows["score"].to_list() == [1.0, 0.0] and taken.rows["target"].to_list() == ["0.5", "4"]
    assert taken.facts["settings"]["generation_parameters"] == {"temperature": 0.6}
    assert taken.facts["stated"] == [0.5]
    pl.DataFrame({"full_prompt": ["?"], "predictions": ["?"]}).write_parquet(path)
    with pytest.raises(UserError, match=r"row 1: has no doc: this is not a log of lighteval as 0\.13"):
        take(log_of(path, "lighteval"), BENCHMARK)


def theirs(folder, part, rows):
    run = folder / part / "20260101_000000"
    run.mkdir(parents=True)
    (run / "0_1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_reasonlites_folders_are_read(tmp_path):
    rows = [
        {"index": f"{place}_{number}", "prompt": TEXTS[place], "answer": REPLIES[place], "judge": place == 0,
         "info": {"expected_answer": PROBLEM_ROWS[place][3]}}
        for place in (0, 1) for number in (0, 1)
    ]  # fmt: skip
    theirs(tmp_path, "answer_judge", rows)
    taken = take(log_of(tmp_path, "reasonlite"), BENCHMARK)
    assert taken.answers["number"].to_list() == [0, 1, 0, 1] and taken.rows["score"].to_list() == [1, 1, 0, 0]
    with pytest.raises(UserError, match="holds none of answer_origin, answer_judge"):
        take(log_of(tmp_path / "answer_judge", "reasonlite"), BENCHMARK)


COLUMNS = {"reply": "out", "problem": "q", "verdict": "ok", "target": "gold"}


def rows_log(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_rows_of_one_model_among_others_and_labels_that_differ(tmp_path):
    rows = [{"m": model, "q": f"  {text.replace(' ', '  ')}", "out": REPLIES[0], "ok": True, "gold": "#### 1/2"}
            for model in ("a", "b") for text in TEXTS]  # fmt: skip
    taken = take(log_of(rows_log(tmp_path / "r.jsonl", rows), columns=COLUMNS, where={"m": "b"}), BENCHMARK)
    assert taken.answers.height == 2 and taken.rows["place"].to_list()[0].endswith("line 3")
    assert taken.facts["labels that differ"] == [{"problem": "b:1", "label": "4", "log": "1/2"}]


def test_rows_are_matched_by_id_and_texts_that_differ_are_listed(tmp_path):
    rows = [{"i": place, "q": "edited", "out": REPLIES[place]} for place in (0, 1)]
    path = rows_log(tmp_path / "r.jsonl", rows)
    columns = {"reply": "out", "problem": "q", "id": "i"}
    with pytest.raises(UserError, match="line 1: its problem is none of the 2 of the benchmark b: 'edited'"):
        take(log_of(path, columns=columns), BENCHMARK)
    taken = take(log_of(path, columns=columns, match="id"), BENCHMARK)
    assert [each["problem"] for each in taken.facts["texts that differ"]] == ["b:0", "b:1"]


def test_a_text_that_two_problems_share_needs_an_id(tmp_path):
    twice = frame_of([("b:0", "b", "Same?", "1"), ("b:1", "b", "Same?", "2")], PROBLEMS)
    path = rows_log(tmp_path / "r.jsonl", [{"q": "Same?", "out": "1"}, {"q": "Same?", "out": "2"}])
    with pytest.raises(UserError, match="line 1: its text is that of 2 problems: b:0, b:1"):
        take(log_of(path, columns={"reply": "out", "problem": "q"}), twice)


@pytest.mark.parametrize(
    ("row", "settings", "message"),
    [
        ({"q": TEXTS[0]}, {}, "line 1: has no column 'out'; it has q"),
        ({"q": TEXTS[0], "out": 5}, {}, "line 1: the reply is a int"),
        ({"q": TEXTS[0], "out": "5", "ok": "yes"}, {}, "line 1: the verdict is 'yes'"),
        ({"q": TEXTS[0], "out": "5"}, {"where": {"model": "a"}}, "has no column 'model', which recorded's where"),
        ({"q": TEXTS[0], "out": "5", "m": "b"}, {"where": {"m": "a"}}, "none of its 1 rows is as recorded's where"),
    ],
)
def test_bad_rows_are_named(tmp_path, row, settings, message):
    path = rows_log(tmp_path / "r.jsonl", [row])
    with pytest.raises(UserError, match=message):
        take(log_of(path, columns=COLUMNS, **settings), BENCHMARK)


def test_a_log_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        take(log_of(tmp_path / "none.jsonl", columns=COLUMNS), BENCHMARK)
