"""What polynomial learners hand back: a score <c, psi(x)>, and the reliable guess made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.losses import clipped
from sqsim.lowrank import Array
from sqsim.multinomial import MonomialFeatures


@final
@dataclass(frozen=True, eq=False)
class PolynomialHypothesis:
    """x -> <coefficients, psi(x)>.

    Attributes
    ----------
    features : MonomialFeatures
    coefficients : (N,) array, of the weighted monomials.
    """

    features: MonomialFeatures
    coefficients: Array = field(repr=False)

    def __post_init__(self) -> None:
        found = np.asarray(self.coefficients, dtype=np.float64)
        if found.shape != (self.features.size,) or not np.isfinite(found).all():
            raise BadInput(
                f"coefficients of shape {found.shape} must be finite, ({self.features.size},)"
            )
        object.__setattr__(self, "coefficients", found)

    def __call__(self, inputs: Array) -> Array:
        return self.features.values(self.coefficients, inputs)

    @property
    def norm_squared(self) -> float:
        """||v||^2 in the space of the multinomial kernel."""
        return float(self.coefficients @ self.coefficients)


@final
@dataclass(frozen=True, eq=False)
class ReliableHypothesis:
    """0 where the score is at most `threshold`, else the score, clipped to [0, 1] if so said.

    With threshold 2 epsilon and a monotone loss the rule of Goel, Kanade, Klivans and Thaler
    (2017); a loss that is not monotone, such as the linear one, forbids clipping.
    """

    score: PolynomialHypothesis
    threshold: float
    clips: bool = True

    def __call__(self, inputs: Array) -> Array:
        return self.of_scores(self.score(inputs))

    def of_scores(self, scores: Array) -> Array:
        """The guesses that these scores stand for."""
        values = clipped(scores) if self.clips else np.asarray(scores, float)
        return np.where(values <= self.threshold, 0.0, values)
