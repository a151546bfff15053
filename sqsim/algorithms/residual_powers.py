"""|r|^p of a residual r, smoothed around 0 where p < 2: what a descent needs of it.

This file does not know polynomials, queries or labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array


@final
@dataclass(frozen=True)
class ResidualPower:
    """phi(r): |r|^p, for p < 2 replaced by a parabola on |r| <= width; convex and differentiable.

    phi = p width^(p-2) r^2 / 2 where |r| <= width, |r|^p - (1 - p/2) width^p beyond, so that
    0 <= |r|^p - phi <= `gap`.  Huber's function for p = 1.

    Parameters
    ----------
    power : p >= 1.
    width : > 0; not used for p >= 2.
    reach : the largest |r| that occurs.
    """

    power: float
    width: float
    reach: float

    def __post_init__(self) -> None:
        for name, least in (("power", 1.0), ("width", 0.0), ("reach", 0.0)):
            value = getattr(self, name)
            good = isinstance(value, int | float) and not isinstance(value, bool)
            if not good or not np.isfinite(value) or not (value > least or value == 1.0):
                raise BadInput(f"{name} is {value!r}; wanted a finite number > {least:g}, p >= 1")

    @property
    def gap(self) -> float:
        """sup of |r|^p - phi(r)."""
        return float(max(1 - self.power / 2, 0.0) * self.width**self.power)

    @property
    def curvature(self) -> float:
        """Lipschitz constant of the slope on |r| <= reach."""
        p = self.power
        if p < 2:
            return float(p * self.width ** (p - 2))
        return float(p * (p - 1) * self.reach ** (p - 2))

    @property
    def steepest(self) -> float:
        """sup of |slope| on |r| <= reach."""
        if self.power == 1:
            return 1.0
        return float(self.power * max(self.reach, self.width) ** (self.power - 1))

    def slope(self, residual: Array) -> Array:
        """phi'(r), entry by entry."""
        r, p = np.asarray(residual, float), self.power
        if p == 1:
            return np.asarray(np.clip(r / self.width, -1.0, 1.0))
        beyond = p * np.sign(r) * np.abs(r) ** (p - 1)
        if p >= 2:
            return np.asarray(beyond)
        inside = p * self.width ** (p - 2) * r
        return np.asarray(np.where(np.abs(r) <= self.width, inside, beyond))


def smoothed_power(power: float, *, gap: float, reach: float) -> ResidualPower:
    """|r|^p smoothed so that it falls by `gap` at most; nothing is smoothed for p >= 2."""
    if isinstance(power, bool) or not isinstance(power, int | float) or not power >= 1:
        raise BadInput(f"power is {power!r}; |r|^p is convex for p >= 1")
    if power >= 2:
        return ResidualPower(float(power), 1.0, reach)
    return ResidualPower(float(power), float((gap / (1 - power / 2)) ** (1 / power)), reach)
