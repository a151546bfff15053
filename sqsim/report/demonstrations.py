"""The figure of `sqsim demonstrate`: 1 / tau^2 against the dimension, a panel for each link."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from sqsim.errors import BadInput
from sqsim.report.reading import Results, require
from sqsim.report.style import FAINT, INK, SMALL, TEXT, blank, heading, log_axis, place, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, HEIGHT, LEFT, GAP, BOTTOM, TOP, UP = 2.15, 2.1, 0.75, 0.35, 0.6, 1.05, 0.75
COLUMNS = 4
DRAWN = "uniform"


class _Look(NamedTuple):
    color: str
    line: Any
    mark: str


LOOKS = {
    "online SGD": _Look("#0072B2", "-", "o"),
    "partial trace": _Look("#56B4E9", (0, (1.5, 1.5)), "v"),
    "alternating SGD": _Look("#D55E00", (0, (7, 2, 1.5, 2)), "^"),
    "batch reuse": _Look("#CC79A7", (0, (3, 1.5)), "D"),
    "label transform": _Look("#009E73", (0, (5, 2)), "s"),
}


def demonstration_figure(results: Results, *, errors: str | None = None) -> Figure:
    """Thresholds under one kind of answer errors, each line with its slope.

    Parameters
    ----------
    errors : name of the answer errors; independent ones, or the first there are, unless given.
    """
    require(results, "sqsim.demonstrate/1")
    kinds = list(dict.fromkeys(row["errors"] for row in results["strategies"]))
    chosen = errors or (DRAWN if DRAWN in kinds else kinds[0])
    rows = [row for row in results["strategies"] if row["errors"] == chosen]
    values = [
        point["tolerance"] ** -2
        for row in rows
        for point in row["thresholds"]
        if point["tolerance"] is not None
    ]
    if not values:
        raise BadInput(f"nothing was found under {chosen} errors; there is nothing to draw")
    columns = min(COLUMNS, len(results["links"]))
    lines = math.ceil(len(results["links"]) / columns)
    figure = blank(
        max(LEFT + columns * (PANEL + GAP) + 0.1, 6.2),
        TOP + lines * HEIGHT + (lines - 1) * UP + BOTTOM,
    )
    limits = (10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values))))
    for index, link in enumerate(results["links"]):
        column, line = index % columns, index // columns
        axes = place(
            figure,
            left=LEFT + column * (PANEL + GAP),
            bottom=BOTTOM + (lines - 1 - line) * (HEIGHT + UP),
            width=PANEL,
            height=HEIGHT,
        )
        _panel(axes, results, link, [row for row in rows if row["link"] == link["name"]], limits)
        if column == 0:
            axes.set_ylabel("1 / τ² at which v is found", fontsize=SMALL, color=INK)
        if index + columns >= len(results["links"]):
            axes.set_xlabel("dimension d", fontsize=TEXT, color=INK)
    heading(
        figure,
        "What a query may look at decides how fine its answers must be",
        f"answer errors: {chosen}; found: overlap ≥ {results['found_at_overlap']}; number at a "
        "line: its slope; grey: the slope k/2, not the level, of the lower bounds, CSQ solid, "
        "SQ dashed",
    )
    _keys(figure)
    return figure


def _panel(
    axes: Axes, results: Results, link: Results, rows: list[Results], limits: tuple[float, float]
) -> None:
    sizes = results["dimensions"]
    # Room on the right for the slopes.
    log_axis(axes, "x", sizes[0] / 1.2, sizes[-1] * (sizes[-1] / sizes[0]) ** 0.28)
    log_axis(axes, "y", *limits, ticks=6)
    title = f"{link['title']}: exponents {link['information']}, {link['generative']}"
    write(axes, 0.0, 1.04, title, transform=axes.transAxes, va="bottom", fontsize=TEXT)
    for access, style in (("CSQ", "-"), ("SQ", (0, (5, 2)))):
        rate = link["lower_bound"][access]
        ends = [limits[0], limits[0] * (sizes[-1] / sizes[0]) ** rate]
        axes.plot([sizes[0], sizes[-1]], ends, color=FAINT, lw=0.7, ls=style, alpha=0.7, zorder=1)
    ends_at: list[tuple[float, float, Results]] = []
    for row in rows:
        look = LOOKS[row["strategy"]]
        points = [(p["dimension"], p["tolerance"]) for p in row["thresholds"] if p["tolerance"]]
        if not points:
            continue
        x, y = [d for d, _ in points], [tau**-2 for _, tau in points]
        axes.plot(
            x,
            y,
            color=look.color,
            ls=look.line,
            lw=1.4,
            marker=look.mark,
            ms=3.5,
            mfc="white",
            mew=1.0,
            zorder=3,
        )
        ends_at.append((x[-1], y[-1], row))
    _slopes(axes, ends_at, limits)


def _slopes(
    axes: Axes, ends: list[tuple[float, float, Results]], limits: tuple[float, float]
) -> None:
    """Slopes right of the lines' ends, those at the same place apart."""
    least = (math.log10(limits[1] / limits[0])) * 0.075
    last: dict[float, float] = {}
    for x, y, row in sorted(ends, key=lambda end: end[1]):
        height = max(math.log10(y), last.get(x, -math.inf) + least)
        last[x] = height
        if row["measured"] is not None:
            look = LOOKS[row["strategy"]]
            text = f"{row['measured']:.1f}"
            write(axes, x * 1.25, 10**height, text, color=look.color, va="center", fontsize=7.5)


def _keys(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    access = {"online SGD": "CSQ", "partial trace": "CSQ"}
    handles = [
        Line2D(
            [],
            [],
            color=look.color,
            ls=look.line,
            lw=1.6,
            marker=look.mark,
            ms=5,
            mfc="white",
            label=f"{name} ({access.get(name, 'SQ')})",
        )
        for name, look in LOOKS.items()
    ]
    across, up = figure.get_size_inches()
    figure.legend(
        handles=handles,
        ncols=len(handles) if across > 8 else 3,
        loc="upper left",
        frameon=False,
        fontsize=SMALL,
        bbox_to_anchor=(0.14 / across, 1 - 0.55 / up),
        borderpad=0,
        borderaxespad=0,
        handlelength=3.6,
        columnspacing=1.6,
        labelcolor=INK,
    )
