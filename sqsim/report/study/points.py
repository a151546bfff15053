"""What a figure of a study draws, gathered from its runs.  This file does not know how.

A point is the runs that agree in the panel, the series and x.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, final

from sqsim.errors import BadInput
from sqsim.report.reading import number
from sqsim.report.study.columns import Row, named, numeric, ordered, real, titled
from sqsim.report.study.spreads import CONFIDENCE, summary
from sqsim.studies.figures import Figure
from sqsim.studies.repeats import frequency_interval


@final
@dataclass(frozen=True)
class Point:
    """What the runs at one x say.

    Attributes
    ----------
    x : number, or the word on the axis.
    centre, low, high : statistic and its spread; an end is None where there is none.
    runs : how many it stands on; successes : of a frequency.
    """

    x: Any
    centre: float
    low: float | None
    high: float | None
    runs: int
    successes: int | None = None


@final
@dataclass(frozen=True)
class Line:
    """The points of one series, and the proved numbers beside them, by column."""

    name: str
    points: tuple[Point, ...]
    proved: Mapping[str, tuple[tuple[Any, float], ...]]


@final
@dataclass(frozen=True)
class Panel:
    """Lines that share axes."""

    name: str
    lines: tuple[Line, ...]


@final
@dataclass(frozen=True)
class Gathered:
    """Everything that a figure of kind curve, frequency or bars shows.

    Attributes
    ----------
    xs : values on the axis of x, in order; worded : whether they are words.
    order : names of the series of all runs, so that figures give a series the same look.
    runs : used; without_value : runs that failed or have no number to draw.
    """

    panels: tuple[Panel, ...]
    xs: tuple[Any, ...]
    worded: bool
    order: tuple[str, ...]
    runs: int
    without_value: int

    @property
    def lines(self) -> list[Line]:
        """Of all panels."""
        return [line for panel in self.panels for line in panel.lines]

    def across(self, x: Any) -> float:
        """Place on the axis of x; -1 for a word that is not on it."""
        if not self.worded:
            return float(x)
        return float(self.xs.index(str(x))) if str(x) in self.xs else -1.0

    @property
    def names(self) -> list[str]:
        """Series, in order of appearance."""
        return list(dict.fromkeys(line.name for line in self.lines))


def chosen(figure: Figure, rows: Sequence[Row]) -> list[Row]:
    """The runs that a figure is about.

    Raises BadInput for a column that no run has.
    """
    known = list(rows[0]) if rows else []
    # The columns of a row that only finished runs have are unknown until there is one.
    if any(row["state"] == "done" for row in rows):
        for column in (*figure.columns, *figure.where):
            if column not in known:
                near = get_close_matches(column, known, n=3, cutoff=0.4)
                there = f"the nearest are {', '.join(near)}" if near else ", ".join(known)
                raise BadInput(f"no run has the column {column!r}; {there}")
    found = [row for row in rows if all(_meets(row.get(k), v) for k, v in figure.where.items())]
    return [row for row in found if row.get(figure.x) is not None]


def gather(figure: Figure, rows: Sequence[Row]) -> Gathered:
    """The points of a figure of kind curve, frequency or bars.

    Raises BadInput for a column that no run has.
    """
    used = chosen(figure, rows)
    xs = ordered(row[figure.x] for row in used)
    worded = figure.kind == "bars" or not all(numeric(x) for x in xs)
    panels = []
    for panel in ordered(row.get(figure.panel) for row in used) if figure.panel else [None]:
        inside = [row for row in used if not figure.panel or row.get(figure.panel) == panel]
        name = titled(figure.panel, panel) if figure.panel else ""
        lines = tuple(_lines(figure, inside, worded))
        if any(line.points for line in lines):
            panels.append(Panel(name, lines))
    drawn = sum(point.runs for panel in panels for line in panel.lines for point in line.points)
    axis = tuple(_axis(x, worded) for x in xs)
    order = tuple(by_series(figure, rows))
    return Gathered(tuple(panels), axis, worded, order, drawn, len(used) - drawn)


def by_series(figure: Figure, rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Runs by the name of their series, as the study orders them."""
    rows = list(rows)
    names = [named(row, figure.series) for row in rows]
    known = _completed(figure, rows)
    found: dict[str, list[Row]] = {}
    for row, name in zip(rows, names, strict=True):
        found.setdefault(known.get(name, name), []).append(row)
    return found


