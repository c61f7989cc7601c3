"""Turn a table of training examples into token ids, by a model's chat template and tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.audit.provenance import code_of
from reasonlite.core import cli, errors, files, logs
from reasonlite.models import encoding, folders
from reasonlite.training import tokens


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--table", type=Path, required=True, help="table of examples, of curriculum/")
    parser.add_argument("--model", type=Path, required=True, help="folder of the model that will learn from them")
    parser.add_argument("--output", type=Path, required=True, help="file of tokens to write, in Arrow's IPC format")
    given = parser.parse_args(argv)
    logs.set_up()
    script = Path(__file__)
    made_from = [files.sha256_file(given.table), folders.fingerprint(given.model), code_of(script, script.parent)]
    origin = files.sha256_text(files.canonical_json(made_from))
    tokenizer = encoding.open_tokenizer(given.model)
    count, total = tokens.write(given.table, tokenizer, origin, given.output)
    logs.get_logger("tokenize_examples").info("%d examples, %d tokens", count, total)


if __name__ == "__main__":
    errors.run_main(main)
