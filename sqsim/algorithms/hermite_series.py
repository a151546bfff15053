"""Finite Hermite series in one projection: activations of index learners and their slopes.

Conventions: h_k = He_k / sqrt(k!), orthonormal for z ~ N(0, 1).  This file knows no labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import factorial
from typing import final

import numpy as np
from numpy.polynomial import hermite_e

from sqsim.errors import BadInput
from sqsim.links import Link
from sqsim.lowrank import Array
from sqsim.special import hermite_functions

LARGEST_DEGREE = 40


@final
@dataclass(frozen=True)
class HermiteSum:
    """z -> sum_k coefficients[k] h_k(z)."""

    coefficients: tuple[float, ...]

    def __post_init__(self) -> None:
        values = np.asarray(self.coefficients, dtype=np.float64)
        if values.ndim != 1 or not values.size or not np.isfinite(values).all():
            raise BadInput(f"coefficients are {self.coefficients!r}; wanted finite numbers")

    def __call__(self, z: Array) -> Array:
        rows = hermite_functions(z, len(self.coefficients) - 1)
        return np.asarray(np.tensordot(np.array(self.coefficients), rows, axes=1))

    @property
    def degree(self) -> int:
        return len(self.coefficients) - 1

    @cached_property
    def norm(self) -> float:
        """||f||_2 for z ~ N(0, 1), by Parseval."""
        return float(np.linalg.norm(self.coefficients))

    @cached_property
    def slope(self) -> HermiteSum:
        """The derivative, by h_k' = sqrt(k) h_(k-1)."""
        orders = np.arange(1, len(self.coefficients))
        values = np.sqrt(orders) * np.array(self.coefficients[1:])
        return HermiteSum(tuple(values.tolist()) or (0.0,))

    @cached_property
    def tilted(self) -> HermiteSum:
        """z f(z), by z h_k = sqrt(k + 1) h_(k+1) + sqrt(k) h_(k-1)."""
        return self.times(HermiteSum((0.0, 1.0)))

    def times(self, other: HermiteSum) -> HermiteSum:
        """The product of both functions."""
        product = hermite_e.hermemul(_plain(self), _plain(other))
        scale = [np.sqrt(float(factorial(k))) for k in range(len(product))]
        return HermiteSum(tuple((product * scale).tolist()))

    def scaled(self, factor: float) -> HermiteSum:
        return HermiteSum(tuple(factor * c for c in self.coefficients))

    def field_norm(self, direction: Array) -> float:
        """The largest L2 norm of an entry of x f(<direction, x>), `direction` a unit vector.

        Entry i has the square (1 - w_i^2) ||f||^2 + w_i^2 ||z f||^2.
        """
        along = float(np.max(np.square(direction)))
        squares = np.array([0.0, along]) * (self.tilted.norm**2 - self.norm**2) + self.norm**2
        return float(np.sqrt(max(squares)))


def activation(link: Link, *, degree: int = 6) -> HermiteSum:
    """The Hermite part of degree <= `degree` of a link, of unit norm without its constant.

    A smooth stand-in for links that jump, with the same Hermite coefficients of low degree up to a
    factor: what decides how soon a descent leaves its start.

    Raises
    ------
    BadInput
        Where the link has no Hermite part of degree 1 to `degree`.
    """
    if isinstance(degree, bool) or not isinstance(degree, int) or not 1 <= degree <= LARGEST_DEGREE:
        raise BadInput(f"degree is {degree!r}; wanted an integer from 1 to {LARGEST_DEGREE}")
    values = np.array(link.coefficients(degree))
    values[0] = 0.0
    # Quadrature leaves 1e-16 where a symmetry has 0.
    values[np.abs(values) < 1e-13 * np.sqrt(link.second_moment)] = 0.0
    size = float(np.linalg.norm(values))
    if size == 0.0:
        raise BadInput(
            f"{link!r} has no Hermite part of degree 1 to {degree}; a descent along it would "
            "never move: use a larger degree or another activation"
        )
    return HermiteSum(tuple((values / size).tolist()))


def _plain(series: HermiteSum) -> Array:
    """Coefficients of He_k."""
    return np.array([c / np.sqrt(float(factorial(k))) for k, c in enumerate(series.coefficients)])
