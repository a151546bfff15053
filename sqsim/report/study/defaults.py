"""The figures of a study that names none.  This file does not draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqsim.report.study.columns import Row, inputs, numeric, outputs, real, varying
from sqsim.studies.figures import Figure

PANELS = 6
"""Values of a column that is given panels, at most."""
LOG_FROM = 20.0
"""Ratio of the largest to the least value from which an axis is logarithmic."""


def default_figures(rows: Sequence[Row], *, success: str = "success") -> tuple[Figure, ...]:
    """Success, what is measured, and the queries it took above what is proved.

    Parameters
    ----------
    success : the true-or-false column that the study counts.
    """
    if not rows:
        return ()
    wanted = (_success(rows, success), _measured(rows), _certified(rows, success))
    return tuple(figure for figure in wanted if figure is not None)


def _success(rows: Sequence[Row], success: str) -> Figure | None:
    if not any(isinstance(row.get(success), bool) for row in rows):
        return None
    x = _first_number(rows) or _first_varying(rows)
    return Figure(
        kind="frequency",
        x=x,
        y=success,
        series=_series(rows, x),
        panel=_panel(rows, x),
        log=("x",) if _wide(rows, x) else (),
        title="How often it succeeds",
    )


def _measured(rows: Sequence[Row]) -> Figure | None:
    numbers = [name for name in outputs(rows) if any(numeric(row.get(name)) for row in rows)]
    if not numbers:
        return None
    x = "tolerance" if "tolerance" in varying(rows) else _first_number(rows)
    y = next((name for name in ("ratio", "loss") if name in numbers), numbers[0])
    if x is None:
        x = _first_varying(rows)
        return Figure(kind="bars", x=x, y=y, series=_series(rows, x), title="What was measured")
    log = tuple(axis for axis, column in (("x", x), ("y", y)) if _wide(rows, column))
    return Figure(
        kind="curve",
        x=x,
        y=y,
        series=_series(rows, x),
        panel=_panel(rows, x),
        log=log,
        title="What was measured",
    )


def _certified(rows: Sequence[Row], success: str) -> Figure | None:
    """Queries of runs that succeeded, above the proved number."""
    won = [row for row in rows if row.get(success) is True and row.get("certified_queries")]
    x = "tolerance" if "tolerance" in varying(rows) else _first_number(rows)
    if not won or x is None or not any(numeric(row.get("queries")) for row in won):
        return None
    return Figure(
        kind="curve",
        x=x,
        y="queries",
        series=_series(rows, x),
        panel=_panel(rows, x),
        where={success: True},
        reference=("certified_queries",),
        log=("y", "x") if _wide(rows, x) else ("y",),
        title="Certified against measured",
    )


def _first_number(rows: Sequence[Row]) -> str | None:
    """The first argument that varies and is a number wherever a run has it."""
    for name in varying(rows):
        values = [row[name] for row in rows if row[name] is not None]
        if all(numeric(value) for value in values) and len(set(values)) > 1:
            return name
    return None


def _first_varying(rows: Sequence[Row]) -> str:
    return next(iter(varying(rows)), next((n for n in inputs(rows)), "seed"))


def _series(rows: Sequence[Row], x: str) -> tuple[str, ...]:
    """The algorithm if it varies, else the words that do, else the next number."""
    others = [name for name in varying(rows) if name != x]
    if "algorithm.name" in others:
        return ("algorithm.name",)
    words = [n for n in others if any(isinstance(row[n], str) for row in rows)]
    return tuple(words[:2] or [n for n in others if _few(rows, n)][:1])


def _panel(rows: Sequence[Row], x: str) -> str:
    """One more argument that varies little, so that unlike runs are not drawn as one."""
    drawn = {x, *_series(rows, x)}
    others = [n for n in varying(rows) if n not in drawn and len({*_values(rows, n)}) <= PANELS]
    return next((n for n in others if None not in _values(rows, n)), "")


def _values(rows: Sequence[Row], name: str) -> list[Any]:
    return [row[name] for row in rows]


def _few(rows: Sequence[Row], name: str) -> bool:
    return len({*_values(rows, name)}) <= 7


def _wide(rows: Sequence[Row], name: str) -> bool:
    values = [v for row in rows if (v := real(row.get(name))) is not None]
    return bool(values) and min(values) > 0 and max(values) >= LOG_FROM * min(values)
