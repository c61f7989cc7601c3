"""The figures: each a function from tables to a matplotlib figure, saved byte-stable.

Does not know where tables come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import polars as pl

mpl.use("Agg")
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import LogLocator, NullFormatter  # noqa: E402

from reasonlite.core.files import atomic_path

COLUMN, PAGE = 3.35, 6.9  # inches: one column and both of a two-column paper
# Okabe and Ito's palette: distinct for colour-blind readers; markers and dashes carry it in grey
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]
DASHES = ["-", "--", "-.", ":"]
STYLE: Any = {
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "reasonlite",
    "savefig.dpi": 300,
}


def save(figure: Figure, paths: Sequence[Path]) -> None:
    """Write the figure to each path, its format by the suffix (.svg, .png, .pdf), without dates."""
    metadata = {
        ".svg": {"Date": None, "Creator": None},
        ".png": {"Software": None},
        ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    for path in paths:
        with mpl.rc_context(STYLE), atomic_path(path) as temporary:
            figure.savefig(temporary, metadata=metadata[path.suffix])


def _axes(width: float, height: float):
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _styled(draw):
    """Draw under the common style, which matplotlib reads when artists are made."""

    def styled(*arguments, **keywords) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(*arguments, **keywords)

    styled.__doc__ = draw.__doc__
    return styled


@_styled
def stages(results: pl.DataFrame, baseline: str) -> Figure:
    """avg@n of each model on each benchmark with 95% intervals; ``results`` is the results table."""
    shown = results.filter(pl.col("metric").str.starts_with("avg@"))
    models = shown["model"].unique(maintain_order=True).to_list()
    benchmarks = shown["benchmark"].unique(maintain_order=True).to_list()
    figure, axes = _axes(COLUMN, 0.9 + 0.35 * len(models) * len(benchmarks) ** 0.5)
    for position, benchmark in enumerate(benchmarks):
        part = shown.filter(pl.col("benchmark") == benchmark)
        offset = (position - (len(benchmarks) - 1) / 2) * 0.2
        places = [models.index(model) + offset for model in part["model"]]
        errors = [part["value"] - part["low"], part["high"] - part["value"]]
        axes.errorbar(
            part["value"],
            places,
            xerr=errors,
            fmt=MARKERS[position % 8],
            color=COLOURS[position % 8],
            markersize=5,
            capsize=2.5,
            label=benchmark,
        )
    axes.set_yticks(range(len(models)), [f"{model} (base)" if model == baseline else model for model in models])
    axes.invert_yaxis()
    axes.margins(y=0.25)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{shown['metric'][0]} (%), 95% interval over problems")
    if len(benchmarks) > 1:
        axes.legend()
    return figure


@_styled
def arms(table: pl.DataFrame) -> Figure:
    """avg@n of each arm of a grid with its 95% interval, a panel a base and benchmark; ticks: the worst and best seed.

    ``table``: ARMS. The broken line is the base.
    """
    panels = table.group_by("base", "benchmark", maintain_order=True)
    parts = [(f"{base}: {benchmark}" if table["base"].n_unique() > 1 else str(benchmark), part)
             for (base, benchmark), part in panels]  # fmt: skip
    columns = min(len(parts), 2)
    rows = -(-len(parts) // columns)
    most = max(part.height for _, part in parts)
    figure = Figure(figsize=(COLUMN if columns == 1 else PAGE, rows * (0.7 + 0.2 * most)), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes, (title, part) in zip(grid, parts, strict=False):
        places = list(range(part.height))
        errors = [part["value"] - part["low"], part["high"] - part["value"]]
        axes.errorbar(part["value"], places, xerr=errors, fmt="o", color=COLOURS[0], markersize=4, capsize=2.5)
        for column in ("seed_low", "seed_high"):
            axes.plot(part[column], places, linestyle="none", marker="|", color=COLOURS[1], markersize=7)
        axes.axvline(part.filter(pl.col("arm") == "base")["value"][0], color=COLOURS[7], linestyle="--", linewidth=0.8)
        axes.set_yticks(places, part["arm"].to_list())
        axes.invert_yaxis()
        axes.set_title(title, loc="left")
        axes.set_xlabel("avg@n (%), 95% interval")
    for axes in grid[len(parts) :]:
        axes.set_visible(False)
    return figure


@_styled
def graders(table: pl.DataFrame) -> Figure:
    """Accuracy of each model by each grader with 95% intervals, a panel a benchmark; ``table``: GRADERS."""
    panels = [(name, part) for (name,), part in table.group_by("benchmark", maintain_order=True)]
    sizes = [part["model"].n_unique() for _, part in panels]
    figure = Figure(figsize=(PAGE, 1.0 + 0.25 * sum(sizes) + 0.3 * len(panels)), layout="constrained")
    stacked = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[size + 1 for size in sizes])[:, 0]
    names = table["grader"].unique(maintain_order=True).to_list()
    for axes, (benchmark, part) in zip(stacked, panels, strict=True):
        models = part["model"].unique(maintain_order=True).to_list()
        for position, grader in enumerate(names):
            shown = part.filter(pl.col("grader") == grader)
            places = [models.index(model) + (position - (len(names) - 1) / 2) * 0.18 for model in shown["model"]]
            errors = [shown["accuracy"] - shown["low"], shown["high"] - shown["accuracy"]]
            look = {"fmt": MARKERS[position % 8], "color": COLOURS[position % 8], "markersize": 3}
            axes.errorbar(shown["accuracy"], places, xerr=errors, elinewidth=0.6, label=grader, **look)
        axes.set_yticks(range(len(models)), models)
        axes.invert_yaxis()
        axes.margins(y=0.02)
        axes.set_title(benchmark, loc="left")
    stacked[0].legend(ncols=len(names), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    stacked[-1].set_xlabel("accuracy (%), 95% interval over problems")
    return figure


@_styled
def funnel(steps: pl.DataFrame) -> Figure:
    """Counts after each step, a bar each, one group a part; ``steps`` is the funnel table."""
    figure, axes = _axes(PAGE, 0.6 + 0.19 * steps.height)
    parts = steps["part"].unique(maintain_order=True).to_list()
    colours = [COLOURS[parts.index(part) % 8] for part in steps["part"]]
    bars = axes.barh(range(steps.height), steps["count"], color=colours, height=0.7)
    axes.bar_label(bars, labels=[f"{count:,}" for count in steps["count"]], padding=2, fontsize=7)
    axes.set_yticks(
        range(steps.height), [f"{part} \N{EN DASH} {step}" for part, step in steps.select("part", "step").iter_rows()]
    )
    axes.invert_yaxis()
    axes.margins(x=0.1, y=0.01)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("problems or answers")
    return figure


@_styled
def loss(log: pl.DataFrame) -> Figure:
    """Loss and learning rate by step, a line a stage; ``log`` is the stages' training logs."""
    figure = Figure(figsize=(COLUMN, 3.0), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    for position, ((stage,), part) in enumerate(log.group_by("stage", maintain_order=True)):
        look = {"color": COLOURS[position % 8], "linestyle": DASHES[position % 4], "label": stage}
        upper.plot(part["step"], part["loss"], **look)
        lower.plot(part["step"], part["learning_rate"], **look)
    upper.set_ylabel("training loss")
    upper.legend()
    lower.set_ylabel("learning rate")
    lower.set_xlabel("optimizer step")
    lower.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    lower.yaxis.get_offset_text().set_fontsize(7)
    return figure


@_styled
def reinforcement(log: pl.DataFrame) -> Figure:
    """Reward, groups that teach nothing, lengths and entropy by step, a line a stage; ``log``: TRAINING_LOG of GRPO."""
    panels = [
        ("reward", "reward", "mean reward"),
        ("no signal", "no_signal", "share of answers"),
        ("all right", "all_right", "share of groups"),
        ("all wrong", "all_wrong", "share of groups"),
        ("length", "completion_length", "tokens"),
        ("truncated", "truncated", "share of answers"),
        ("entropy", "entropy", "nats a token"),
        ("distance from the reference", "kl", "nats a token"),
    ]
    shown = [panel for panel in panels if log[panel[1]].drop_nulls().len()]
    rows = max(1, -(-len(shown) // 2))
    figure = Figure(figsize=(PAGE, 1.5 * rows + 0.4), layout="constrained")
    grid = figure.subplots(rows, 2, sharex=True, squeeze=False).flatten()
    for axes, (title, column, unit) in zip(grid, shown, strict=False):
        for position, ((stage,), part) in enumerate(log.group_by("stage", maintain_order=True)):
            look = {"color": COLOURS[position % 8], "linestyle": DASHES[position % 4], "label": stage}
            axes.plot(part["step"], part[column], **look)
            if column == "reward":
                low, high = part["reward"] - part["reward_std"], part["reward"] + part["reward_std"]
                axes.fill_between(part["step"], low, high, color=COLOURS[position % 8], alpha=0.15, linewidth=0)
        axes.set_title(title, loc="left")
        axes.set_ylabel(unit)
        if "share" in unit:
            axes.set_ylim(-0.03, 1.03)
    if shown:
        grid[0].legend()
    for axes in grid[len(shown) :]:
        axes.set_visible(False)
    for axes in grid[max(len(shown) - 2, 0) : len(shown)]:
        axes.set_xlabel("optimizer step")
        axes.tick_params(labelbottom=True)
    return figure


@_styled
def published_accuracy(points: pl.DataFrame) -> Figure:
    """AIME24 avg@16 against parameters, as published; hollow marks were read off a picture.

    ``points`` holds figure, model, family, x (billions of parameters), aime24 (%), note.
    """
    figure, axes = _axes(COLUMN, 3.1)
    shown = points.filter(pl.col("figure") == "accuracy_vs_params")
    families = shown["family"].unique(maintain_order=True).to_list()
    for position, family in enumerate(families):
        part = shown.filter(pl.col("family") == family).sort("x")
        colour = COLOURS[position % 8]
        axes.plot(part["x"], part["aime24"], color=colour, linestyle="-", linewidth=0.8)
        for row in part.iter_rows(named=True):
            axes.plot(
                row["x"],
                row["aime24"],
                linestyle="none",
                marker=MARKERS[position % 8],
                color=colour,
                markersize=5,
                markerfacecolor=colour if row["note"] == "table value" else "white",
            )
        axes.plot([], [], color=colour, marker=MARKERS[position % 8], markersize=5, linewidth=0.8, label=family)
    axes.set_xscale("log")
    ticks = [0.6, 1.5, 4, 8, 14]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_ylim(0, 100)
    axes.set_xlabel("parameters (billions)")
    axes.set_ylabel("AIME24 avg@16 (%), published")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@_styled
def published_compute(points: pl.DataFrame) -> Figure:
    """AIME24 avg@16 against the compute of its answers, as published; compute was read off a picture."""
    figure, axes = _axes(COLUMN, 3.1)
    shown = points.filter(pl.col("figure") == "accuracy_vs_pflops")
    for position, family in enumerate(shown["family"].unique(maintain_order=True)):
        part = shown.filter(pl.col("family") == family).sort("x")
        look = {"color": COLOURS[position % 8], "marker": MARKERS[position % 8], "markerfacecolor": "white"}
        axes.plot(part["x"], part["aime24"], linewidth=0.8, markersize=5, label=family, **look)
    axes.set_xscale("log")
    ticks = [10, 30, 100, 300]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_ylim(0, 100)
    axes.set_xlabel("PFLOPs of the answers, read off the published figure")
    axes.set_ylabel("AIME24 avg@16 (%), published")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _panels(count: int, height: float):
    """A row of panels that share their vertical axis, up to three, or several rows of them."""
    columns = min(count, 3)
    rows = -(-count // columns)
    size = (COLUMN if count == 1 else PAGE, height * rows)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for spare in axes[count:]:
        spare.set_visible(False)
    return figure, axes[:count]


def _curves(table: pl.DataFrame, kind: str, label: str) -> Figure:
    shown = table.filter(pl.col("curve").is_in(["budget", "thinking"] if kind == "budget" else [kind]))
    benchmarks = shown["benchmark"].unique(maintain_order=True).to_list()
    models = shown["model"].unique(maintain_order=True).to_list()
    figure, axes = _panels(len(benchmarks), 2.3)
    for panel, benchmark in zip(axes, benchmarks, strict=True):
        for position, model in enumerate(models):
            part = shown.filter(curve=kind, benchmark=benchmark, model=model).sort("x")
            colour = COLOURS[position % 8]
            look = {"color": colour, "linestyle": DASHES[position % 4]}
            few = len(part) <= 16
            marker = {"marker": MARKERS[position % 8], "markersize": 3.5} if few else {}
            panel.plot(part["x"], part["value"], label=model if panel is axes[0] else None, **look, **marker)
            panel.fill_between(part["x"], part["low"], part["high"], color=colour, alpha=0.15, linewidth=0)
            if kind == "budget":
                _thinking(panel, shown.filter(benchmark=benchmark, model=model), colour)
        panel.set_title(benchmark)
        panel.set_xlabel(label)
        panel.set_xscale("log", base=2 if kind == "pass@k" else 10)
        if kind == "pass@k":
            ticks = [2**power for power in range(11) if 2**power <= shown["x"].max()]
            panel.set_xticks(ticks, [str(tick) for tick in ticks])
            panel.set_xticks([], minor=True)
        panel.set_ylim(bottom=0)
    axes[0].set_ylabel("problems solved (%)" if kind == "pass@k" else "right within the budget (%)")
    figure.legend(loc="outside lower center", ncols=min(3, len(models)))
    return figure


def _thinking(panel, table: pl.DataFrame, colour: str) -> None:
    """Answers whose reasoning the engine ended: a diamond for each budget, with its interval."""
    part = table.filter(pl.col("curve") == "thinking").sort("x")
    errors = [part["value"] - part["low"], part["high"] - part["value"]]
    if part.height:
        panel.errorbar(
            part["x"], part["value"], yerr=errors, fmt="D", color=colour, markersize=4, capsize=2, mfc="white"
        )


@_styled
def pass_at_k(table: pl.DataFrame) -> Figure:
    """pass@k for every k with 95% bands, a panel a benchmark; ``table`` is the table of curves."""
    return _curves(table, "pass@k", "k")


@_styled
def budget(table: pl.DataFrame) -> Figure:
    """avg@n against the tokens an answer may take, a panel a benchmark; ``table`` is the table of curves.

    Lines: longer answers count as wrong. Diamonds: answers whose reasoning the engine ended at a budget of tokens.
    """
    return _curves(table, "budget", "tokens allowed for an answer")


@_styled
def compute(table: pl.DataFrame) -> Figure:
    """avg@n against the compute of the answers, a mark a model and benchmark; ``table`` is the table of compute."""
    figure, axes = _axes(COLUMN, 2.6)
    benchmarks = table["benchmark"].unique(maintain_order=True).to_list()
    models = table["model"].unique(maintain_order=True).to_list()
    for position, model in enumerate(models):
        part = table.filter(pl.col("model") == model)
        look = {"color": COLOURS[position % 8], "marker": MARKERS[position % 8], "linestyle": "none"}
        axes.plot(part["pflops"], part["accuracy"], markersize=6, label=model, **look)
        for row in part.iter_rows(named=True) if len(benchmarks) > 1 else []:
            place = (row["pflops"], row["accuracy"])
            axes.annotate(row["benchmark"], place, (4, 3), textcoords="offset points", fontsize=6)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.2, y=0.2)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("PFLOPs of the benchmark's answers")
    axes.set_ylabel("avg@n (%)")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


@_styled
def lengths(table: pl.DataFrame) -> Figure:
    """Answers by generated tokens, right and wrong apart, a panel for each effort, and for each model."""
    parts = table["part"].unique(maintain_order=True).to_list()
    figure, axes = _panels(len(parts), 1.9)
    for panel, part in zip(axes, parts, strict=True):
        rows = table.filter(pl.col("part") == part)
        total = max(1, rows["answers"].sum())
        for position, verdict in enumerate(("right", "wrong")):
            bins = rows.filter(pl.col("verdict") == verdict).sort("low")
            edges = [*bins["low"], bins["high"][-1]]
            look = {"color": COLOURS[position], "linestyle": DASHES[position], "label": verdict}
            panel.stairs(100 * bins["answers"] / total, edges, **(look if panel is axes[0] else look | {"label": None}))
        panel.set_title(part)
        panel.set_xscale("log")
        panel.set_xlabel("tokens")
    axes[0].set_ylabel("answers (%)")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@_styled
def vote_shares(table: pl.DataFrame) -> Figure:
    """Problems by the share of votes that their top answer has, stacked by agreement with the data set's label."""
    figure, axes = _axes(COLUMN, 2.5)
    below: dict[float, int] = {}
    hatches = ["", "////", "....", "xxxx"]
    for position, kind in enumerate(table["agrees"].unique().sort()):
        rows = table.filter(pl.col("agrees") == kind)
        bottoms = [below.get(low, 0) for low in rows["low"]]
        widths = rows["high"] - rows["low"]
        look = {"color": COLOURS[position % 8], "hatch": hatches[position % 4], "edgecolor": "white", "linewidth": 0.4}
        axes.bar(rows["low"], rows["problems"], widths, bottoms, align="edge", label=kind, **look)
        for low, count in rows.select("low", "problems").iter_rows():
            below[low] = below.get(low, 0) + count
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the votes that the top answer has")
    axes.set_ylabel("problems")
    figure.legend(loc="outside lower center", ncols=2)
    return figure