def ruled_out(figure: Figure, column: str) -> str:
    """The side of a proved column on which no success can be: "below", "above" or neither, "".

    A column `certified_queries` bounds `queries` from below; beyond a `certified_frontier` nothing
    succeeds.  Any other proved number is a line.
    """
    if column in (f"certified_{figure.y}", f"{figure.y}_lower"):
        return "below"
    return "above" if column == "certified_frontier" else ""


def agreed(lines: Sequence[Line], column: str) -> dict[Any, float] | None:
    """The proved numbers of all lines as one, by x; None where two lines differ."""
    found: dict[Any, float] = {}
    for line in lines:
        for x, value in line.proved.get(column, ()):
            if found.setdefault(x, value) != value:
                return None
    plain = all(isinstance(x, float) for x in found)
    return {x: found[x] for x in sorted(found)} if plain else found


def shaded(figure: Figure, found: Gathered, column: str) -> str:
    """The side of a proved column that is shaded in some panel, "" for none.

    Bounds that differ between the lines of a panel rule out a region for each: none is shaded.
    """
    shown = any(agreed(panel.lines, column) for panel in found.panels)
    return ruled_out(figure, column) if shown else ""


def _completed(figure: Figure, rows: Sequence[Row]) -> dict[str, str]:
    """Names of failed runs, which lack the results in a name -> that of the runs beside them."""
    lacking = [
        column
        for column in figure.series
        if any(row["state"] == "failed" and row.get(column) is None for row in rows)
    ]
    kept = [column for column in figure.series if column not in lacking]
    whole: dict[str, set[str]] = {}
    for row in rows if lacking else ():
        if row["state"] != "failed":
            whole.setdefault(named(row, kept), set()).add(named(row, figure.series))
    return {short: min(names) for short, names in whole.items() if len(names) == 1}


def _lines(figure: Figure, rows: Sequence[Row], worded: bool) -> Iterable[Line]:
    for name, members in by_series(figure, rows).items():
        places: dict[Any, list[Row]] = {}
        for row in members:
            places.setdefault(_axis(row[figure.x], worded), []).append(row)
        ranked = list(places) if worded else sorted(places)
        found = [(x, _point(figure, x, places[x])) for x in ranked]
        proved = {
            column: tuple(
                (x, bound)
                for x in ranked
                if (bound := _bound(figure, places[x], column)) is not None
            )
            for column in figure.reference
        }
        yield Line(name, tuple(p for _, p in found if p is not None), proved)


def _axis(x: Any, worded: bool) -> Any:
    return number(x) if worded else float(x)


def _point(figure: Figure, x: Any, rows: Sequence[Row]) -> Point | None:
    if figure.kind == "frequency":
        counted = [r for r in rows if r["state"] == "failed" or r.get(figure.y) is not None]
        if not counted:
            return None
        successes = sum(row.get(figure.y) is True for row in counted)
        low, high = frequency_interval(successes, len(counted), confidence=CONFIDENCE)
        return Point(x, successes / len(counted), low, high, len(counted), successes)
    found = summary(figure, rows, figure.y)
    return None if found is None else Point(x, *found)


def _bound(figure: Figure, rows: Sequence[Row], column: str) -> float | None:
    """The proved number that holds for every one of these runs."""
    values = [v for row in rows if (v := real(row.get(column))) is not None]
    return (max if ruled_out(figure, column) == "above" else min)(values, default=None)


def _meets(value: Any, wanted: Any) -> bool:
    return value in wanted if isinstance(wanted, list | tuple) else bool(value == wanted)
