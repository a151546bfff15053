"""Averages over a table by exact summation: Shewchuk's sums, one for each entry.

This file does not know oracles or answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.errors import NotCertified
from sqsim.lowrank import Array
from sqsim.problems.dataset import Dataset
from sqsim.queries import Correlation, Opaque, Query, Ridge
from sqsim.tolerance import Scale

UNIT = 2.0**-53
SCALE_ERROR = 8 * UNIT
"""Relative error of the norms: exact sums of squares that are rounded a few times."""


@final
@dataclass(frozen=True, eq=False)
class TableMean:
    """Mean, bound on its rounding and norm, entry by entry."""

    value: Array
    error: Array
    scale: Array


def table_mean(table: Dataset, query: Query, scale: Scale) -> TableMean:
    """The average of the query's function over the rows.

    Sums are exact; of every term at most four products are rounded, so the error is at most
    5 u times the average of |phi|, u = 2^-53.  The values of h are taken as computed.
    """
    x = np.asarray(table.inputs, dtype=np.float64)
    y = np.asarray(table.targets, dtype=np.float64)
    count, dimension = x.shape
    linear = isinstance(query, Correlation)
    labels = None if linear else y
    form = query.form
    if isinstance(form, Ridge):
        along = None if form.frame is None else (x @ form.frame).reshape(count, -1)
        g = form.values(along, labels, count)
        power = form.power
    elif isinstance(form, Opaque):
        g, power = form.values(x, labels), 0
    else:
        raise NotCertified(f"no sums of a {type(form).__name__}")
    phi = (g.T * y).T if linear else g
    norm = g if scale is Scale.FUNCTION and linear else phi
    if power < 2:
        factors = x if power else np.ones((count, 1))
        mean, size = _columns(factors, phi) if phi.ndim == 1 else _columns(phi, np.ones(count))
        squares = factors**2
        weights = norm**2 if phi.ndim == 1 else np.ones(count)
        norms, _ = _columns(squares if phi.ndim == 1 else norm**2, weights)
        shape = query.shape(dimension)
        mean, size, norms = (part.reshape(shape) for part in (mean, size, norms))
    else:
        mean, size, norms = _matrix(x, phi, norm)
    scales = np.ones(mean.shape) if scale is Scale.NONE else np.sqrt(norms)
    return TableMean(mean, 5 * UNIT * size, scales)


def _columns(factors: Array, weights: Array) -> tuple[Array, Array]:
    """Averages of factor_j weight, and of their absolute values."""
    count = len(weights)
    terms = (factors.T * weights).tolist()
    mean = np.array([math.fsum(row) / count for row in terms])
    size = np.array([math.fsum(map(abs, row)) / count for row in terms])
    return mean, size


def _matrix(x: Array, phi: Array, norm: Array) -> tuple[Array, Array, Array]:
    """Averages of (x_i x_j - delta_ij) phi, of their absolute values, and of squares with norm."""
    dimension = x.shape[1]
    mean, size, squares = (np.zeros((dimension, dimension)) for _ in range(3))
    for i in range(dimension):
        # One factor of a column at a time, so that memory stays that of the table.
        rows = x[:, i : i + 1] * x[:, : i + 1]
        rows[:, i] -= 1.0
        mean[i, : i + 1], size[i, : i + 1] = _columns(rows, phi)
        # The difference x^2 - 1 is rounded as x^2 + 1 may be.
        size[i, i] += float(np.mean(np.abs(phi) * (x[:, i] ** 2 + 1)))
        squares[i, : i + 1], _ = _columns(rows**2, norm**2)
    lower = np.tril(np.ones((dimension, dimension), dtype=bool), -1)
    for table in (mean, size, squares):
        table.T[lower] = table[lower]
    return mean, size, squares
