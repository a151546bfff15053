"""What a learner hands back: one ReLU neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.lowrank import Array


@final
@dataclass(frozen=True, eq=False, repr=False)
class ReluHypothesis:
    """x -> max(0, <weights, x> + bias).  The zero hypothesis has weights 0 and bias 0."""

    weights: Array
    bias: float

    def __call__(self, inputs: Array) -> Array:
        return np.maximum(inputs @ self.weights + self.bias, 0.0)

    @property
    def norm(self) -> float:
        return float(np.linalg.norm(self.weights))

    def __repr__(self) -> str:
        size = f"dimension={len(self.weights)}, norm={self.norm:.6g}, bias={self.bias:.6g}"
        return f"ReluHypothesis({size})"

    def overlap(self, direction: Array) -> float:
        """Cosine of the angle between the weights and a direction; 0 for zero weights."""
        scale = self.norm * float(np.linalg.norm(direction))
        return float(self.weights @ direction) / scale if scale > 0 else 0.0


def zero(dimension: int) -> ReluHypothesis:
    """The hypothesis that predicts 0 everywhere."""
    return ReluHypothesis(np.zeros(dimension), 0.0)
