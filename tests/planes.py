"""Means over a plane by quasi-random points in polar coordinates: fast where labels are jagged.

Every direction of query and label lies in the plane, up to rounding.  The points stand for N(0, I)
beyond `inner` radii of the origin and within a range of angles; nothing may be asked elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import qmc

from sqsim import Unperturbed, sq
from sqsim.queries import Query
from sqsim.tolerance import Mean, Scale


@dataclass(frozen=True, eq=False)
class Plane:
    """An evaluator whose population is a set of weighted points of a plane."""

    basis: Any
    points: Any
    weights: Any

    def means(
        self, instance: Any, queries: Sequence[Query], scales: Sequence[Scale], **_: Any
    ) -> list[Mean]:
        columns = np.stack(instance.labels.columns, axis=1)
        y = instance.labels.clean(self.points @ (self.basis.T @ columns))
        return [self._mean(query, y) for query in queries]

    def _mean(self, query: Query, y: Any) -> Mean:
        form: Any = query.form
        projections = None
        if form.frame is not None:
            flat = self.basis.T @ form.frame
            assert np.abs(form.frame - self.basis @ flat).max() < 1e-9, "asked off the plane"
            projections = (self.points @ flat).reshape(len(self.points), -1)
        values = form.values(projections, y if query.labelled else None, len(y))
        values = values if query.labelled else values * y
        values = values * self.weights
        if form.power == 0:
            return Mean(np.asarray(values.sum()), 0.0)
        if form.power == 1:
            return Mean(self.basis @ (values @ self.points), 0.0)
        core = (self.points * values[:, None]).T @ self.points - values.sum() * np.eye(2)
        matrix = self.basis @ core @ self.basis.T
        return Mean((matrix + matrix.T) / 2, 0.0)


def plane(
    basis: Any,
    *,
    inner: float = 0.0,
    angles: tuple[float, float] = (-math.pi, math.pi),
    spread: float = 1.0,
    log_count: int = 14,
) -> Plane:
    """Points of the plane spanned by the columns of `basis`, (d, 2).

    r^2 / 2 exceeds inner^2 / 2 by `spread` times an exponential variable: above 1, more points lie
    where labels far out are, and each counts accordingly less.
    """
    u = qmc.Sobol(2, scramble=True, rng=np.random.default_rng(1)).random_base2(log_count)
    excess = -spread * np.log1p(-u[:, 0])
    radius = np.sqrt(inner**2 + 2 * excess)
    angle = angles[0] + (angles[1] - angles[0]) * u[:, 1]
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    whole = math.exp(-(inner**2) / 2) * (angles[1] - angles[0]) / math.tau
    weights = whole * spread * np.exp(-excess * (1 - 1 / spread)) / len(u)
    return Plane(basis, points, weights)


def on_plane(instance: Any, population: Plane) -> Any:
    """An oracle that answers this population's means with nothing added."""
    return sq(instance, tolerance=Unperturbed(), means=population)
