"""Train one stage by the probabilities of a teacher with another tokenizer. Start it with:

python scripts/launch.py --config-file envs/accelerate/cpu.yaml -- scripts/train_gold.py …
"""

from __future__ import annotations

from collections.abc import Sequence

from reasonlite.core import errors
from reasonlite.training import command, gold


def main(argv: Sequence[str] | None = None) -> None:
    command.run("gold", gold.train, __doc__, argv)


if __name__ == "__main__":
    errors.run_main(main)
