"""Where a label crosses its levels along one coordinate, so that an integral can be split there.

This file does not know what is integrated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from sqsim.gaussian import BASE_KNOTS, LIMIT
from sqsim.lowrank import Array

Label: TypeAlias = Callable[[Array, Array], Array]
"""(rows, u) -> labels, where rows are the other coordinates."""

# Fine enough for polynomials of degree ten.
SEARCH = np.sort(np.concatenate([np.linspace(a, b, 7)[:-1] for a, b in pairwise(BASE_KNOTS)]))


def level_crossings(label: Label, outer: Array, levels: Array, kinks: Sequence[float]) -> Array:
    """Where label(outer row, u) crosses a level, (rows, K), padded with the end of the range.

    Signs are compared on a grid, to which the turning points are added that may reach a level
    between two points of it: a level just above a minimum is crossed twice within a step.
    """
    grid = np.sort(np.concatenate([SEARCH, [k for k in kinks if abs(k) < LIMIT]]))
    rows, size = len(outer), len(grid)
    repeated = np.repeat(outer, size, axis=0)
    table = label(repeated, np.tile(grid, rows)).reshape(rows, size)
    turns = _turning_points(label, outer, grid, table, levels)
    found: list[list[float]] = [[] for _ in range(rows)]
    for level in levels:
        row, at = np.nonzero((table[:, 1:] < level) != (table[:, :-1] < level))
        low, high = grid[at], grid[at + 1]
        # A minimum or maximum beyond the level, with its neighbours on this side of it.
        r, u, left, right = turns.beyond(float(level))
        row, low, high = (
            np.concatenate(p) for p in ((row, r, r), (low, left, u), (high, u, right))
        )
        if len(row):
            places = _roots(label, outer[row], float(level), low, high)
            for owner, place in zip(row, places, strict=True):
                found[owner].append(float(place))
    width = max(map(len, found))
    return np.array([[*f, *[LIMIT] * (width - len(f))] for f in found]).reshape(rows, width)


@final
@dataclass(frozen=True, eq=False)
class _Turns:
    """Turning points between points of a grid: of which row, where, and the values there.

    Attributes
    ----------
    near : values at the grid point that is nearest in value.
    left, right : the points of the grid on either side of each.
    """

    row: NDArray[np.intp]
    place: Array
    value: Array
    near: Array
    left: Array
    right: Array

    def beyond(self, level: float) -> tuple[NDArray[np.intp], Array, Array, Array]:
        """Row, place and both neighbours of those that cross a level which the grid does not."""
        chosen = (self.value < level) != (self.near < level)
        return self.row[chosen], self.place[chosen], self.left[chosen], self.right[chosen]


def _turning_points(label: Label, outer: Array, grid: Array, table: Array, levels: Array) -> _Turns:
    """The turning points of the label that may reach a level between points of the grid."""
    parts = [_minima(label, outer, grid, table, levels, sign) for sign in (1.0, -1.0)]
    return _Turns(*(np.concatenate(both) for both in zip(*parts, strict=True)))


def _minima(
    label: Label, outer: Array, grid: Array, table: Array, levels: Array, sign: float
) -> tuple[NDArray[Any], ...]:
    from scipy.optimize import elementwise

    signed, wanted = sign * table, sign * levels
    before, here, after = signed[:, :-2], signed[:, 1:-1], signed[:, 2:]
    # A label that is convex or concave between the points, kinks included, goes no deeper.
    reach = here - (before - here) - (after - here)
    near = ((wanted <= here[..., None]) & (wanted >= reach[..., None])).any(axis=-1)
    row, at = np.nonzero((before > here) & (after >= here) & near)
    if not len(row):
        empty = np.zeros(0)
        return np.zeros(0, dtype=int), empty, empty, empty, empty, empty
    fixed = outer[row]

    def offset(u: Array, index: Array) -> Array:
        flat = label(fixed[np.ravel(index).astype(int)], np.ravel(u))
        return sign * np.asarray(flat).reshape(np.shape(u))

    bracket = (grid[at], grid[at + 1], grid[at + 2])
    # A label that is constant on one side makes the interpolating parabola 0 / 0.
    with np.errstate(invalid="ignore", divide="ignore"):
        least = elementwise.find_minimum(offset, bracket, args=(np.arange(len(row)),))
    place, middle = least.x, grid[at + 1]
    left = np.where(place <= middle, grid[at], middle)
    right = np.where(place < middle, middle, grid[at + 2])
    return row, place, sign * least.f_x, sign * here[row, at], left, right


def _roots(label: Label, fixed: Array, level: float, low: Array, high: Array) -> Array:
    """One root of label = level between each two ends."""
    from scipy.optimize import elementwise

    def offset(u: Array, index: Array) -> Array:
        flat = label(fixed[np.ravel(index).astype(int)], np.ravel(u)) - level
        return np.asarray(flat).reshape(np.shape(u))

    found = elementwise.find_root(offset, (low, high), args=(np.arange(len(low)),))
    return np.asarray(found.x)
