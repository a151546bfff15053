"""The axes of the figures of a study: limits, ticks and their labels.  This file knows no runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqsim.report.reading import number
from sqsim.report.study.looks import ACROSS, LETTER, SLANT, tex
from sqsim.report.style import INK, TEXT, log_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DODGE = 6.0
"""Points between the error bars of two series at the same x, at most."""
FEW = 8
"""Numbers on an axis that are all named."""
LINE = 0.16
"""Inches between the labels of two ticks, at least; else some ticks go unnamed."""


def axis_labels(axes: Axes, x: str, y: str) -> None:
    """Names of both axes; LaTeX between dollar signs."""
    axes.set_xlabel(x, fontsize=TEXT, color=INK, **tex(x))
    axes.set_ylabel(y, fontsize=TEXT, color=INK, **tex(y))


def scaled(
    axes: Axes, which: str, values: Sequence[float], *, log: bool, margin: float = 0.06
) -> None:
    """An axis over these values with a margin; a log axis over the positive ones."""
    finite = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
    low, high = (min(finite), max(finite)) if finite else (1.0, 10.0)
    if log:
        share = margin * math.log(high / low) if high > low else math.log(2)
        log_scale(axes, which, low * math.exp(-share), high * math.exp(share))
        return
    share = margin * (high - low) or max(abs(low) * 0.1, 0.5)
    getattr(axes, f"set_{which}lim")(low - share, high + share)
    plain_numbers(axes, which)


def plain_numbers(axes: Axes, which: str) -> None:
    """Ticks with few digits and a real minus."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(float(f"{value:.6g}"))))


def name_values(axes: Axes, values: Sequence[float]) -> None:
    """Ticks at the values themselves, where they are few, far between and short to write."""
    to_axes = axes.transScale + axes.transLimits
    places = sorted(float(to_axes.transform((value, axes.get_ylim()[0]))[0]) for value in values)
    near = min((b - a for a, b in pairwise(places)), default=1.0)
    short = axes.get_xscale() != "log" or all(0.009 < value < 1e5 for value in values)
    if len(values) <= FEW and near > 0.09 and short:
        axes.set_xticks(values)
        axes.set_xticks([], minor=True)


def words(axes: Axes, which: str, names: Sequence[str]) -> None:
    """An axis with a place for each word, slanted where they are long."""
    box = axes.bbox.width if which == "x" else axes.bbox.height
    inches = box / axes.figure.dpi
    every = max(1, math.ceil(len(names) * LINE / inches))
    shown = list(range(0, len(names), every))
    getattr(axes, f"set_{which}lim")(-0.5, len(names) - 0.5)
    crowded = which == "x" and crowd([names[index] for index in shown], inches)
    turn: dict[str, Any] = {"rotation": SLANT, "ha": "right", "rotation_mode": "anchor"}
    getattr(axes, f"set_{which}ticks")(
        shown,
        [names[index] for index in shown],
        parse_math=False,
        **(turn if crowded else {}),
    )


def crowd(names: Sequence[str], inches: float) -> bool:
    """Whether words side by side do not fit into so many inches."""
    return LETTER * 1.15 * max(map(len, names), default=0) * len(names) > inches


def beside(axes: Axes, place: int, count: int) -> Any:
    """Coordinates of the data moved a little, so that series do not hide each other's bars."""
    from matplotlib.transforms import ScaledTranslation

    points = (place - (count - 1) / 2) * min(DODGE, 24.0 / count)
    scale = axes.get_figure(root=True).dpi_scale_trans  # type: ignore[union-attr]
    return axes.transData + ScaledTranslation(points / 72, 0, scale)


def hide_inner(axes: Sequence[Axes]) -> None:
    """Panels that share axes: labels at the left and at the bottom of each column only."""
    for index, one in enumerate(axes):
        if index % ACROSS:
            one.set_ylabel("")
            one.tick_params(axis="y", which="both", labelleft=False)
        if index + ACROSS < len(axes):
            one.set_xlabel("")


def log_scale(axes: Axes, which: str, low: float, high: float) -> None:
    """A log axis that names 1, 2 and 5 of each decade where it spans less than two."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    log_axis(axes, which, low, high)
    if high / low >= 80:
        return
    axis = getattr(axes, f"{which}axis")
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(float(f"{value:.6g}"))))
    if high / low < 4:
        axis.set_major_locator(FixedLocator(MaxNLocator(5).tick_values(low, high)))
        return
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    marks = [m * 10.0**k for k in range(first, last + 1) for m in (1, 2, 5)]
    axis.set_major_locator(FixedLocator([m for m in marks if low <= m <= high]))
