"""Say how small a difference between two models a benchmark shows, and what a wanted one would need.

Example: python scripts/power.py results/demo/evaluation/{smollm2,final}/heldout/judged.parquet --wanted 3
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.core import cli, errors, layout
from reasonlite.evaluation import power, results

DRAWS = (1, 2, 4, 8, 16, 32, 64)


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("judged", type=Path, nargs=2, help="judged.parquet of two models on the same benchmark")
    parser.add_argument("--wanted", type=float, required=True, help="difference to be found, in points")
    parser.add_argument("--power", type=float, default=power.POWER, help="chance to find it; default 0.8")
    arguments = parser.parse_args(argv)
    if not 0 < arguments.power < 1 or arguments.wanted <= 0:
        parser.error("--power lies between 0 and 1, and --wanted is above 0")
    left, right = (results.read_scores(path) for path in arguments.judged)
    if left.problems != right.problems:
        raise errors.UserError("has other problems", where=arguments.judged[1], todo="give two models on one benchmark")
    spread = power.spread_of(left.right, right.right)
    now = 100 * power.detectable_with(spread, spread.problems, spread.draws, arguments.power)
    print(f"{spread.problems} problems with {spread.draws} draws: a difference of {now:.1f} points is found", end=" ")
    print(f"with {100 * arguments.power:.0f}% power (two-sided at 5%, paired by problem)")
    if spread.within is None:
        needed = power.problems_needed(spread, arguments.wanted / 100, 1, arguments.power)
        print(f"{arguments.wanted:g} points need {needed:,} such problems with one draw")
        print("one draw does not tell how much of the noise more draws would take away: draw two or more to know")
        return
    wanted = arguments.wanted / 100
    rows = [["draws", "found here", f"problems for {arguments.wanted:g}"]]
    for draws in sorted({*DRAWS, spread.draws}):
        found = 100 * power.detectable_with(spread, spread.problems, draws, arguments.power)
        rows.append([str(draws), f"{found:.1f}", f"{power.problems_needed(spread, wanted, draws, arguments.power):,}"])
    print("\n".join(layout.plain(rows)))
    draws = power.draws_needed(spread, wanted, spread.problems, arguments.power)
    enough = f"{draws:,} draws are enough" if draws else "no number of draws is enough: more problems are needed"
    print(f"for {arguments.wanted:g} points with these {spread.problems} problems {enough}")


if __name__ == "__main__":
    errors.run_main(main)
