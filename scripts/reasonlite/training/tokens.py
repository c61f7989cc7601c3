"""Training examples as token ids: made once by CPU jobs, a file a shard, and mapped into memory by all that train.

A file is Arrow's IPC format, whose columns can be read where they lie. Does not know trainers.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from reasonlite.core.errors import UserError
from reasonlite.core.files import atomic_path, sha256_text
from reasonlite.core.schemas import CURRICULUM
from reasonlite.core.tables import stream_table
from reasonlite.models.encoding import Messages, encoder

# prompt: how many of the tokens stand before the answer, as TRL finds them: where the tokens of the conversation and
# those of the prompt alone begin to differ
SCHEMA = pa.schema([("answer_id", pa.string()), ("tokens", pa.list_(pa.int32())), ("prompt", pa.int32())])
ROWS = 1024  # written together
PLACES = "places"  # of a row's examples in the data set; taken out of a batch before the model sees it
IGNORED = -100  # torch's label of a token without loss


def write(table: Path, tokenizer: Any, origin: str, output: Path) -> tuple[int, int]:
    """Write the examples of a table (CURRICULUM) as tokens, in its order; how many examples and tokens they are.

    ``origin`` names all that they were made from; it stands in the file, as does the first conversation.
    """
    encode = encoder(tokenizer, output)
    pieces = (piece.rows() for piece in stream_table(table, CURRICULUM, ["answer_id", "messages"], ROWS))
    first = next(pieces, [])
    if first:
        check_reasoning(first[0][1], tokenizer, output)
    sample = first[0][1] if first else []
    note = {"origin": origin, "sample": json.dumps(sample, ensure_ascii=False), "maker": maker(tokenizer, sample)}
    examples = total = 0
    with atomic_path(output) as temporary, pa.ipc.new_file(str(temporary), SCHEMA.with_metadata(note)) as writer:
        for rows in filter(None, itertools.chain([first], pieces)):
            tokens, prompts = encoded([messages for _, messages in rows], encode)
            columns = [pa.array([name for name, _ in rows]), pa.array(tokens, SCHEMA.field("tokens").type)]
            writer.write_batch(pa.record_batch([*columns, pa.array(prompts, pa.int32())], schema=SCHEMA))
            examples, total = examples + len(rows), total + sum(map(len, tokens))
    return examples, total


def check_reasoning(messages: Messages, tokenizer: Any, where: object) -> None:
    """Refuse a chat template that leaves reasoning out of what is trained, as DeepSeek-R1's does."""
    _, opened, rest = messages[-1]["content"].partition("<think>")
    reasoning = rest.partition("</think>")[0].strip()
    if opened and reasoning and reasoning[:200] not in tokenizer.apply_chat_template(messages, tokenize=False):
        raise UserError(
            "the model's chat template drops the reasoning of answers, so a student would learn results alone",
            where=where,
            todo="put a template that keeps it into the model's folder as chat_template.jinja; TRL's package has some"
            " (trl/chat_templates/…_training.jinja)",
        )


def encoded(conversations: list[Messages], encode: Any) -> tuple[list[np.ndarray], list[int]]:
    """Tokens of conversations, and how many of each stand before the last message."""
    whole = encode(conversations)
    keys = [json.dumps(each[:-1]) for each in conversations]
    asked = {key: each[:-1] for key, each in zip(keys, conversations, strict=True)}  # answers to a problem share it
    prompts = dict(zip(asked, encode(list(asked.values()), open_end=True), strict=True))
    return whole, [common_prefix(prompts[key], ids) for key, ids in zip(keys, whole, strict=True)]


def common_prefix(left: np.ndarray, right: np.ndarray) -> int:
    """How many tokens two sequences begin with alike."""
    shorter = min(len(left), len(right))
    different = np.flatnonzero(left[:shorter] != right[:shorter])
    return int(different[0]) if len(different) else shorter


def _opened(path: Path) -> pa.ipc.RecordBatchFileReader:
    try:
        return pa.ipc.open_file(pa.memory_map(str(path)))
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"is no file of tokens: {error}", where=path, todo="delete it and run again") from None


