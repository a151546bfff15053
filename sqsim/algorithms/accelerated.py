"""Accelerated descent on a ball from inexact gradients, with a proved lower bound on the minimum.

This file does not know what is minimised, nor who answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array


@final
@dataclass(frozen=True, eq=False)
class Accelerated:
    """The state of Nesterov's method of dual averages for a convex F on ||u|| <= radius.

    With gradients of Lipschitz constant `curvature` and answers off by at most e in norm, after T
    steps (Nesterov 2005, the error term derived here)

        F(average) - min F <= 2 curvature radius^2 / (T (T + 1)) + 2 radius e :

    errors do not add up, since each meets <e, u* - u_t> once.  Step t weighs (t + 1) / 2.

    Attributes
    ----------
    radius, curvature : of the problem.
    average : where F is small.
    pulled : minimiser of the linear model plus curvature ||u||^2 / 2.
    slopes, constants : sums of weighted gradients and of weighted F(z) - <g, z>.
    steps : gradients that were taken.
    """

    radius: float
    curvature: float
    average: Array
    pulled: Array
    slopes: Array
    constants: float = 0.0
    steps: int = 0

    @property
    def total(self) -> float:
        """Sum of the weights so far."""
        return self.steps * (self.steps + 1) / 4

    @property
    def point(self) -> Array:
        """Where the next gradient is asked."""
        return self._mixed(self.pulled)

    def advanced(self, gradient: Array, value: float) -> Accelerated:
        """After the gradient and the value at `point`."""
        weight = (self.steps + 1) / 2
        constant = value - float(gradient @ self.point)
        slopes = self.slopes + weight * gradient
        pulled = -slopes / self.curvature
        pulled = pulled * min(1.0, self.radius / max(float(np.linalg.norm(pulled)), 1e-300))
        return replace(
            self,
            average=self._mixed(pulled),
            pulled=pulled,
            slopes=slopes,
            constants=self.constants + weight * constant,
            steps=self.steps + 1,
        )

    @property
    def lower_bound(self) -> float:
        """min over the ball of the averaged linear models: at most min F if answers are exact."""
        if not self.steps:
            return -math.inf
        return (self.constants - self.radius * float(np.linalg.norm(self.slopes))) / self.total

    def _mixed(self, pulled: Array) -> Array:
        weight = (self.steps + 1) / 2
        return np.asarray((self.total * self.average + weight * pulled) / (self.total + weight))


def accelerated(size: int, *, radius: float, curvature: float) -> Accelerated:
    """The method at its start, 0."""
    for name, number in (("radius", radius), ("curvature", curvature)):
        if not 0 < number < math.inf:
            raise BadInput(f"{name} is {number!r}; wanted a finite number > 0")
    return Accelerated(radius, curvature, np.zeros(size), np.zeros(size), np.zeros(size))


def accelerated_rounds(*, curvature: float, radius: float, gap: float) -> int:
    """Steps after which exact gradients leave at most `gap`: 2 curvature R^2 / (T (T + 1)) <= gap.

    About sqrt(2 curvature / gap) R, against (R G / gap)^2 of projected subgradients of norm G.
    """
    wanted = 2 * curvature * radius**2 / gap
    return max(1, math.ceil((math.sqrt(1 + 4 * wanted) - 1) / 2))
