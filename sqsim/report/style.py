"""Colours, marks, axes and labels shared by all figures.  This file knows no results.

Colours are Okabe and Ito's, told apart by colour-blind readers; line style and mark say the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqsim.report.reading import Group

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

INK = "#1a1a1a"
FAINT = "#6b6b6b"
RULE = "#d9d9d9"
TEXT = 9.0
SMALL = 8.0
LABEL_STEP = 14.0
"""Points between the baselines of two labels."""


class Style(NamedTuple):
    """How one group of learners is drawn."""

    color: str
    line: Any
    mark: str


STYLES = {
    Group.CSQ: Style("#0072B2", "-", "o"),
    Group.WARM: Style("#D55E00", (0, (7, 2, 1.5, 2)), "^"),
    Group.SQ: Style("#009E73", (0, (5, 2)), "s"),
}


def blank(width: float, height: float) -> Figure:
    """A white figure of this size in inches, tied to no window and no global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor="white")


def place(figure: Figure, *, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place given in inches, plain and without a box."""
    across, up = figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.set_facecolor("white")
    axes.grid(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(which="both", labelsize=SMALL, colors=INK, color=FAINT)
    return axes


def write(axes: Axes, x: float, y: float, text: str, **options: Any) -> None:
    """Text that is never read as a formula, whatever a learner is called."""
    settings: dict[str, Any] = {
        "fontsize": SMALL,
        "color": INK,
        "parse_math": False,
        "zorder": 6,
    } | options
    axes.text(x, y, text, **settings)


def heading(figure: Figure, title: str, subtitle: str) -> None:
    """Two lines at the top left."""
    across, up = figure.get_size_inches()
    settings: dict[str, Any] = {"color": INK, "parse_math": False, "va": "top"}
    figure.text(0.14 / across, 1 - 0.12 / up, title, fontsize=11, weight="bold", **settings)
    figure.text(0.14 / across, 1 - 0.36 / up, subtitle, fontsize=SMALL, **settings)


def legend(
    figure: Figure, groups: Sequence[Group], *, crossed: str | None, lines: bool = True
) -> None:
    """One row of keys under the heading; without lines the marks are filled."""
    from matplotlib.lines import Line2D

    handles: list[Line2D] = []
    for group in groups:
        style = STYLES[group]
        handles.append(
            Line2D(
                [],
                [],
                color=style.color,
                ls=style.line if lines else "none",
                lw=1.8,
                marker=style.mark,
                ms=6,
                mew=1.6,
                mfc="white" if lines else style.color,
                label=group.value,
            )
        )
    if crossed is not None:
        handles.append(
            Line2D([], [], color=INK, ls="none", marker="x", ms=6, mew=1.6, label=crossed)
        )
    across, up = figure.get_size_inches()
    figure.legend(
        handles=handles,
        ncols=len(handles),
        loc="upper left",
        frameon=False,
        fontsize=SMALL,
        bbox_to_anchor=(0.14 / across, 1 - 0.6 / up),
        borderpad=0,
        borderaxespad=0,
        handlelength=4.2 if lines else 1.2,
        columnspacing=2.0,
        labelcolor=INK,
    )


def powers(value: float, _: Any = None) -> str:
    """1, 10, 100, 1000 and then powers of ten."""
    if value <= 0:
        return ""
    exponent = round(math.log10(value))
    if abs(value / 10.0**exponent - 1) > 1e-6:
        return ""
    if -2 <= exponent <= 3:
        return f"{value:.{max(0, -exponent)}f}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def log_axis(axes: Axes, which: str, low: float, high: float, *, ticks: int = 9) -> None:
    """A log axis over [low, high] with few major ticks and plain labels."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}lim")(low, high)
    axis = getattr(axes, f"{which}axis")
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    step = max(1, math.ceil((last - first + 1) / ticks))
    major = [10.0**k for k in range(first, last + 1) if k % step == 0]
    axis.set_major_locator(FixedLocator(major))
    axis.set_major_formatter(FuncFormatter(powers))
    fine = range(2, 10) if step == 1 else ()
    minor = [m * 10.0**k for k in range(first - 1, last + 1) for m in fine]
    minor += [] if step == 1 else [10.0**k for k in range(first, last + 1)]
    axis.set_minor_locator(FixedLocator([tick for tick in minor if low <= tick <= high]))
    axis.set_minor_formatter(NullFormatter())


def spread(wanted: Sequence[float], step: float, low: float, high: float) -> list[float]:
    """Positions at least `step` apart and near the wanted ones, within [low, high] if they fit."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    blocks: list[tuple[float, int]] = []  # (centre, labels) of labels that touch
    for index in order:
        centre, size = min(max(wanted[index], low), high), 1
        while blocks:
            before, count = blocks[-1]
            if centre - step * (size - 1) / 2 - (before + step * (count - 1) / 2) >= step:
                break
            blocks.pop()
            centre = (before * count + centre * size) / (count + size)
            size += count
            half = step * (size - 1) / 2
            centre = max(min(centre, high - half), low + half)
        blocks.append((centre, size))
    places = [
        centre + step * (rank - (size - 1) / 2) for centre, size in blocks for rank in range(size)
    ]
    found = [0.0] * len(wanted)
    for rank, index in enumerate(order):
        found[index] = places[rank]
    return found


def leaders(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Labels in a column right of the axes, tied by thin lines to ends in axes coordinates.

    Parameters
    ----------
    ends : sequence of (x, y, label, colour)
    """
    # Ties go by x, so that a leader does not cross the marks to its right.
    up = axes.bbox.height / axes.figure.dpi * 72
    heights = spread([y * up + 6 * (x - 1) for x, y, _, _ in ends], LABEL_STEP, 4.0, up - 4.0)
    for (x, y, label, color), height in zip(ends, heights, strict=True):
        axes.plot(
            [x, 1.0, 1.02],
            [y, height / up, height / up],
            transform=axes.transAxes,
            color=color,
            lw=0.7,
            alpha=0.8,
            clip_on=False,
            zorder=2,
            scalex=False,
            scaley=False,
        )
        write(axes, 1.03, height / up, label, transform=axes.transAxes, va="center")
