"""Densities of one or two signs along a direction, in closed form.

This file does not know integrals, queries or labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, owens_t

from sqsim.lowrank import Array

WHOLE, OUTSIDE = -1, -2
"""Rows of densities that are not those of a coordinate in S: T_0, and T_1 outside of S over w_i."""

MOST_SIGNS = 2


def closed_densities(
    t: Array, unit: Array, subset: Sequence[int], rest: float, rows: Sequence[int]
) -> Array:
    """E[chi_S T_p(x) | <w, x> = t] times the normal density, (rows, n), for |S| of 1 or 2.

    w is a unit vector with weights a, b on S and length r beside it; no t is 0.  Given t, the
    coordinates of S are normal with means a t, b t and covariance 1 - (a, b)(a, b)', of determinant
    r^2, and Owen's T gives

        E[sign x_i sign x_j | t] = sign(a b) - 4 T(a t / sqrt(1 - a^2), b / (a r))
                                             - 4 T(b t / sqrt(1 - b^2), a / (b r)).

    For x_l times the signs f, the mean of x_l times E[f] and covariances times the mean slopes of
    f are added up: the slope in x_i is 2 p_i(0) E[sign x_j | t, x_i = 0], p_i the density of x_i
    given t.
    """
    weights = [float(unit[i]) for i in subset]
    # sqrt(1 - a^2) without cancelling: the length of all that is not a.
    lengths = [math.hypot(rest, *weights[:i], *weights[i + 1 :]) for i in range(len(weights))]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        places = [_place(w * t, length) for w, length in zip(weights, lengths, strict=True)]
        peaks = [_peak(at, length) for at, length in zip(places, lengths, strict=True)]
        if len(weights) == 1:
            mean, slopes = 2 * ndtr(places[0]) - 1, peaks
        else:
            mean = _two_signs(places, weights[0], weights[1], rest)
            # Given x_i = 0, x_j has mean w_j t / (1 - w_i^2) and deviation r / sqrt(1 - w_i^2).
            slopes = [
                peak * (2 * ndtr(_place(other * t, rest * length)) - 1)
                for peak, length, other in zip(peaks, lengths, weights[::-1], strict=True)
            ]
    pulls = [w * slope for w, slope in zip(weights, slopes, strict=True)]
    known = {WHOLE: mean, OUTSIDE: t * mean - sum(pulls)}
    for at, i in enumerate(subset):
        others = sum(pulls[:at] + pulls[at + 1 :], np.zeros_like(t))
        known[i] = weights[at] * (t * mean - others) + lengths[at] ** 2 * slopes[at]
    normal = np.exp(-t * t / 2) / math.sqrt(2 * math.pi)
    return np.stack([known[row] * normal for row in rows])


def _two_signs(places: Sequence[Array], a: float, b: float, rest: float) -> Array:
    """E[sign x_i sign x_j | t]; 0 where one weight is."""
    if a == 0.0 or b == 0.0:
        return np.zeros_like(places[0])
    turn = math.copysign(1.0, a) * math.copysign(1.0, b)
    mean = np.full_like(places[0], turn)
    for at, (own, other) in zip(places, ((a, b), (b, a)), strict=True):
        slope = abs(other / own) / rest if rest else math.inf
        mean -= 4 * owens_t(at, math.copysign(slope, turn))
    return mean


def _place(mean: Array, deviation: float) -> Array:
    """A mean in deviations; infinite where there is no spread."""
    return np.asarray(mean / deviation if deviation else np.copysign(np.inf, mean))


def _peak(at: Array, deviation: float) -> Array:
    """Twice the density at 0 of a normal that is this many deviations away from it."""
    if not deviation:
        return np.zeros_like(at)
    return np.asarray(2 * np.exp(-at * at / 2) / (math.sqrt(2 * math.pi) * deviation))
