"""The figure of `sqsim designers`: loss over OPT of each learner under each design, by bias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqsim.errors import BadInput
from sqsim.report.reading import Results, number, require
from sqsim.report.style import FAINT, INK, SMALL, TEXT, blank, heading, log_axis, place, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, HEIGHT, GAP, LEFT, BOTTOM, TOP = 1.72, 1.5, 0.14, 0.82, 0.52, 1.36
MOST_ALPHAS = 6
LARGEST = 6.5
SHADE = "#D55E00"
ABOVE = 0.4
"""Of a row's axis: its top is so much of a decade above the loss of the zero hypothesis."""


class _Look(NamedTuple):
    color: str
    line: Any
    mark: str


LOOKS = (
    _Look("#0072B2", "-", "o"),
    _Look("#D55E00", (0, (7, 2, 1.5, 2)), "^"),
    _Look("#CC79A7", (0, (1.5, 1.5)), "D"),
    _Look("#56B4E9", (0, (3, 1, 1, 1)), "v"),
    _Look("#6b6b6b", (0, (5, 2)), "s"),
    _Look("#009E73", (0, (9, 2)), "P"),
)


def designers_figure(results: Results) -> Figure:
    """A row of panels for each alpha, a column for each learner, a line for each design.

    Right of the upright line the reweighted step at overlap 0.9 can be pushed away from v, proved:
    the ground is shaded for the learner that starts so.  The dotted line is the loss of the zero
    hypothesis, about alpha + 1 times OPT.
    """
    require(results, "sqsim.designers/1")
    alphas, learners = list(results["alphas"])[:MOST_ALPHAS], list(results["learners"])
    if not results["rows"]:
        raise BadInput("no design could spend its budget: there is nothing to draw")
    across = LEFT + len(learners) * (PANEL + GAP) + 0.1
    figure = blank(max(across, 7.6), BOTTOM + len(alphas) * (HEIGHT + GAP) + TOP)
    for row, alpha in enumerate(alphas):
        for column, learner in enumerate(learners):
            axes = place(
                figure,
                left=LEFT + column * (PANEL + GAP),
                bottom=BOTTOM + (len(alphas) - 1 - row) * (HEIGHT + GAP),
                width=PANEL,
                height=HEIGHT,
            )
            _panel(axes, results, alpha, learner)
            _edges(axes, alpha, learner, (row == 0, row == len(alphas) - 1, column == 0))
    heading(
        figure,
        "Two-stage learners against labels corrupted to defeat them",
        "loss / OPT, OPT over all norms and biases; budget E[noise²] = ‖max(z + b, 0)‖² / α; "
        "exact population answers; computed here",
    )
    _keys(figure, results["designs"])
    return figure


def worst(results: Results, alpha: float, learner: str) -> list[Results]:
    """For each |b|, ascending, the row of the design under which this learner loses most."""
    found: dict[float, Results] = {}
    for row in results["rows"]:
        if (row["alpha"], row["learner"]) == (alpha, learner):
            best = found.get(-row["bias"])
            if best is None or row["ratio"] > best["ratio"]:
                found[-row["bias"]] = row
    return [found[size] for size in sorted(found)]


def _panel(axes: Axes, results: Results, alpha: float, learner: str) -> None:
    sizes = [-bias for bias in results["biases"]]
    low, high = min(sizes) / 1.15, max(sizes) * 1.15
    log_axis(axes, "x", low, high)
    _plain_ticks(axes, sizes)
    log_axis(axes, "y", 0.8, (alpha + 1) * 10**ABOVE, ticks=5)
    axes.axhline(1.0, color=FAINT, lw=0.8, zorder=1)
    axes.axhline(alpha + 1, color=INK, lw=0.9, ls=(0, (1, 1.5)), zorder=1)
    _fooled(axes, results, alpha, learner, high)
    for index, design in enumerate(results["designs"]):
        look = LOOKS[index % len(LOOKS)]
        points = sorted(
            (-row["bias"], row["ratio"])
            for row in results["rows"]
            if (row["alpha"], row["learner"], row["design"]) == (alpha, learner, design)
        )
        axes.plot(
            [size for size, _ in points],
            [ratio for _, ratio in points],
            color=look.color,
            ls=look.line,
            lw=1.3,
            marker=look.mark,
            # Lines that coincide stay visible: later marks are smaller.
            ms=LARGEST - 0.6 * index,
            mfc="white",
            mew=1.0,
            zorder=4,
            gid=f"{design}-{alpha:g}-{learner}",
        )


def _edges(axes: Axes, alpha: float, learner: str, sides: tuple[bool, bool, bool]) -> None:
    """Names of learners on top, of |b| below and of alpha on the left, once each."""
    top, bottom, first = sides
    if top:
        write(axes, 0.0, 1.03, learner.replace(", then", ",\nthen"), transform=axes.transAxes)
    if bottom:
        axes.set_xlabel("|b|", fontsize=TEXT, color=INK, labelpad=1)
    else:
        axes.tick_params(labelbottom=False)
    if first:
        axes.set_ylabel(f"α = {number(alpha)}\nloss / OPT", fontsize=TEXT, color=INK)
    else:
        axes.tick_params(labelleft=False)


def _plain_ticks(axes: Axes, sizes: Sequence[float]) -> None:
    """A few round biases: less than a decade has no other ticks."""
    from matplotlib.ticker import FixedLocator, FuncFormatter

    kept = [size for size in (2.0, 5.0, 10.0, 20.0) if min(sizes) <= size <= max(sizes)]
    axes.xaxis.set_major_locator(FixedLocator(kept or [min(sizes), max(sizes)]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.xaxis.set_minor_locator(FixedLocator([]))


def _fooled(axes: Axes, results: Results, alpha: float, learner: str, high: float) -> None:
    found = [one["bias"] for one in results["fooled"] if one["alpha"] == alpha and one["bias"]]
    if not found or not found[0]["above"] < high:
        return
    at = found[0]["above"]
    axes.axvline(at, color=SHADE, lw=0.8, alpha=0.7, zorder=1, gid=f"fooled-{alpha:g}-{learner}")
    if learner.startswith("reweighted"):
        axes.axvspan(at, high, color=SHADE, alpha=0.1, lw=0, zorder=0)
        where: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "color": SHADE}
        write(axes, at / 1.03, 0.985, f"|b| = {at:.2f}", ha="right", va="top", **where)


def _keys(figure: Figure, designs: Sequence[str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], color=look.color, ls=look.line, lw=1.3, marker=look.mark, ms=4,
               mfc="white", mew=1.0, label=name)
        for name, look in ((name, LOOKS[i % len(LOOKS)]) for i, name in enumerate(designs))
    ]  # fmt: skip
    shade = "one reweighted step from 0.9 foolable (proved)"
    handles.append(Patch(facecolor=SHADE, alpha=0.2, lw=0, label=shade))
    zero = "zero hypothesis: about α + 1"
    handles.append(Line2D([], [], color=INK, ls=(0, (1, 1.5)), lw=0.9, label=zero))
    across, up = figure.get_size_inches()
    figure.legend(
        handles=handles,
        ncols=3,
        loc="upper left",
        frameon=False,
        fontsize=SMALL,
        bbox_to_anchor=(0.14 / across, 1 - 0.56 / up),
        borderpad=0,
        borderaxespad=0,
        handlelength=3.6,
        columnspacing=1.6,
        labelspacing=0.3,
        labelcolor=INK,
    )
