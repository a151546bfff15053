"""Weights made of bounded powers of the label, each with its function of one projection.

This file does not know where they come from, nor who asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.algorithms.hermite_series import HermiteSum
from sqsim.lowrank import Array


@final
@dataclass(frozen=True)
class LabelPower:
    """y -> clip(y / limit, -1, 1)^power: a power of the label that is bounded by 1."""

    power: int
    limit: float

    def __call__(self, y: Array) -> Array:
        return np.asarray(np.clip(y / self.limit, -1.0, 1.0) ** self.power)

    @property
    def levels(self) -> tuple[float, ...]:
        return (-self.limit, self.limit)


@final
@dataclass(frozen=True)
class PowerField:
    """(z, y) -> sum over p of clip(y / limit, -1, 1)^p f_p(z), f_p = `parts[p - 1]`."""

    parts: tuple[HermiteSum, ...]
    limit: float

    def __call__(self, z: Array, y: Array) -> Array:
        terms = (label(y) * part(z) for label, part in self.terms)
        return np.asarray(sum(terms, np.zeros(len(z))))

    @property
    def terms(self) -> list[tuple[LabelPower, HermiteSum]]:
        """The powers of the label, each with its function of the projection."""
        return [(LabelPower(p, self.limit), f) for p, f in enumerate(self.parts, start=1)]

    def scaled(self, factor: float) -> PowerField:
        return PowerField(tuple(part.scaled(factor) for part in self.parts), self.limit)
