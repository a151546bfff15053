"""Heat maps: colour of a column over two others.  Cells are evenly spaced, ticks say where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from sqsim.report.reading import number
from sqsim.report.study.columns import Row, label, ordered, titled
from sqsim.report.study.looks import PAPER, panels, tex
from sqsim.report.study.points import by_series, chosen
from sqsim.report.study.scales import (
    axis_labels,
    hide_inner,
    log_scale,
    plain_numbers,
    words,
)
from sqsim.report.study.spreads import summary
from sqsim.report.style import FAINT, INK, SMALL, TEXT, write
from sqsim.studies.figures import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

MOST_WRITTEN = 60
"""Cells of a panel whose numbers are written into them."""
ROOM = 5
"""Signs of a number that is written into a cell."""
MOST_VECTORS = 1500
"""Cells of a panel beyond which the colours are one picture."""
COLORS = "cividis"
LIGHT, DARK = "#fefefe", "#010101"


@final
@dataclass(frozen=True)
class Grid:
    """One panel: a row of cells for each y, nan where no run has a number."""

    name: str
    cells: tuple[tuple[float, ...], ...]


@final
@dataclass(frozen=True)
class Grids:
    """Everything that a heat map shows."""

    xs: tuple[Any, ...]
    ys: tuple[Any, ...]
    grids: tuple[Grid, ...]
    runs: int
    without_value: int


def gather_grids(figure: Figure, rows: Sequence[Row]) -> Grids:
    """The panels of a heat map.  Raises BadInput for a column that no run has."""
    used = [row for row in chosen(figure, rows) if row.get(figure.y) is not None]
    xs, ys = (ordered(row[name] for row in used) for name in (figure.x, figure.y))
    grids, runs = [], 0
    for panel in ordered(row.get(figure.panel) for row in used) if figure.panel else [None]:
        inside = [row for row in used if not figure.panel or row.get(figure.panel) == panel]
        title = titled(figure.panel, panel) if figure.panel else ""
        for name, members in by_series(figure, inside).items():
            places: dict[tuple[Any, Any], list[Row]] = {}
            for row in members:
                places.setdefault((row[figure.x], row[figure.y]), []).append(row)
            found = {place: summary(figure, at, figure.value) for place, at in places.items()}
            runs += sum(one[3] for one in found.values() if one is not None)
            cells = tuple(
                tuple(math.nan if (one := found.get((x, y))) is None else one[0] for x in xs)
                for y in ys
            )
            grids.append(Grid(", ".join(part for part in (title, name) if part), cells))
    return Grids(tuple(xs), tuple(ys), tuple(grids), runs, len(used) - runs)


def heat_figure(figure: Figure, found: Grids) -> Drawing:
    """The panels of a heat map with one colour bar."""
    written = len(found.xs) * len(found.ys) <= MOST_WRITTEN
    height = min(max(0.34 * len(found.ys), 1.6), 4.2)
    drawing, axes = panels(
        len(found.grids),
        keys=3,
        height=height,
        titled=any(one.name for one in found.grids),
        named=[number(x) for x in found.xs],
    )
    norm = _norm(figure, found)
    mesh: Any = None
    for one, grid in zip(axes, found.grids, strict=True):
        _frame(one, figure, found)
        mesh = _cells(one, grid, norm)
        if written and one.bbox.width / one.figure.dpi / len(found.xs) > 0.36:
            _numbers(one, grid, norm)
        if grid.name:
            one.set_title(grid.name, fontsize=SMALL, color=INK, loc="left", parse_math=False)
    hide_inner(axes)
    if mesh is not None:
        _color_bar(drawing, mesh, figure.value_label or label(figure.value))
    return drawing


def _frame(axes: Axes, figure: Figure, found: Grids) -> None:
    words(axes, "x", [number(x) for x in found.xs])
    words(axes, "y", [number(y) for y in found.ys])
    axis_labels(axes, figure.x_label or label(figure.x), figure.y_label or label(figure.y))


def _norm(figure: Figure, found: Grids) -> Any:
    from matplotlib.colors import LogNorm, Normalize

    log = "value" in figure.log
    values = [v for grid in found.grids for row in grid.cells for v in row]
    finite = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
    low, high = (min(finite), max(finite)) if finite else (0.1, 1.0)
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 0.5, high + 0.5)
    return LogNorm(low, high, clip=True) if log else Normalize(low, high, clip=True)


def _cells(axes: Axes, grid: Grid, norm: Any) -> Any:
    import matplotlib

    values = np.ma.masked_invalid(np.array(grid.cells, dtype=float))
    # An infinite value has the last colour; a cell without a run has none.
    values = np.ma.array(np.minimum(np.array(grid.cells), norm.vmax), mask=np.isnan(values.data))
    axes.set_facecolor(PAPER)
    mesh = axes.pcolormesh(
        np.arange(values.shape[1] + 1) - 0.5,
        np.arange(values.shape[0] + 1) - 0.5,
        values,
        cmap=matplotlib.colormaps[COLORS],
        norm=norm,
        rasterized=values.size > MOST_VECTORS,
        edgecolors="face",
        linewidth=0.3,
    )
    for y, x in np.argwhere(np.isnan(np.array(grid.cells)))[:MOST_WRITTEN]:
        write(axes, x, y, "–", ha="center", va="center", color=FAINT)
    return mesh


def _numbers(axes: Axes, grid: Grid, norm: Any) -> None:
    import matplotlib

    colors = matplotlib.colormaps[COLORS]
    for y, row in enumerate(grid.cells):
        for x, value in enumerate(row):
            if not math.isnan(value):
                red, green, blue = colors(norm(min(value, norm.vmax)))[:3]
                dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.45
                color = LIGHT if dark else DARK
                write(axes, x, y, _brief(value), ha="center", va="center", color=color, fontsize=7)


def _brief(value: float) -> str:
    """Two digits in few signs."""
    if math.isinf(value):
        return "∞"
    text = number(float(f"{value:.2g}"))
    if len(text) <= ROOM:
        return text
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def _color_bar(drawing: Drawing, mesh: Any, text: str) -> None:
    from matplotlib.colors import LogNorm

    across, up = drawing.get_size_inches()
    axes = drawing.add_axes((0.78 / across, 1 - 0.42 / up, 3.2 / across, 0.13 / up))
    bar = drawing.colorbar(mesh, cax=axes, orientation="horizontal")
    low, high = mesh.get_clim()
    if isinstance(mesh.norm, LogNorm):
        log_scale(axes, "x", low, high)
    else:
        plain_numbers(axes, "x")
    bar.outline.set_visible(False)
    axes.tick_params(labelsize=SMALL, colors=INK, color=FAINT, length=2)
    axes.set_title(text, fontsize=TEXT, color=INK, loc="left", pad=3, **tex(text))
