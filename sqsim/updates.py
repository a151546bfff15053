"""Weights of projected correlational updates g_w = P_w E[y x weight(<w, x>)].

Both the learner that makes the step and the adversary that corrupts labels against it read the
weight from here.  This file does not know either of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from scipy.special import ndtr

from sqsim.errors import BadInput
from sqsim.gaussian import ridge_norms
from sqsim.lowrank import Array
from sqsim.queries import Ridge

NARROW = 0.3
"""Deviation in s below which a smoothed step is as good as a jump to a quadrature."""


@final
@dataclass(frozen=True, eq=False)
class Update:
    """weight(s) at s = <w, x>, its kinks and its norm ||weight(s)||_2 for s ~ N(0, 1)."""

    name: str
    weight: Callable[[Array], Array] = field(repr=False)
    kinks: tuple[float, ...]

    @property
    def norm(self) -> float:
        return float(np.asarray(ridge_norms(Ridge(self.weight, np.ones(1), kinks=self.kinks), 1)))


def plain(bias: float) -> Update:
    """weight(s) = 1(s + bias >= 0): projected gradient descent."""
    return Update("plain", lambda s: (s + bias >= 0).astype(np.float64), (-bias,))


def reweighted(bias: float, *, rho: float = 0.5, overlap: float = 0.9) -> Update:
    """Gaussian shifted by rho |b| along w, cut at (rho + lambda - lambda^2 rho) |b|.

    weight(s) = exp(rho a s - rho^2 a^2 / 2) 1(s >= (rho + lambda - lambda^2 rho) a), a = -bias,
    with lambda = `overlap`, the overlap at which the analysis starts.  Guo and Vijayaraghavan
    (2024), section 3.1.
    """
    if not -np.inf < bias <= 0:
        raise BadInput(f"bias is {bias}; the reweighting is made for biases <= 0")
    shift, cut = -rho * bias, -(rho + overlap - overlap**2 * rho) * bias

    def weight(s: Array) -> Array:
        return np.where(s >= cut, np.exp(shift * np.minimum(s, 60.0) - shift**2 / 2), 0.0)

    return Update("reweighted", weight, (cut,))


def smoothed(bias: float, *, rho: float) -> Update:
    """weight(s) = Phi((rho s + bias) / sqrt(1 - rho^2)) = T_rho 1(. + bias >= 0), 0 <= rho < 1.

    The slope of max(z + bias, 0) averaged over rho s + sqrt(1 - rho^2) Z: Zarifis et al. (2025).
    ||weight||^2 = P(X, Y >= -bias) at correlation rho^2.
    """
    if not (np.isfinite(bias) and 0 <= rho < 1):
        raise BadInput(f"bias {bias} and rho {rho}: a finite bias and 0 <= rho < 1 wanted")
    width = float(np.sqrt((1 - rho) * (1 + rho)))

    def weight(s: Array) -> Array:
        return np.asarray(ndtr((rho * s + bias) / width))

    # Not kinks of the weight: where a narrow step begins and ends, so that no panel misses it.
    ends = (-8.0, -3.0, 0.0, 3.0, 8.0) if width < NARROW * rho else ()
    return Update("smoothed", weight, tuple((k * width - bias) / rho for k in ends))


def optimal(bias: float, *, overlap: float) -> Update:
    """The weight of <w, x> with the least worst-case noise over signal at this overlap of w and v.

    Clean labels give P_w E[y x h(<w, x>)] the component S <h, T_L s_b'> toward v and noise of
    budget OPT at most sqrt(OPT) ||h||; by Cauchy-Schwarz h = T_L s_b' is best, the smoothed weight
    with rho = L.
    """
    return replace(smoothed(bias, rho=overlap), name="optimal")
