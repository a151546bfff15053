"""Guesses of the norm and the bias of a very negative neuron, and what trying them all costs.

Loss at least alpha OPT means | ||y|| - ||c sigma_b|| | <= ||y|| / sqrt(alpha): E[y^2] fixes the
norm for each bias to within 1/sqrt(alpha), so the grid of guesses is one-dimensional.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import log_ndtr

from sqsim.errors import BadInput
from sqsim.links import Relu
from sqsim.lowrank import Array


@final
@dataclass(frozen=True)
class Guess:
    """A neuron norm sigma(<v, x> + bias), bias normalised; its cut is norm / |bias|."""

    norm: float
    bias: float

    @property
    def cut(self) -> float:
        """Label threshold of the thresholded PCA: tau = 1/|b| in units of the norm."""
        return self.norm / abs(self.bias)

    @property
    def expected_tail(self) -> float:
        """log P(|y| >= cut) for this neuron uncorrupted: log Phi(b + 1/b)."""
        return float(log_ndtr(self.bias + 1 / self.bias))


@final
@dataclass(frozen=True)
class GeometricMesh:
    """Normalised biases -smallest, -smallest ratio, ... down to -largest.

    A factor of `ratio` in b moves the cut and the weight of the update by that factor only, while
    their windows of success are constant factors; the paper's mesh is PaperMesh.
    """

    smallest: float = 1.0
    largest: float = 12.0
    ratio: float = 1.1

    def __post_init__(self) -> None:
        if not (0 < self.smallest <= self.largest < math.inf and 1 < self.ratio < math.inf):
            raise BadInput(
                f"mesh from {self.smallest} to {self.largest} by {self.ratio}; "
                "wanted 0 < smallest <= largest and ratio > 1, all finite"
            )

    @property
    def biases(self) -> Array:
        count = 1 + math.floor(math.log(self.largest / self.smallest) / math.log(self.ratio) + 1e-9)
        return np.asarray(-self.smallest * self.ratio ** np.arange(count), dtype=np.float64)

    def guesses(self, energy: float) -> list[Guess]:
        """One guess for each bias, its norm from E[y^2] = `energy`."""
        return [
            Guess(math.sqrt(energy / Relu(float(b)).second_moment), float(b)) for b in self.biases
        ]


@final
@dataclass(frozen=True)
class PaperMesh:
    """The uniform mesh of Guo and Vijayaraghavan (2024): width 0.1 sqrt(epsilon) in both unknowns.

    Norms in (0, norm_bound], biases in +- constant sqrt(log 1/epsilon); only the negative biases
    reach the thresholded PCA.
    """

    epsilon: float
    norm_bound: float = 1.0
    constant: float = 1.0

    def __post_init__(self) -> None:
        bounds = (self.norm_bound, self.constant)
        if not (0 < self.epsilon < 1 and all(0 < bound < math.inf for bound in bounds)):
            raise BadInput(
                f"epsilon {self.epsilon}, norm_bound {self.norm_bound}, constant {self.constant}: "
                "wanted 0 < epsilon < 1 and positive finite bounds"
            )

    @property
    def points(self) -> int:
        """Grid points, 200 C W sqrt(log 1/epsilon) / epsilon up to rounding."""
        width = 0.1 * math.sqrt(self.epsilon)
        norms = math.ceil(self.norm_bound / width)
        return norms * math.ceil(2 * self._reach / width)

    def queries(self, dimension: int, *, steps: int = 60) -> int:
        """Scalar queries of trying every point: one matrix and both signs' descents each."""
        d = dimension
        return self.points * (d * (d + 1) // 2 + 2 * steps * (d + 1))

    def guesses(self, energy: float) -> list[Guess]:
        """Every point of negative bias, raw norm and bias (energy is not used)."""
        width = 0.1 * math.sqrt(self.epsilon)
        norms = width * np.arange(1, math.ceil(self.norm_bound / width) + 1)
        biases = -width * np.arange(1, math.ceil(self._reach / width) + 1)
        return [Guess(float(c), float(b / c)) for c in norms for b in biases]

    @property
    def biases(self) -> Array:
        """Normalised biases that the final fit scans: the mesh at norm_bound."""
        width = 0.1 * math.sqrt(self.epsilon)
        steps = np.arange(1, math.ceil(self._reach / width) + 1, dtype=np.float64)
        return np.asarray(-width * steps / self.norm_bound, dtype=np.float64)

    @property
    def _reach(self) -> float:
        return self.constant * math.sqrt(math.log(1 / self.epsilon))
