"""How bad labels can be for the one-shot learner w = 2 E[y x]: a search for its worst case.

Computed in Hermite coefficients of labels of two Gaussian directions, where learner, loss and the
best unbiased neuron are finite sums.  This file does not know oracles or queries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from scipy.optimize import minimize

from sqsim.errors import BadInput
from sqsim.links import LeakyRelu, Relu
from sqsim.lowrank import Array
from sqsim.seeds import Role, Seed, rng

PUBLISHED = 3 + 2 * math.sqrt(2)
"""Diakonikolas, Goel, Karmalkar, Klivans and Soltanolkotabi (2020): error / OPT at most this."""
DERIVED = 2.0
"""Derived here: error / OPT at most this, and equal to it for y = max(z, 0) + s min(z, 0)."""
ANGLES, TILTS = 96, 7
FINE = 721


@final
@dataclass(frozen=True)
class Labels:
    """Labels sum_jk a_jk h_j(x_1) h_k(x_2) of total degree at most `degree`.

    A neuron r max(<u, x>, 0) with u at an angle phi in the plane, turned by `off` out of it, has
    E[y neuron] = r sum_n c_n cos(off)^n y_n(phi), y_n(phi) = sum_j a_(j, n - j) binom(n, j)^(1/2)
    cos(phi)^j sin(phi)^(n - j), c_n the coefficients of max(z, 0).
    """

    degree: int

    def __post_init__(self) -> None:
        if not 1 <= self.degree <= 20:
            raise BadInput(f"degree is {self.degree}; labels have a degree from 1 to 20")

    @cached_property
    def indices(self) -> list[tuple[int, int]]:
        """(j, k) of each coefficient, by total degree."""
        return [(j, n - j) for n in range(self.degree + 1) for j in range(n + 1)]

    def correlations(self, angles: Array, tilts: Array) -> Array:
        """Rows of the linear map from coefficients to E[y max(<u, x>, 0)], one for each u."""
        link = Relu(0.0).coefficients(self.degree)
        columns = [
            link[j + k]
            * math.sqrt(math.comb(j + k, j))
            * np.cos(tilts) ** (j + k)
            * np.cos(angles) ** j
            * np.sin(angles) ** k
            for j, k in self.indices
        ]
        return np.stack(columns, axis=-1)

    @cached_property
    def grid(self) -> Array:
        """The map at a grid of directions in the plane and out of it."""
        angle, tilt = np.meshgrid(
            2 * np.pi * np.arange(ANGLES) / ANGLES, np.linspace(0, np.pi / 2, TILTS)
        )
        return self.correlations(angle.ravel(), tilt.ravel())

    def error(self, coefficients: Array) -> float:
        """E[(y - max(<2 E[y x], x>, 0))^2]."""
        moment = self.moment(coefficients)
        length = float(np.linalg.norm(moment))
        energy = float(coefficients @ coefficients)
        if length == 0.0:
            return energy
        angle = np.array([np.arctan2(moment[1], moment[0])])
        agreed = float((self.correlations(angle, np.zeros(1)) @ coefficients)[0])
        return energy - 4 * length * agreed + 2 * length**2

    def moment(self, coefficients: Array) -> Array:
        """E[y x] in the plane."""
        place = {index: i for i, index in enumerate(self.indices)}
        return np.array([coefficients[place[1, 0]], coefficients[place[0, 1]]])

    def opt(self, coefficients: Array, rows: Array | None = None) -> float:
        """Least loss of a neuron r max(<u, x>, 0): E[y^2] - 2 max(E[y max(<u, x>, 0)], 0)^2."""
        rows = self.grid if rows is None else rows
        best = max(float((rows @ coefficients).max()), 0.0)
        return float(coefficients @ coefficients) - 2 * best**2

    def ratio(self, coefficients: Array) -> float:
        """Error of the learner over OPT, on a fine grid of directions: OPT from above."""
        angles = np.linspace(0, 2 * np.pi, FINE)
        levels = [np.full(FINE, tilt) for tilt in np.linspace(0, np.pi / 2, TILTS)]
        rows = np.concatenate([self.correlations(angles, level) for level in levels])
        return self.error(coefficients) / self.opt(coefficients, rows)


@final
@dataclass(frozen=True, eq=False)
class OneShotSearch:
    """What the search found.

    Attributes
    ----------
    ratio : the largest error / OPT; a lower bound of the supremum up to rounding.
    coefficients : of the labels that reach it.
    ascents : the ratio at the end of each numerical ascent.
    leaky : error / OPT in closed form at y = max(z, 0) + s min(z, 0), 0 < s <= 1.
    published, derived : the bounds.
    """

    ratio: float
    coefficients: Array
    ascents: tuple[float, ...]
    leaky: float
    published: float = PUBLISHED
    derived: float = DERIVED


def search_one_shot(
    *, degrees: Sequence[int] = (1, 2, 4, 6), ascents: int = 4, seed: Seed = 0
) -> OneShotSearch:
    """Ascend error / OPT of w = 2 E[y x] over labels of two directions, from random starts.

    The supremum is 2, derived here for x ~ N(0, I) and exact answers.  Let u be a best unbiased
    neuron u(x) = max(<w*, x>, 0), y = u + g, E[g^2] = OPT, m = E[g x].  The learner has w = w* + 2
    m, so D = max(<w, x>, 0) - u has the degree-1 part <m, x>, as g has: they cancel in D - g.
    E[D^2] <= |w - w*|^2 / 2 = 2 |m|^2 leaves |m|^2 for the rest of D, and g has OPT - |m|^2 left,
    so the error is at most (|m| + (OPT - |m|^2)^(1/2))^2 <= 2 OPT.  y = max(z, 0) + s min(z, 0)
    reaches it: w has the length 1 + s, the error is s^2, and OPT = s^2 / 2.  The published 5.83
    bounds D and g by the triangle inequality, without the cancellation.
    """
    best, chosen, ends = 0.0, np.zeros(3), []
    streams = rng(seed, Role.INSTANCE).spawn(len(degrees) * ascents)
    for number, stream in enumerate(streams):
        labels = Labels(degrees[number // ascents])
        found = _ascended(labels, stream.standard_normal(len(labels.indices)))
        ends.append(labels.ratio(found))
        if ends[-1] > best:
            best, chosen = ends[-1], found
    return OneShotSearch(best, chosen, tuple(ends), leaky_ratio(0.5))


def _ascended(labels: Labels, start: Array) -> Array:
    def objective(coefficients: Array) -> float:
        opt, error = labels.opt(coefficients), labels.error(coefficients)
        return -math.log(error / opt) if opt > 0 and error > 0 else 0.0

    found = minimize(objective, start / np.linalg.norm(start), method="BFGS")
    # Labels are scale-free: a unit vector keeps the next evaluation well scaled.
    return np.asarray(found.x / np.linalg.norm(found.x))


def leaky_ratio(slope: float) -> float:
    """Error / OPT at y = max(z, 0) + slope min(z, 0), OPT being that of the neuron max(z, 0)."""
    if not 0 < slope <= 1:
        raise BadInput(f"slope is {slope}; wanted 0 < slope <= 1, where max(z, 0) is a best neuron")
    link = LeakyRelu(slope)
    mean = float(link.coefficients(1)[1])
    # y and the learner's neuron 2 E[y z] max(z, 0) differ by one leaky line on each side.
    error = ((1 - 2 * mean) ** 2 + slope**2) / 2
    return error / (slope**2 / 2)
