"""What Gaussian noise lets through: (epsilon, delta) and the distance of two normal laws.

This file does not know records or queries.
"""

from __future__ import annotations

import math
from functools import lru_cache

from scipy.special import log_ndtr, ndtr

from sqsim.guarantee import positive_number, probability


def gaussian_delta(distance: float, epsilon: float) -> float:
    """Least delta for which N(distance, 1) and N(0, 1) are (epsilon, delta)-indistinguishable.

    Phi(m/2 - eps/m) - e^eps Phi(-m/2 - eps/m), m = distance: Balle and Wang (2018), theorem 8.
    Rounded up by what the difference may have lost, which matters for tiny epsilon and delta.
    """
    half, ratio = distance / 2, epsilon / distance
    above, below = half - ratio, -half - ratio
    whole = float(ndtr(above))
    lost = (4 + above**2 + below**2 + epsilon) * 2.0**-50 * whole
    return whole - math.exp(epsilon + float(log_ndtr(below))) + lost


@lru_cache(maxsize=256)
def gaussian_distance(epsilon: float, delta: float) -> float:
    """The largest m with gaussian_delta(m, epsilon) <= delta: all that noise may let through."""
    positive_number(epsilon, "epsilon")
    probability(delta, "delta")
    low, high = 0.0, 1.0
    while gaussian_delta(high, epsilon) <= delta:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if gaussian_delta(middle, epsilon) <= delta:
            low = middle
        else:
            high = middle
    return low


def gaussian_epsilon(distance: float, delta: float) -> float:
    """Least epsilon with gaussian_delta(distance, epsilon) <= delta, to 1e-12."""
    if gaussian_delta(distance, 0.0) <= delta:
        return 0.0
    low, high = 0.0, 1.0
    while gaussian_delta(distance, high) > delta:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if gaussian_delta(distance, middle) > delta else (low, middle)
    return high
