"""Where the integrand of queries along one direction is sampled in the plane of a label.

Panels are cut at every kink, and at every crossing of a level of the query by the label.  This
file does not know what is made of the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.gaussian import LIMIT
from sqsim.geometry import Span
from sqsim.lowrank import Array
from sqsim.problems.labels import LabelLaw
from sqsim.queries import Ridge
from sqsim.special import normal_density
from sqsim.studies.tail_panels import (
    BASE,
    LOW,
    NODES,
    ORDER,
    SOFT,
    WEIGHTS,
    crossings,
    panel_ends,
)

NEGLIGIBLE = 1e-13
"""Panels whose middle carries a smaller part of the whole are left out."""
NEVER = 1e-17
"""The same of panels of the first coordinate, whose middles are seen at one point of many."""
LOCATING = 24
"""Halvings that find where a crossing comes or goes, which no kink tells."""


@final
@dataclass(frozen=True, eq=False)
class PlaneRule:
    """The label and the functions of some queries on the coordinates of a span.

    Attributes
    ----------
    forms : all along the span's first column, or along none, with the same levels.
    linear : whether the label is a factor (Correlation), or an argument (Statistic).
    """

    labels: LabelLaw
    forms: tuple[Ridge, ...]
    frame: Span
    linear: bool

    def nodes(self) -> tuple[Array, Array, Array, Array]:
        """Points (n, rank), weights of both rules (n,), and every integrand (forms, n)."""
        outer, high, low = self._outer() if self.frame.rank == 2 else _single()
        row, start, end = self._panels(outer, high)
        half, middle = (end - start) / 2, (end + start) / 2
        t = (middle[:, None] + half[:, None] * NODES).ravel()
        rows = np.repeat(row, ORDER)
        points = np.concatenate([outer[rows], t[:, None]], axis=1)
        by_high = (half[:, None] * WEIGHTS).ravel() * high[rows]
        by_low = (half[:, None] * LOW).ravel() * low[rows]
        return points, by_high, by_low, self._values(points, outer, rows)

    def _outer(self) -> tuple[Array, Array, Array]:
        """Nodes of the first coordinate where some query is not zero, and weights of both rules."""
        kinks = [*self._kinks(0, np.zeros((1, 0)))[0], *self._alone()]
        base = np.concatenate([BASE, self._smoothed_kinks()])
        edges = panel_ends(np.array([kinks]), base[None, :])[0]
        if len(self._levels) and not self.linear:
            edges = panel_ends(self._changes(edges)[None, :], edges[None, :])[0]
        half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
        seen = self._seen(middle, half)
        half, middle = half[seen], middle[seen]
        z = (middle[:, None] + half[:, None] * NODES).ravel()
        weight = normal_density(z)
        keep = np.any(self._functions(z[:, None]), axis=0) if self.linear else self._alive(z)
        high = (half[:, None] * WEIGHTS).ravel() * weight
        low = (half[:, None] * LOW).ravel() * weight
        return z[keep, None], high[keep], low[keep]

    def _seen(self, middle: Array, half: Array) -> np.ndarray:
        """Panels of the first coordinate that matter or touch one that does, by their middles."""
        edges = panel_ends(self._kinks(1, middle[:, None]))
        row = np.repeat(np.arange(len(middle)), edges.shape[1] - 1)
        ends = np.diff(edges, axis=1).ravel() / 2
        points = np.stack([middle[row], edges[:, :-1].ravel() + ends], axis=1)
        parts = np.abs(self._values(points, middle[:, None], row)) * ends
        weight = np.exp(-(middle**2) / 2) * half
        sizes = [np.bincount(row, weights=part, minlength=len(middle)) * weight for part in parts]
        large = np.any([size > NEVER * size.sum() for size in sizes], axis=0)
        keep = large.copy()
        keep[1:] |= large[:-1]
        keep[:-1] |= large[1:]
        return keep if keep.any() else np.ones(len(middle), dtype=bool)

    def _alive(self, z: Array) -> np.ndarray:
        """Rows where some query's function is not zero on either side of its levels."""
        if not self.forms[0].columns:
            return np.ones(len(z), dtype=bool)
        levels = np.array(self._levels or (0.0,))
        labels = np.concatenate([levels, 1.01 * levels, 0.99 * levels, [-1e3, 0.0, 1e3]])
        seen = [self._functions(z[:, None], np.full(len(z), y)).any(axis=0) for y in labels]
        return np.asarray(np.any(seen, axis=0))

    @property
    def _levels(self) -> Sequence[float]:
        return self.forms[0].levels

    @property
    def _columns_kinks(self) -> list[tuple[float, ...]]:
        """Of the queries' column, those of all queries; then of the label's."""
        own = [k for form in self.forms for column in form.columns_kinks for k in column]
        shared = [tuple(dict.fromkeys(own))] if self.forms[0].columns else []
        return [*shared, *self.labels.columns_kinks]

    def _functions(self, points: Array, y: Array | None = None) -> Array:
        """Each query's function at leading coordinates, and at labels if it sees them."""
        along = None
        if self.forms[0].columns:
            along = points @ self.frame.mixing[: points.shape[1], :1]
        return np.array([form.values(along, y, len(points)) for form in self.forms])

    def _label(self, points: Array) -> Array:
        return self.labels.clean(points @ self.frame.mixing[:, self.forms[0].columns :])

    def _values(self, points: Array, outer: Array, rows: np.ndarray) -> Array:
        """Label or function of the label, times the density of the last coordinate, by query."""
        density = np.exp(-(points[:, -1] ** 2) / 2) / np.sqrt(2 * np.pi)
        with np.errstate(over="ignore", invalid="ignore"):
            y = self._label(points)
            if not self.linear:
                found = self._functions(points, y) * density
            elif self.frame.rank == 1:
                found = self._functions(points) * (y * density)
            else:
                # The queries' column is the first coordinate.
                found = self._functions(outer)[:, rows] * (y * density)
            found = np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)
        return np.asarray(found)

    def _kinks(self, level: int, outer: Array) -> Array:
        """Where columns that end at this coordinate have their kinks, (rows, K)."""
        mixing, kinks = self.frame.mixing, self._columns_kinks
        found = [np.zeros((len(outer), 0))]
        for j, of_column in enumerate(kinks):
            if len(of_column) and self.frame.levels[j] == level + 1 and mixing[level, j] != 0:
                centre = np.array(of_column)[None, :] - (outer @ mixing[:level, j])[:, None]
                found.append(centre / mixing[level, j])
        return np.concatenate(found, axis=1)

    def _smoothed_kinks(self) -> Array:
        """Panel ends of the first coordinate where kinks along nearly parallel columns begin."""
        mixing, kinks = self.frame.mixing, self._columns_kinks
        found = [np.zeros(0)]
        for j, of_column in enumerate(kinks):
            width = abs(mixing[1, j] / mixing[0, j]) if mixing[0, j] else np.inf
            if len(of_column) and self.frame.levels[j] == 2 and width < 0.7:
                reach = width * np.array([1.0, max(1.0, float(np.max(np.abs(of_column))))])
                for k in of_column:
                    found += [k / mixing[0, j] + size * SOFT for size in reach]
        return np.concatenate(found)

    def _alone(self) -> list[float]:
        """Where a term along the first coordinate alone crosses a level of the query."""
        found: list[float] = []
        for term in self.labels.terms:
            if term.gate is None and len(self._levels):
                along = float(self.frame.basis[:, 0] @ term.direction)
                if abs(abs(along) - 1) < 1e-12:
                    roots = crossings(
                        lambda row, u, f=term.link, s=along: f(s * u),  # type: ignore[misc]
                        panel_ends(np.array([[along * k for k in term.link.kinks]])),
                        self._levels,
                    )
                    found += [float(u) for u in roots[0] if abs(u) < LIMIT]
        return found

    def _changes(self, edges: Array) -> Array:
        """First coordinates at which the number of crossings of the last one changes."""

        def count(z: Array) -> Array:
            outer = z[:, None]
            ends = panel_ends(self._kinks(1, outer))
            row = np.repeat(np.arange(len(z)), ends.shape[1])
            y = self._label(np.concatenate([outer[row], ends.ravel()[:, None]], axis=1))
            above = np.array([y >= level for level in self._levels]).reshape(-1, *ends.shape)
            return np.asarray((above[:, :, 1:] != above[:, :, :-1]).sum(axis=(0, 2)))

        inset = 1e-9 * np.diff(edges)
        low, high = edges[:-1] + inset, edges[1:] - inset
        first, last = count(low), count(high)
        at = first != last
        low, high, first = low[at], high[at], first[at]
        for _ in range(LOCATING if at.any() else 0):
            middle = (low + high) / 2
            same = count(middle) == first
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        return np.asarray((low + high) / 2)

    def _panels(self, outer: Array, high: Array) -> tuple[np.ndarray, Array, Array]:
        """Rows and ends of the panels that matter of the last coordinate."""
        edges = panel_ends(self._kinks(self.frame.rank - 1, outer))
        if len(self._levels) and not self.linear:

            def label(row: np.ndarray, u: Array) -> Array:
                return self._label(np.concatenate([outer[row], u[:, None]], axis=1))

            edges = panel_ends(crossings(label, edges, self._levels), edges)
        start, end = edges[:, :-1].ravel(), edges[:, 1:].ravel()
        row = np.repeat(np.arange(len(outer)), edges.shape[1] - 1)
        wide = end - start > 1e-12 * (1 + np.abs(start))
        row, start, end = row[wide], start[wide], end[wide]
        points = np.concatenate([outer[row], (start + end)[:, None] / 2], axis=1)
        sizes = np.abs(self._values(points, outer, row) * high[row]) * (end - start)
        keep = np.any(sizes > NEGLIGIBLE * sizes.sum(axis=1, keepdims=True), axis=0)
        return row[keep], start[keep], end[keep]


def _single() -> tuple[Array, Array, Array]:
    """No first coordinate: one row."""
    return np.zeros((1, 0)), np.ones(1), np.ones(1)
