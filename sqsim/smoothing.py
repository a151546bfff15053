"""What a link is: a function of one Gaussian variable, and its smoothing by another.

Conventions: t ~ N(0, 1); h_k = He_k / sqrt(k!), so that E[h_j h_k] = delta_jk.
This file does not know any link by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.gaussian import BASE_KNOTS, LIMIT
from sqsim.lowrank import Array
from sqsim.panels import Samples, integrate
from sqsim.special import hermite_functions, normal_density

EPSILON = 4.5e-16
"""Two units of float64 rounding."""


@final
@dataclass(frozen=True, eq=False)
class Smoothed:
    """E[f(m + q Z) He_j(Z)], j = 0, 1, 2, each array of shape (3, n).

    Attributes
    ----------
    moments : the values.
    magnitudes : sizes of what was added up on the way.
    errors : their rounding, that of the argument m included.
    """

    moments: Array
    magnitudes: Array
    errors: Array


class Link(ABC):
    """A function of one Gaussian variable t."""

    @property
    def kinks(self) -> tuple[float, ...]:
        """Points where the function jumps or bends."""
        return ()

    @abstractmethod
    def __call__(self, t: Array) -> Array:
        """Values, elementwise."""

    def rounding(self, t: Array) -> Array:
        """Error of the values, that of a rounded argument included."""
        return EPSILON * (1 + np.abs(t)) * np.abs(self(t))

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        """Moments of f(mean + deviation Z) against He_0, He_1, He_2 of Z ~ N(0, 1).

        `mean` is the part of t already fixed; its variance is 1 - deviation^2.
        """
        knots = [np.broadcast_to(BASE_KNOTS, (len(mean), len(BASE_KNOTS)))]
        if self.kinks:
            knots.append((np.array(self.kinks)[None, :] - mean[:, None]) / deviation)
        ordered = np.sort(np.clip(np.concatenate(knots, axis=1), -LIMIT, LIMIT), axis=1)

        def integrand(row: np.ndarray, z: Array) -> Samples:
            t, density = mean[row] + deviation * z, normal_density(z)
            hermite = np.stack([np.ones_like(z), z, z * z - 1])
            rows = self(t) * density * hermite
            return Samples(rows, np.abs(rows), self.rounding(t) * density * np.abs(hermite))

        result = integrate(integrand, ordered)
        return Smoothed(result.values, result.magnitudes, result.errors)

    def coefficients(self, degree: int) -> Array:
        """Hermite coefficients E[f(t) h_k(t)], k = 0..degree, in float64."""
        if degree < 0:
            raise BadInput(f"degree is {degree}; Hermite coefficients start at 0")
        result = integrate(self._against_hermite(degree), self._knots)
        return np.asarray(result.values[:, 0])

    @cached_property
    def second_moment(self) -> float:
        """E[f(t)^2], to full relative precision (nothing cancels)."""

        def integrand(row: np.ndarray, t: Array) -> Samples:
            values = self(t)[None, :] ** 2 * normal_density(t)
            return Samples(values, values)

        return float(integrate(integrand, self._knots).values[0, 0])

    @property
    def _knots(self) -> Array:
        kinks = [k for k in self.kinks if abs(k) < LIMIT]
        return np.sort(np.concatenate([BASE_KNOTS, kinks]))[None, :]

    def _against_hermite(self, degree: int):  # type: ignore[no-untyped-def]
        def integrand(row: np.ndarray, t: Array) -> Samples:
            values = self(t) * normal_density(t)
            rows = values * hermite_functions(t, degree)
            return Samples(rows, np.abs(rows))

        return integrand


def argument_errors(sizes: Array, reach: Array, deviation: float) -> Array:
    """Errors of E[f(m + q Z) He_j(Z)], j = 0, 1, 2, where |m_j| <= sizes[j], j = 0, ..., 4.

    The derivatives are m_(j+1) / q with respect to m, rounded relative to `reach`, and (m_(j+2) +
    j m_j) / q with respect to q, rounded relative to the unit vector that it is a part of.
    """
    order = np.arange(3.0)[:, None]
    slopes = reach * sizes[1:4] + sizes[2:5] + order * sizes[:3]
    return np.asarray(EPSILON * (sizes[:3] + slopes / deviation))
