"""Train one stage by rewards for the student's own answers. Start it with:

python scripts/launch.py --config-file envs/accelerate/cpu.yaml -- scripts/train_grpo.py …
"""

from __future__ import annotations

from collections.abc import Sequence

from reasonlite.core import errors
from reasonlite.training import command, grpo


def main(argv: Sequence[str] | None = None) -> None:
    command.run("grpo", grpo.train, __doc__, argv)


if __name__ == "__main__":
    errors.run_main(main)
