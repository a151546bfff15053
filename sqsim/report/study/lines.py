"""Figures of kind curve, frequency and bars.  This file does not gather their points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqsim.report.reading import number
from sqsim.report.study.columns import label, real
from sqsim.report.study.looks import PAPER, Look, key_rows, legend, look, panels
from sqsim.report.study.overlays import draw_level, draw_marks, draw_proved, proved_handles
from sqsim.report.study.points import Gathered, Line, Point
from sqsim.report.study.scales import (
    axis_labels,
    beside,
    hide_inner,
    name_values,
    scaled,
    words,
)
from sqsim.report.style import INK, RULE, SMALL, write
from sqsim.studies.figures import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

HEIGHT = 3.3
MOST_MARKS = 40
"""Points of a line beyond which it has a band in place of marks and error bars."""
BAND = 0.14


def lines_figure(figure: Figure, found: Gathered) -> Drawing:
    """The panels of a gathered figure, with one legend above them."""
    names = list(found.names)
    keys = [name or label(figure.y) for name in names]
    several = len(names) > 1
    looks = {name: look(place) for place, name in enumerate(found.order)}
    handles = [_handle(figure, looks[n], k) for n, k in zip(names, keys, strict=True)] * several
    handles += proved_handles(figure, found)
    rows = len(key_rows([str(handle.get_label()) for handle in handles])) if handles else 0
    drawing, axes = panels(
        len(found.panels),
        keys=rows,
        height=HEIGHT,
        titled=bool(figure.panel),
        named=[str(x) for x in found.xs] if found.worded else (),
    )
    for place, (one, panel) in enumerate(zip(axes, found.panels, strict=True)):
        _frame(one, figure, found)
        for line in panel.lines:
            _draw(one, figure, found, line, looks[line.name], names)
        draw_proved(one, figure, found, panel.lines, looks)
        draw_level(one, figure)
        draw_marks(one, figure, found, named=place == 0)
        if panel.name:
            one.set_title(panel.name, fontsize=SMALL, color=INK, loc="left", parse_math=False)
    hide_inner(axes)
    legend(drawing, handles)
    return drawing


def _frame(axes: Axes, figure: Figure, found: Gathered) -> None:
    if found.worded:
        words(axes, "x", [str(x) for x in found.xs])
    else:
        marked = [v for mark in figure.marks if (v := real(mark.get("x"))) is not None]
        margin = 0.1 if figure.kind == "frequency" else 0.06
        scaled(axes, "x", [*found.xs, *marked], log="x" in figure.log, margin=margin)
    if not found.worded:
        name_values(axes, [x for x in found.xs if x > 0 or "x" not in figure.log])
    if figure.kind == "frequency":
        axes.set_ylim(-0.03, 1.03)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "0.25", "0.5", "0.75", "1"])
    else:
        scaled(axes, "y", _heights(figure, found), log="y" in figure.log)
    axes.grid(visible=True, axis="y", color=RULE, lw=0.6, zorder=0)
    axes.set_axisbelow(True)
    share = f"share of runs with {label(figure.y)}"
    default = share if figure.kind == "frequency" else label(figure.y)
    axis_labels(axes, figure.x_label or label(figure.x), figure.y_label or default)


def _heights(figure: Figure, found: Gathered) -> list[float]:
    heights = [
        v
        for line in found.lines
        for point in line.points
        for v in (point.centre, point.low, point.high)
        if v is not None
    ]
    heights += [v for line in found.lines for bound in line.proved.values() for _, v in bound]
    if figure.level is not None:
        heights.append(figure.level)
    if figure.kind == "bars" and "y" not in figure.log:
        heights.append(0.0)
    return heights


def _draw(
    axes: Axes, figure: Figure, found: Gathered, line: Line, style: Look, names: Sequence[str]
) -> None:
    if figure.kind == "bars":
        _bars(axes, found, line, style, names)
        return
    wanted = figure.kind == "frequency" or bool(figure.low)
    barred = found.worded or (wanted and len(line.points) <= MOST_MARKS)
    moved = barred and not figure.low
    at = beside(axes, names.index(line.name), len(names)) if moved else axes.transData
    log = "y" in figure.log
    kept = [point for point in line.points if _visible(point, log)]
    xs = [found.across(point.x) for point in kept]
    top = axes.get_ylim()[1]
    ys = [min(point.centre, top) for point in kept]
    marks = style.mark if len(kept) <= MOST_MARKS else "none"
    axes.plot(
        xs,
        ys,
        color=style.color,
        ls="none" if found.worded else style.line,
        lw=1.6,
        marker=marks,
        ms=5,
        mew=1.3,
        mfc=PAPER,
        zorder=4,
        clip_on=False,
        transform=at,
    )
    beyond = [x for x, point in zip(xs, kept, strict=True) if math.isinf(point.centre)]
    edge: dict[str, Any] = {"ls": "none", "marker": "^", "ms": 7, "clip_on": False}
    axes.plot(beyond, [top] * len(beyond), color=style.color, transform=at, **edge)
    if barred:
        _error_bars(axes, xs, kept, style.color, transform=at)
    else:
        _band(axes, xs, kept, style)


def _bars(axes: Axes, found: Gathered, line: Line, style: Look, names: Sequence[str]) -> None:
    width = 0.8 / max(len(names), 1)
    shift = (names.index(line.name) - (len(names) - 1) / 2) * width
    bottom, top = axes.get_ylim()
    base = bottom if axes.get_yscale() == "log" else 0.0
    xs = [found.across(point.x) + shift for point in line.points]
    heights = [min(max(point.centre, bottom), top) - base for point in line.points]
    axes.bar(xs, heights, 0.92 * width, bottom=base, color=style.color, zorder=3, lw=0)
    _error_bars(axes, xs, line.points, INK)
    if len(names) * len(found.xs) <= 24 and len(found.panels) == 1:
        for x, point in zip(xs, line.points, strict=True):
            below = point.centre < 0
            end = point.low if below else point.high
            at = max(min(point.centre if end is None else end, top), bottom)
            text = number(float(f"{point.centre:.3g}"))
            write(axes, x, at, text, ha="center", va="top" if below else "bottom")


def _band(axes: Axes, xs: Sequence[float], points: Sequence[Point], style: Look) -> None:
    inside = [(x, p) for x, p in zip(xs, points, strict=True) if p.low is not None]
    bottom, top = axes.get_ylim()
    axes.fill_between(
        [x for x, _ in inside],
        [max(p.low if p.low is not None else bottom, bottom) for _, p in inside],
        [min(p.high if p.high is not None else top, top) for _, p in inside],
        color=style.color,
        alpha=BAND,
        lw=0,
        zorder=2,
    )


def _error_bars(
    axes: Axes, xs: Sequence[float], points: Sequence[Point], color: str, **options: Any
) -> None:
    bottom, top = axes.get_ylim()
    for x, point in zip(xs, points, strict=True):
        if point.low is not None and point.high is not None and point.low < point.high:
            ends = [max(point.low, bottom), min(point.high, top)]
            axes.plot([x, x], ends, color=color, lw=1.1, marker="_", ms=5, zorder=3.5, **options)


def _handle(figure: Figure, style: Look, key: str) -> Any:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if figure.kind == "bars":
        return Patch(color=style.color, label=key)
    return Line2D(
        [], [], color=style.color, ls=style.line, marker=style.mark, mfc=PAPER, lw=1.6, label=key
    )


def _visible(point: Point, log: bool) -> bool:
    return point.centre > 0 or not log
