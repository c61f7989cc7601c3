"""Write the tables of graders: accuracy by each, the answers where they part, and what differences are made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reasonlite.config import evaluation
from reasonlite.core import cli, errors, files, layout, logs, schemas, tables
from reasonlite.evaluation import explained, graders

GRADERS_NOTE = (
    "Accuracy in per cent over problems, in brackets its 95% interval by bootstrap over problems; agreement in per cent"
    " of answers, and kappa, with the rules; accepts: answers that are right for this grader and not for the rules;"
    " rejects: the other way round."
)
EXPLAINED_NOTE = (
    "Points of the right score less the left one, in brackets 95% intervals by bootstrap over problems; the parts below"
    " a whole add up to it. answers: in how many answers (problems, for the part problems) the two differ by it."
)


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--graded", action=cli.Paths, required=True, help="evaluation/<model>/<benchmark>/graded.parquet"
    )
    parser.add_argument("--evaluation", type=cli.json_of(evaluation.Evaluation), required=True, help="as in the config")
    parser.add_argument("--seed", type=int, required=True, help="seed of the bootstrap")
    parser.add_argument("--folder", type=Path, required=True, help="folder to write to")
    arguments = parser.parse_args(argv)
    logs.set_up()
    settings, folder = arguments.evaluation, arguments.folder
    graded = {
        (path.parent.name, path.parent.parent.name): tables.read_table(path, schemas.GRADED)
        for path in arguments.graded
    }
    claims = {(name, entry.model): score for entry in settings.models for name, score in entry.claimed.items()}
    draws = {"resamples": settings.resamples, "seed": arguments.seed}
    table = graders.compared(graded, **draws)
    parts = explained.explain(graded, claims, settings.baseline, **draws)
    differ = graders.disagreements(graded)
    for name, frame in {"graders": table, "explained": parts, "grader_disagreements": differ}.items():
        files.write_text(folder / f"{name}.csv", frame.write_csv(float_precision=4))
    files.write_text(folder / "graders.md", layout.markdown(*layout.graders(table), GRADERS_NOTE))
    files.write_text(folder / "explained.md", layout.markdown(*layout.explained(parts), EXPLAINED_NOTE))


if __name__ == "__main__":
    errors.run_main(main)
