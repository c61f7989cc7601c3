"""Train one stage on written answers. Start it with:

python scripts/launch.py --config-file envs/accelerate/cpu.yaml -- scripts/train_sft.py …
"""

from __future__ import annotations

from collections.abc import Sequence

from reasonlite.core import errors
from reasonlite.training import command, sft


def main(argv: Sequence[str] | None = None) -> None:
    command.run("sft", sft.train, __doc__, argv)


if __name__ == "__main__":
    errors.run_main(main)
