"""The numbers of a figure as a table beside it."""

from __future__ import annotations

import math
from typing import Any

from sqsim.report.study.columns import label, short, spoken
from sqsim.report.study.heat import Grids
from sqsim.report.study.points import Gathered
from sqsim.report.study.tables import MOST_ROWS, Cell, Table, cell, made_table
from sqsim.studies.figures import Figure


def line_numbers(figure: Figure, found: Gathered) -> Table:
    """One row for each point of a figure of lines or bars."""
    panels, series = len(found.panels) > 1, any(found.names)
    heads = ["panel"] * panels + ["series"] * series
    heads += [spoken(label(figure.x)), spoken(label(figure.y)), "from", "to", "runs"]
    proved = [c for c in figure.reference if any(line.proved.get(c) for line in found.lines)]
    heads += [f"proved: {short(column)}" for column in proved]
    body = []
    for panel in found.panels:
        for line in panel.lines:
            bounds = {column: dict(line.proved[column]) for column in proved}
            for point in line.points:
                cells = [Cell(panel.name)] * panels + [Cell(line.name)] * series
                values = (point.x, point.centre, point.low, point.high, point.runs)
                beside = (bounds[column].get(point.x) for column in proved)
                body.append((*cells, *map(cell, values), *map(cell, beside)))
    return made_table(heads, body[:MOST_ROWS], len(body))


def grid_numbers(figure: Figure, found: Grids) -> Table:
    """One row for each cell of a heat map that has a number."""
    panels = len(found.grids) > 1
    columns = (figure.x, figure.y, figure.value)
    heads = ["panel"] * panels + [spoken(label(column)) for column in columns]
    body: list[tuple[Cell, ...]] = []
    for grid in found.grids:
        for y, row in zip(found.ys, grid.cells, strict=True):
            for x, value in zip(found.xs, row, strict=True):
                values: tuple[Any, ...] = (x, y, value)
                if not math.isnan(value):
                    body.append((*[Cell(grid.name)] * panels, *map(cell, values)))
    return made_table(heads, body[:MOST_ROWS], len(body))
