"""What is laid over points: proved numbers and what they rule out, levels, marked places.

This file does not draw points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqsim.report.reading import number
from sqsim.report.study.columns import label, real
from sqsim.report.study.looks import PAPER, PROVED, Look, tex
from sqsim.report.study.points import Gathered, Line, agreed, ruled_out, shaded
from sqsim.report.style import FAINT, write
from sqsim.studies.figures import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHADE = 0.10
GROUND = {"facecolor": PAPER, "alpha": 0.8, "pad": 1.0, "linewidth": 0}
"""Behind words that may lie over lines and bars."""
DASHES: tuple[Any, ...] = ((0, (4, 2)), (0, (1.5, 1)), (0, (7, 2, 1.5, 2)))


def draw_proved(
    axes: Axes,
    figure: Figure,
    found: Gathered,
    lines: Sequence[Line],
    looks: Mapping[str, Look],
) -> None:
    """Proved numbers, dashed; what they rule out is shaded."""
    bottom, top = axes.get_ylim()
    for place, column in enumerate(figure.reference):
        common = agreed(lines, column)
        given = (
            [(looks[line.name].color, line.proved.get(column, ())) for line in lines]
            if common is None
            else [(PROVED, tuple(common.items()))]
        )
        for color, bound in given:
            pairs = [(x, min(v, top)) for x, v in bound if v > bottom]
            xs = [found.across(x) for x, _ in pairs]
            ys = [y for _, y in pairs]
            dash = DASHES[place % len(DASHES)]
            axes.plot(xs, ys, color=color, lw=1.5, ls=dash, zorder=3, gid=f"proved-{column}")
            axes.plot(xs, ys, ls="none", color=color, marker=".", ms=5, zorder=3, clip_on=False)
            # Bounds of different tolerances in one panel rule out different regions: not shaded.
            side = ruled_out(figure, column) if common is not None else ""
            if side:
                edge = [bottom if side == "below" else top] * len(xs)
                axes.fill_between(xs, edge, ys, color=color, alpha=SHADE, lw=0, zorder=1)


def draw_level(axes: Axes, figure: Figure) -> None:
    """A horizontal line, such as the ratio that counts as success."""
    if figure.level is None:
        return
    axes.axhline(figure.level, color=FAINT, lw=1.0, ls=(0, (1, 1.5)), zorder=1, gid="level")
    if figure.level_label:
        at: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "bottom"}
        text = figure.level_label
        write(axes, 0.01, figure.level, text, color=FAINT, bbox=GROUND, **at, **tex(text))


def draw_marks(axes: Axes, figure: Figure, found: Gathered, *, named: bool) -> None:
    """Vertical lines, such as the choice of a paper, named in the first panel."""
    for mark in figure.marks:
        value = number(mark.get("x")) if found.worded else mark.get("x")
        place = found.across(value) if found.worded else real(value)
        if place is None or (found.worded and place < 0):
            continue
        axes.axvline(place, color=FAINT, lw=1.0, ls=(0, (4, 2)), zorder=1)
        if named:
            text = str(mark.get("label", ""))
            at: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "rotation": 90}
            at |= {"ha": "right", "va": "top", "bbox": GROUND, **tex(text)}
            write(axes, place, 0.98, f"{text} ", color=FAINT, **at)


def proved_handles(figure: Figure, found: Gathered) -> list[Any]:
    """Keys of a legend for the proved columns that are drawn."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = []
    for place, column in enumerate(figure.reference):
        if any(line.proved.get(column) for line in found.lines):
            alike = all(agreed(panel.lines, column) is not None for panel in found.panels)
            color, dash = PROVED if alike else FAINT, DASHES[place % len(DASHES)]
            text = f"proved: {label(column)}"
            handles.append(Line2D([], [], color=color, ls=dash, lw=1.5, label=text))
            if shaded(figure, found, column):
                handles.append(Patch(color=PROVED, alpha=0.18, label="proved impossible"))
    return handles
