"""The figure of `sqsim basin`: where labels of the budget stop each local step."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from sqsim.errors import BadInput
from sqsim.report.reading import Results, number, require
from sqsim.report.style import (
    FAINT,
    INK,
    TEXT,
    blank,
    heading,
    leaders,
    log_axis,
    place,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, LEFT, LABELS, BODY = 9.4, 0.72, 1.75, 4.3
FLOOR = -300.0
"""Logarithms of ratios are cut here and at its negative: only the sign is drawn."""


class _Look(NamedTuple):
    color: str
    line: Any


LOOKS = {
    "plain": _Look("#0072B2", "-"),
    "reweighted": _Look("#D55E00", (0, (7, 2, 1.5, 2))),
    "smoothed": _Look("#CC79A7", (0, (1.5, 1.5))),
    "optimal": _Look("#009E73", (0, (5, 2))),
}


def basin_figure(results: Results) -> Figure:
    """The curves noise = signal over |bias| and angle, with the straight lines of the limit law.

    Between the two branches of a curve the step turns toward v whatever the labels' noise does.
    Curves are interpolated between the proved values on the grid.
    """
    require(results, "sqsim.basin/1")
    if "grid" not in results:
        raise BadInput("these results have no grid; run `sqsim basin` with --out or --bias-range")
    grid = results["grid"]
    sizes, angles = [abs(b) for b in grid["biases"]], grid["angles"]
    figure = blank(WIDTH, BODY + 1.45)
    axes = place(figure, left=LEFT, bottom=0.55, width=WIDTH - LEFT - LABELS, height=BODY)
    log_axis(axes, "x", min(sizes), max(sizes))
    log_axis(axes, "y", min(angles), max(angles))
    axes.set_xlabel("size of the bias |b|", fontsize=TEXT, color=INK)
    axes.set_ylabel("angle to the neuron (radians)", fontsize=TEXT, color=INK)
    fields = _fields(results)
    ends: list[tuple[float, float, str, str]] = []
    for name, rows in fields.items():
        ends += _boundary(axes, name, sizes, angles, rows)
    _shade(axes, fields, sizes, angles)
    _asymptotes(axes, results, max(sizes))
    leaders(axes, [*ends, *_cap(axes, results)])
    heading(
        figure,
        "Where no noise of this budget can stop one step",
        f"budget: E[noise²] = ‖max(z + b, 0)‖² / {number(results['alpha'])}; within a curve's "
        "branches noise / signal < 1; proved on a grid, interpolated between; computed here",
    )
    _keys(figure, list(fields))
    return figure


def _fields(results: Results) -> dict[str, list[list[float]]]:
    """For each update log(noise / signal), a row for each angle."""
    grid = results["grid"]
    found = {(p["update"], p["bias"], p["angle"]): p for p in results["points"]}
    names = [name for name in LOOKS if any(key[0] == name for key in found)]
    return {
        name: [
            [_logarithm(found[name, bias, angle]["noise_to_signal"]) for bias in grid["biases"]]
            for angle in grid["angles"]
        ]
        for name in names
    }


def _logarithm(ends: Results) -> float:
    """Natural logarithm of a bracket's upper end, which may be beyond any float."""
    mantissa, _, exponent = ends["upper"].lower().partition("e")
    value = math.log(float(mantissa)) + int(exponent or 0) * math.log(10)
    return min(max(value, FLOOR), -FLOOR)


def _boundary(
    axes: Axes, name: str, sizes: list[float], angles: list[float], rows: list[list[float]]
) -> list[tuple[float, float, str, str]]:
    """Draw the curve; where it leaves the axes on the right, its label's place."""
    look = LOOKS[name]
    drawn = axes.contour(
        sizes,
        angles,
        rows,
        levels=[0.0],
        colors=[look.color],
        linestyles=[look.line],
        linewidths=1.8,
    )
    drawn.set_gid(f"boundary-{name}")
    column = [row[-1] for row in rows]
    to_axes = axes.transScale + axes.transLimits
    ends = []
    for (low, below), (high, above) in pairwise(zip(angles, column, strict=True)):
        if (below > 0) != (above > 0):
            share = below / (below - above)
            at = math.exp(math.log(low) + share * math.log(high / low))
            _, y = to_axes.transform((sizes[-1], at))
            ends.append((1.0, float(y), name, look.color))
    return ends


def _shade(
    axes: Axes, fields: dict[str, list[list[float]]], sizes: list[float], angles: list[float]
) -> None:
    """The basin of the best weight: outside of it no weight of <w, x> is safe."""
    if "optimal" not in fields:
        return
    shade = [LOOKS["optimal"].color]
    lowest = 2 * FLOOR
    axes.contourf(
        sizes, angles, fields["optimal"], levels=[lowest, 0.0], colors=shade, alpha=0.08, zorder=0
    )


def _asymptotes(axes: Axes, results: Results, most: float) -> None:
    """angle = c / |b| at the limit law's roots."""
    low, high = axes.get_xlim()
    for name, limit in results["limits"].items():
        for root in limit["roots"] or ():
            c = float(root["lower"])
            axes.plot(
                [low, high],
                [c / low, c / high],
                color=LOOKS[name].color,
                lw=0.9,
                alpha=0.75,
                ls=(0, (1, 1)),
                zorder=1,
                gid=f"limit-{name}",
                scalex=False,
                scaley=False,
            )


def _cap(axes: Axes, results: Results) -> list[tuple[float, float, str, str]]:
    """The angle to which labels on a cap tilt thresholded PCA, and its label's place."""
    angle = float(results["cap_angle"]["upper"])
    low, high = axes.get_ylim()
    if not low < angle < high:
        return []
    axes.axhline(angle, color=FAINT, lw=0.9, zorder=1, gid="cap-angle")
    _, y = (axes.transScale + axes.transLimits).transform((axes.get_xlim()[1], angle))
    return [(1.0, float(y), f"cap against PCA: {angle:.3g}", FAINT)]


def _keys(figure: Figure, names: list[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=LOOKS[name].color, ls=LOOKS[name].line, lw=1.8, label=name)
        for name in names
    ]
    limit = Line2D([], [], color=FAINT, lw=0.9, ls=(0, (1, 1)), label="limit law, angle = c / |b|")
    across, up = figure.get_size_inches()
    figure.legend(
        handles=[*handles, limit],
        ncols=len(names) + 1,
        loc="upper left",
        frameon=False,
        fontsize=8.0,
        bbox_to_anchor=(0.14 / across, 1 - 0.6 / up),
        borderpad=0,
        borderaxespad=0,
        handlelength=4.2,
        columnspacing=2.0,
        labelcolor=INK,
    )
