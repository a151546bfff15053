"""Labels that tilt the halfspace of Algorithm 2 of Goel, Karmalkar and Klivans (2019) the most.

Means over the plane of v and one direction across it, by quadrature; no learner is known here.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import final

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from sqsim.lowrank import Array


@final
class Wedge:
    """Labels that make alpha-cut labels those of a halfspace turned by turn * alpha.

    With s = <v, x> and u orthogonal: y = alpha where s < 0 is on the turned halfspace's positive
    side, y just below alpha where s > alpha is on its negative side, and relu(s) elsewhere.
    """

    def __init__(self, alpha: float, turn: float) -> None:
        self.alpha, self.slope = alpha, turn * alpha
        at, chance = np.polynomial.legendre.leggauss(400)
        self.u = np.concatenate([4 * (at - 1), 4 * (at + 1)])
        self.weight = np.tile(4 * chance, 2) * norm.pdf(self.u)

    def labels(self, inputs: Array) -> Array:
        """At points (s, u) of the plane; a bit off alpha, so that rounding does not decide."""
        s, u = np.asarray(inputs, float).T
        turned, y = s > -self.slope * u, np.maximum(s, 0)
        y = np.where(turned & (s < 0), self.alpha * (1 + 1e-9), y)
        return np.where(~turned & (s > self.alpha), self.alpha * (1 - 1e-9), y)

    @property
    def opt(self) -> float:
        """E[(y - relu)^2]: alpha^2 in s in (-slope u, 0), (s - alpha)^2 in (alpha, slope |u|)."""
        rise = np.maximum(self.u, 0) * self.slope
        cost = self.alpha**2 * (0.5 - norm.cdf(-rise))
        reach = np.maximum(-self.u * self.slope - self.alpha, 0)
        # E of (s - alpha)^2 over alpha < s < alpha + reach, by Simpson: a cubic times phi.
        far, middle = norm.pdf(self.alpha + reach), norm.pdf(self.alpha + reach / 2)
        cost += reach / 6 * (reach**2 * far + 4 * (reach / 2) ** 2 * middle)
        return float(self.weight @ cost)

    def disagreement(self, slope: Array) -> Array:
        """P(sign(y - alpha) differs from the halfspace s > -slope u), for many slopes."""
        u, alpha = self.u, self.alpha
        cut = norm.cdf(-np.multiply.outer(slope, u))
        up, down = norm.cdf(-self.slope * u), norm.cdf(np.maximum(alpha, -self.slope * u))
        ring = norm.cdf(alpha) - 0.5
        # u > 0: positive on (-slope u, 0) and beyond alpha; u < 0: beyond alpha or slope |u|.
        raised = np.abs(cut - up) + ring
        lowered = np.abs(cut - down)
        return np.asarray(np.where(u > 0, raised, lowered) @ self.weight)

    def learned(self) -> float:
        """The slope of the halfspace that agrees best."""
        slopes = self.slope * np.linspace(0.2, 2.0, 361)
        return float(slopes[int(np.argmin(self.disagreement(slopes)))])

    def loss(self, slope: float) -> float:
        """E[(y - relu(<w, x>))^2] of the unit neuron along (1, slope), by quadrature over s."""
        at, chance = np.polynomial.legendre.leggauss(40)
        length = math.hypot(1.0, slope)
        total = np.zeros_like(self.u)
        bends = np.stack([
            np.full_like(self.u, -9.0), -self.slope * self.u, -slope * self.u,
            np.zeros_like(self.u), np.full_like(self.u, self.alpha), np.full_like(self.u, 9.0),
        ])  # fmt: skip
        bends.sort(axis=0)
        for low, high in pairwise(bends):
            s = low + (high - low) * (at[:, None] + 1) / 2
            turned = s > -self.slope * self.u
            y = np.maximum(s, 0)
            y = np.where(turned & (s < 0), self.alpha, y)
            y = np.where(~turned & (s > self.alpha), self.alpha, y)
            guess = np.maximum(s + slope * self.u, 0) / length
            total += (high - low) / 2 * (chance @ ((y - guess) ** 2 * norm.pdf(s)))
        return float(self.weight @ total)


@lru_cache(maxsize=1)
def worst_turn() -> float:
    """The turn at which opt = alpha^3, as alpha falls to 0."""
    alpha = 1e-3
    return float(brentq(lambda t: Wedge(alpha, t).opt - alpha**3, 0.5, 5.0))


@lru_cache(maxsize=8)
def thresholded(alpha: float) -> tuple[float, float]:
    """opt, and what the neuron along the best halfspace loses."""
    wedge = Wedge(alpha, worst_turn())
    return wedge.opt, wedge.loss(wedge.learned())
