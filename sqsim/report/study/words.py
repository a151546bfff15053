"""Sentences of the report on a study: what a figure shows, how far the store is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sqsim.report.reading import counted, listed, number
from sqsim.report.study.columns import label, numeric, spoken
from sqsim.report.study.heat import Grids
from sqsim.report.study.points import Gathered, Line, Point, shaded
from sqsim.studies.driving import Progress
from sqsim.studies.figures import Figure

MOST_LINES = 12
"""Lines that an alternative text speaks of."""


def lead(reached: Progress) -> str:
    """How far the store was when it was read."""
    failed = f", {number(reached.failed) if reached.failed else 'none'} of them failed"
    if reached.done == 0:
        return f"Nothing has been run yet: 0 of {counted(reached.wanted, 'cell')}."
    if reached.left:
        share = 100 * reached.done / reached.wanted
        per_cell = reached.seconds / reached.done
        return (
            f"Partial: {number(reached.done)} of {counted(reached.wanted, 'cell')} "
            f"({share:.0f} %) when this page was written{failed}; about "
            f"{number(float(f'{per_cell * reached.left:.2g}'))} s of work left, on all workers "
            "together. Every figure and table shows what there is so far."
        )
    return f"Complete: {counted(reached.done, 'cell')}{failed}."


def lines_alt(figure: Figure, found: Gathered) -> str:
    """What a figure of lines or bars shows, in numbers."""
    parts = []
    for panel in found.panels:
        lines = [line for line in panel.lines if line.points]
        said = [_line_words(figure, line) for line in lines[:MOST_LINES]]
        more = len(lines) - MOST_LINES
        said += [f"and {more} further lines"] * (more > 0)
        parts.append(f"{panel.name}: {'; '.join(said)}" if panel.name else "; ".join(said))
    y = spoken(figure.y_label or label(figure.y))
    x = spoken(figure.x_label or label(figure.x))
    what = f"Share of runs with {y}" if figure.kind == "frequency" else _capital(y)
    proved = [
        f"Proved numbers are dashed: {spoken(label(column))}{_shaded(figure, found, column)}."
        for column in figure.reference
        if any(line.proved.get(column) for line in found.lines)
    ]
    return " ".join([f"{what} against {x}. {'. '.join(map(_capital, parts))}.", *proved])


def heat_alt(figure: Figure, found: Grids) -> str:
    """Least and largest value of each panel, and where they are."""
    parts = []
    for grid in found.grids[:MOST_LINES]:
        cells = [
            (value, x, y)
            for y, row in zip(found.ys, grid.cells, strict=True)
            for x, value in zip(found.xs, row, strict=True)
            if not math.isnan(value)
        ]
        if cells:
            low, high = (pick(cells, key=lambda cell: cell[0]) for pick in (min, max))
            ends = [
                f"{number(_digits(v))} at ({number(x)}, {number(y)})" for v, x, y in (low, high)
            ]
            name = f"{grid.name}: " if grid.name else ""
            parts.append(f"{name}from {ends[0]} to {ends[1]}")
    value, x, y = (
        spoken(text or label(column))
        for text, column in (
            (figure.value_label, figure.value),
            (figure.x_label, figure.x),
            (figure.y_label, figure.y),
        )
    )
    return f"Colour is {value} over ({x}, {y}). {'; '.join(parts)}."


def line_notes(figure: Figure, found: Gathered) -> str:
    """What a reader must know to read a figure of lines or bars."""
    said = notes(figure, found.runs, found.without_value)
    if any(shaded(figure, found, column) for column in figure.reference):
        said += " No learner that the bound speaks of succeeds in the shaded region."
    return said


def notes(figure: Figure, used: int, without: int) -> str:
    """What a reader must know to read it: statistic, spread, runs left out."""
    if figure.kind == "frequency":
        interval = "Error bars or shades are Clopper and Pearson's 95 % intervals"
        first = f"{interval}; a failed run counts as no success."
    elif figure.low:
        first = "Error bars end at the brackets that each run reports."
    else:
        spread = {
            "median": "Medians over runs; shades or error bars reach from quartile to quartile.",
            "mean": "Means over runs, with Student's 95 % interval.",
            "min": "The least over runs.",
            "max": "The largest over runs.",
        }
        first = spread[figure.statistic]
        if figure.kind == "heat":
            first = first.partition(";")[0].partition(", with")[0].rstrip(".") + "."
    left_out = f" {counted(without, 'run')} without a number here left out." if without else ""
    where = [f"{spoken(label(name))} = {_value(value)}" for name, value in figure.where.items()]
    kept = f" Only runs with {listed(where)}." if where else ""
    return f"{first}{kept} {_capital(counted(used, 'run'))} drawn.{left_out}"


def _line_words(figure: Figure, line: Line) -> str:
    first, last = line.points[0], line.points[-1]
    name = f"{line.name}: " if line.name else ""
    if figure.kind == "bars":
        return name + ", ".join(f"{p.x} {_point(figure, p)}" for p in line.points[:MOST_LINES])
    if len(line.points) == 1:
        return f"{name}{_point(figure, first)} at {_place(first)}"
    ends = f"{_point(figure, first)} at {_place(first)}, {_point(figure, last)} at {_place(last)}"
    best = max(line.points, key=lambda point: point.centre)
    if figure.kind != "frequency" and best.centre > 1.5 * max(first.centre, last.centre) > 0:
        ends += f", up to {_point(figure, best)} at {_place(best)}"
    return f"{name}{ends}"


def _point(figure: Figure, point: Point) -> str:
    if figure.kind == "frequency":
        return f"{point.successes} of {point.runs}"
    return number(_digits(point.centre))


def _place(point: Point) -> str:
    return number(point.x)


def _digits(value: float) -> float:
    return value if math.isinf(value) else float(f"{value:.3g}")


def _shaded(figure: Figure, found: Gathered, column: str) -> str:
    side = shaded(figure, found, column)
    return f", {side} which is shaded as proved impossible" if side else ""


def _value(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return listed((_value(one) for one in value), word="or")
    return number(value) if numeric(value) else str(value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
