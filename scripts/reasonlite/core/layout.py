"""Tables for readers: one row a model, in Markdown and LaTeX (booktabs).

Does not know what the numbers mean beyond their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import polars as pl

NOTE = (
    "Shares in per cent; in brackets 95% intervals by bootstrap over problems; draws: mean, lowest and highest share"
    " over the n draws; difference: avg@n less the baseline's, paired; tokens p50, p90, p99: percentiles over answers."
)
PUBLISHED_NOTE = (
    "Published: as printed by ReasonLite. Measured: by this run, with its 95% interval; inside: does the published"
    " value lie in it. Empty where nothing was measured."
)


def wide(results: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the results, a row for each model and benchmark and a column for each metric."""
    metrics = results["metric"].unique(maintain_order=True).to_list()
    body = []
    for (model, benchmark), part in results.group_by("model", "benchmark", maintain_order=True):
        cells = {row["metric"]: _cell(row) for row in part.iter_rows(named=True)}
        body.append([str(model), str(benchmark), *(cells.get(metric, "") for metric in metrics)])
    return ["model", "benchmark", *metrics], body


def _cell(row: dict) -> str:
    if row["metric"].startswith("tokens p"):
        return f"{row['value']:.0f}, {row['low']:.0f}, {row['high']:.0f}"
    sign = "+" if row["metric"] == "difference" else ""
    return f"{row['value']:{sign}.1f} [{row['low']:{sign}.1f}, {row['high']:{sign}.1f}]"


def published(table: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Header and rows of published beside measured."""
    body = []
    for row in table.iter_rows(named=True):
        ours = ["", "", ""]
        if row["measured"] is not None:
            ours = [f"{row['measured']:.1f} [{row['low']:.1f}, {row['high']:.1f}]", f"{row['difference']:+.1f}"]
            ours.append("yes" if row["inside"] else "no")
        body.append([row["model"], row["benchmark"], row["metric"], f"{row['published']:.1f}", *ours])
    return ["model", "benchmark", "metric", "published", "measured", "difference", "inside"], body


def graders(table: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Header and rows of accuracy by grader."""
    body = []
    for row in table.iter_rows(named=True):
        kappa = "" if row["kappa"] is None else f"{row['kappa']:.3f}"
        counts = [str(row[name]) for name in ("answers", "accepts", "rejects")]
        accuracy = f"{row['accuracy']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
        cells = [row["benchmark"], row["model"], row["grader"], accuracy, f"{row['agreement']:.2f}", kappa, *counts]
        body.append(cells)
    names = ["benchmark", "model", "grader", "accuracy", "agreement", "kappa", "answers", "accepts", "rejects"]
    return names, body


def explained(table: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Header and rows of what differences are made of."""
    body = []
    for row in table.iter_rows(named=True):
        interval = "" if row["low"] is None else f" [{row['low']:+.2f}, {row['high']:+.2f}]"
        cells = [row[name] for name in ("benchmark", "left", "right", "part")]
        body.append([*cells, f"{row['value']:+.2f}{interval}", str(row["answers"])])
    return ["benchmark", "left", "right", "part", "points", "answers"], body


def contamination(table: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Header and rows of scores on all and on the clean problems of each benchmark."""
    body = []
    for row in table.iter_rows(named=True):
        counts = [str(row[name]) for name in ("problems", "twins", "variants", "clean")]
        scores = [
            "" if row[name] is None else f"{row[name]:.1f} [{row[f'{name}_low']:.1f}, {row[f'{name}_high']:.1f}]"
            for name in ("whole", "part")
        ]
        body.append([row["model"], row["benchmark"], *counts, *scores])
    return ["model", "benchmark", "problems", "twins", "variants", "clean", "all problems", "clean problems"], body


def plain(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines for a terminal: the first column to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def markdown(header: Sequence[str], body: Sequence[Sequence[str]], note: str) -> str:
    rule = ["---", "---", *("---:" for _ in header[2:])]
    lines = [f"| {' | '.join(cells)} |" for cells in [header, rule, *body]]
    return "\n".join(lines) + f"\n\n{note}\n"


def html(header: Sequence[str], body: Sequence[Sequence[str]], note: str) -> str:
    """A page of its own, as the report shows it."""

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    style = (
        "body{font:14px sans-serif;margin:1em}table{border-collapse:collapse}"
        "th,td{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}"
        "th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}"
    )
    rows = "\n".join([line(header, "th"), *(line(cells, "td") for cells in body)])
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><style>{style}</style></head><body>\n'
        f"<table>\n{rows}\n</table>\n<p>{escape(note)}</p>\n</body></html>\n"
    )


def latex(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return " & ".join(_escaped(cell) for cell in cells) + r" \\"

    rows = [r"\begin{tabular}{ll" + "r" * (len(header) - 2) + "}", r"\toprule", line(header), r"\midrule"]
    rows += [line(cells) for cells in body]
    return "\n".join([*rows, r"\bottomrule", r"\end{tabular}", ""])


def _escaped(text: str) -> str:
    for character in "&%#_":
        text = text.replace(character, f"\\{character}")
    return text
