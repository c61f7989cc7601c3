"""Train one stage on a teacher's probabilities for the student's own answers. Start it with:

python scripts/launch.py --config-file envs/accelerate/cpu.yaml -- scripts/train_distill.py …
"""

from __future__ import annotations

from collections.abc import Sequence

from reasonlite.core import errors
from reasonlite.training import command, distill


def main(argv: Sequence[str] | None = None) -> None:
    command.run("distill", distill.train, __doc__, argv)


if __name__ == "__main__":
    errors.run_main(main)