def origin(path: Path) -> str:
    """What a file's tokens were made from, as ``write`` was told."""
    return str(_opened(path).schema.metadata[b"origin"].decode())


def maker(tokenizer: Any, sample: Messages) -> str:
    """A hash of what turns messages into tokens: the chat template, and the tokens of a conversation's own words.

    Not of the rendered conversation: some templates write the day's date into it.
    """
    words = tokenizer([message["content"] for message in sample] or [""], add_special_tokens=False)["input_ids"]
    return sha256_text(json.dumps([tokenizer.chat_template, words]))


def check_tokenizer(paths: Sequence[Path], tokenizer: Any, where: str) -> None:
    """Refuse tokens of another chat template or tokenizer than those of the model to be trained."""
    for path in paths:
        note = _opened(path).schema.metadata
        sample = json.loads(note[b"sample"])
        if sample and maker(tokenizer, sample) != note[b"maker"].decode():
            todo = f"delete {path.parent} and run again: a model's chat_template or tokenizer was changed by hand"
            raise UserError(f"{path} was made by another tokenizer or chat template", where=where, todo=todo)
        if sample:
            return


class Examples:
    """Examples of files of tokens, as a map-style data set of torch. Tokens stay on disk until they are asked for.

    An item has ``input_ids`` and ``labels`` (int64, one a token) and ``places`` (its own). ``lengths``: tokens of
    each (int32). ``counts``: examples of each file.
    """

    def __init__(self, paths: Sequence[Path], *, answers_only: bool) -> None:
        """``answers_only``: tokens before the answer get no loss."""
        self._answers_only = answers_only
        files = [list(_batches(path)) for path in paths]
        self.counts = [sum(len(prompts) for _, _, prompts, _ in batches) for batches in files]
        self._strata, self._ends = [path.parent.name for path in paths], np.cumsum(self.counts)
        self._batches = list(itertools.chain.from_iterable(files))
        sizes = [len(prompts) for _, _, prompts, _ in self._batches]
        self._starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        differences = [np.diff(offsets) for _, offsets, _, _ in self._batches]
        self._all_lengths = np.concatenate(differences) if differences else np.zeros(0, np.int32)
        self._chosen = np.arange(self._starts[-1])

    def choose(self, positions: np.ndarray) -> None:
        """Keep these of the examples, in this order; one may stand several times."""
        self._chosen = self._chosen[positions]

    @property
    def lengths(self) -> np.ndarray:
        return self._all_lengths[self._chosen]

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, position: int) -> dict[str, np.ndarray]:
        values, offsets, prompts, _, row = self._place(position)
        ids = values[offsets[row] : offsets[row + 1]].astype(np.int64)
        labels = ids.copy()
        if self._answers_only:
            labels[: prompts[row]] = IGNORED
        return {"input_ids": ids, "labels": labels, PLACES: np.array([position])}

    def name(self, position: int) -> str:
        """The answer's id."""
        *_, names, row = self._place(position)
        return str(names[row].as_py())

    def stratum(self, position: int) -> str:
        """The stratum: the folder that the example's file lies in."""
        file = int(np.searchsorted(self._ends, self._chosen[position], side="right"))
        return self._strata[file]

    def _place(self, position: int) -> tuple[Any, Any, Any, Any, int]:
        own = self._chosen[position]
        batch = int(np.searchsorted(self._starts, own, side="right")) - 1
        return (*self._batches[batch], int(own - self._starts[batch]))

    def named(self, tokens: list[int]) -> list[str]:
        """Ids of the examples with exactly these tokens."""
        alike = np.flatnonzero(self.lengths == len(tokens))
        return [self.name(place) for place in alike if self[place]["input_ids"].tolist() == tokens]


def _batches(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, Any]]:
    """Values, offsets and prompts of a file's batches, where they lie on disk, and the answers' ids."""
    file = _opened(path)
    for number in range(file.num_record_batches):
        batch = file.get_batch(number)
        tokens = batch["tokens"]
        yield tokens.values.to_numpy(), tokens.offsets.to_numpy(), batch["prompt"].to_numpy(), batch["answer_id"]
