"""The few directions that a Gaussian integral depends on.

Columns (query directions, then label directions) are orthonormalised in order, so that column j is
a combination of the first `levels[j]` coordinates: an integral over the coordinates, one inside
the other, meets every kink of column j at one point of coordinate `levels[j]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.lowrank import Array

INDEPENDENT = 1e-15
"""A unit column this far from the span of the others is rounding: sums of columns reach it."""


@final
@dataclass(frozen=True, eq=False)
class Span:
    """Orthonormal coordinates u = basis' x of a span.

    Attributes
    ----------
    basis : (d, r) orthonormal.
    mixing : (r, columns): column' x = mixing[:, column]' u.
    levels : for each column, how many leading coordinates it uses.
    """

    basis: Array
    mixing: Array
    levels: tuple[int, ...]

    @property
    def rank(self) -> int:
        return int(self.basis.shape[1])


def span(columns: list[Array], dimension: int) -> Span:
    """Orthonormalise the columns in order; a column within rounding of the others adds nothing.

    Nearly parallel columns keep a full-precision angle: the part along the nearest earlier
    direction is removed as an exact difference before anything is squared.
    """
    basis: list[Array] = []
    mixing = np.zeros((len(columns), len(columns)))
    levels: list[int] = []
    for j, column in enumerate(columns):
        norm = float(np.linalg.norm(column))
        if norm == 0.0:
            levels.append(0)
            continue
        rest = column / norm
        weights = np.array([q @ rest for q in basis])
        if basis and np.abs(weights).max() > 0.9:
            nearest = int(np.abs(weights).argmax())
            rest = rest - np.sign(weights[nearest]) * basis[nearest]
        for _ in range(2):
            for q in basis:
                rest = rest - (q @ rest) * q
        length = float(np.linalg.norm(rest))
        mixing[: len(basis), j] = norm * weights
        if length > INDEPENDENT:
            # Coefficients of a unit column: cos from sin, where cos is near 1, loses nothing.
            if basis and np.abs(weights).max() > 0.9:
                others = weights.copy()
                others[nearest] = 0.0
                sine = length**2 + float(others @ others)
                mixing[nearest, j] = norm * np.sign(weights[nearest]) * np.sqrt(max(1 - sine, 0.0))
            mixing[len(basis), j] = norm * length
            basis.append(rest / length)
        used = np.flatnonzero(np.abs(mixing[: len(basis), j]) > 0)
        levels.append(int(used[-1]) + 1 if len(used) else 0)
    stacked = np.stack(basis, axis=1) if basis else np.zeros((dimension, 0))
    return Span(stacked, mixing[: len(basis)].copy(), tuple(levels))
