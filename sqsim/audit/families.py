"""Whether the sums of a multi-valued answer over its sets of cells are inside their windows.

This file does not know where the means come from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.lowrank import dense
from sqsim.partitions import JointStat
from sqsim.tolerance import Mean

# A sum that is rounded once, a square root, a division and a product.
ROUNDING = 8 * 2.0**-53


@final
@dataclass(frozen=True)
class SetSum:
    """The sum over one set of cells.

    Attributes
    ----------
    said : sum of the answers.
    probability, error : sum of the means, and a bound on its error.
    least, most : radius max(1/t, sqrt(p (1 - p)/t)), over the probabilities p within the error.
    """

    cells: tuple[int, ...]
    said: float
    probability: float
    error: float
    least: float
    most: float

    @property
    def off(self) -> float:
        return abs(self.said - self.probability)

    @property
    def outside(self) -> bool:
        """Whether it is outside wherever the probability is; so is what is no number."""
        return not self.off <= (self.most + self.error) * (1 + ROUNDING)

    @property
    def edge(self) -> bool:
        """Whether the error leaves it open."""
        return not self.outside and not self.off + self.error <= self.least * (1 + ROUNDING)

    @property
    def part(self) -> float:
        """Of the radius that it is off by."""
        part = (self.off + self.error) / self.most
        return math.inf if math.isnan(part) or (self.outside and part < 1) else part


def set_sums(answer: Any, mean: Mean, tolerance: JointStat) -> list[SetSum]:
    """One for each set of the family."""
    said, value = np.asarray(answer, dtype=np.float64), dense(mean.value)
    error = np.broadcast_to(np.asarray(mean.error, dtype=np.float64), value.shape)
    found = []
    for one in tolerance.sets:
        cells = list(one)
        p = math.fsum(value[cells])
        size = math.fsum(np.abs(value[cells])) + math.fsum(np.abs(said[cells]))
        e = math.fsum(error[cells]) + ROUNDING * size
        least, most = _radii(p, e, tolerance.t)
        found.append(SetSum(one, math.fsum(said[cells]), p, e, least, most))
    return found


def _radii(p: float, error: float, t: float) -> tuple[float, float]:
    """Least and greatest radius over the probabilities within the error of p."""
    low, high = (min(max(q, 0.0), 1.0) for q in (p - error, p + error))
    # p (1 - p) is concave and greatest at 1/2.
    top = min(max(low, 0.5), high)
    spreads = [q * (1 - q) for q in (low, top, high)]
    least, most = (max(1 / t, math.sqrt(s / t)) for s in (min(spreads), max(spreads)))
    return least, most
