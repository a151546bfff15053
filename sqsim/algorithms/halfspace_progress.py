"""How near the localised moments of `biased_halfspace` are proved to come, whatever the noise.

Float64 formulas of a worst case; no query is asked here.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import norm

from sqsim.algorithms.biased_halfspaces import WIDTH, Narrowing, band
from sqsim.lowrank import Array

MARGIN = 0.5
"""Share of the signal that noise may have for a step of the default schedule to be proved."""

GRID = 33
"""Distances in [r / 2, r] at which a step is looked at."""


def boundary_signal(threshold: float, ends: tuple[float, float], angles: Array) -> Array:
    """E[<e, x> 1(<v, x> >= t) 1(<w, x> in ends)], e the unit part of v orthogonal to w.

    Given <w, x> = s the inner mean is phi((t - s cos) / sin), and phi(s) phi((t - s cos) / sin) =
    phi(t) sin times the density of N(t cos, sin^2) at s.  So sin phi(t) (Phi(u) - Phi(l)).
    """
    low, high = ends
    sine, centre = np.sin(angles), threshold * np.cos(angles)
    share = ndtr((high - centre) / sine) - ndtr((low - centre) / sine)
    return np.asarray(sine * norm.pdf(threshold) * share)


def boundary_noise(ends: tuple[float, float], noise: float) -> float:
    """Most that label noise of probability `noise` adds to a moment orthogonal to w in the band.

    By the bathtub principle it sits where |<u, x>| >= z, of probability noise / Q in the band.
    """
    low, high = ends
    inside = float(ndtr(-low) - ndtr(-high)) if low > 0 else float(ndtr(high) - ndtr(low))
    if not inside > 0:
        return 0.0
    return 2 * inside * float(norm.pdf(ndtri(min(noise / (2 * inside), 0.5))))


def proved_distance(threshold: float, noise: float, *, schedule: Narrowing | None = None) -> float:
    """The least r_k that the guarantee of `biased_halfspace` reaches; inf where it has no start.

    Parameters
    ----------
    threshold : float
        t of the halfspace 1(<v, x> >= t).
    noise : float
        Bound on the probability that a label differs from it.
    schedule : Narrowing, optional
        A step keeps the distance under r_(k + 1) if N <= S / 2 and (1 - shrink)^2 >= 1 - 2 stride
        sqrt(1 - r^2 / 4) sqrt(3 / 4) + stride^2, stride <= 1 / 2 - shrink; derived here.
    """
    schedule = Narrowing() if schedule is None else schedule
    first = boundary_noise((-math.inf, math.inf), noise) / float(norm.pdf(threshold))
    if not (first < 1 and 2 * math.sin(math.asin(first) / 2) <= schedule.distance):
        return math.inf
    reached = schedule.distance
    for distance in schedule.distances().tolist():
        reached = distance
        if not (_kept(schedule, distance) and _progress(threshold, noise, distance)):
            return float(reached)
    return float(reached * (1 - schedule.shrink))


def _kept(schedule: Narrowing, distance: float) -> bool:
    """Whether a step whose noise is half the signal brings r_k to r_(k + 1)."""
    stride, left = schedule.stride, 1 - schedule.shrink
    toward = math.sqrt((1 - distance**2 / 4) * (1 - MARGIN**2))
    return 0.5 + stride <= left and 1 - 2 * stride * toward + stride**2 <= left**2


def _progress(threshold: float, noise: float, distance: float) -> bool:
    return boundary_noise(band(threshold, distance), noise) <= MARGIN * least_signal(
        threshold, distance
    )


def least_signal(threshold: float, distance: float) -> float:
    """A lower bound on `boundary_signal` in the band of r over all distances in [r / 2, r].

    Between two angles of a grid each factor is replaced by its least value; t < 0 is t > 0 seen
    from the other side.
    """
    angles = 2 * np.arcsin(np.linspace(distance / 2, distance, GRID) / 2)
    start, stop, t = angles[:-1], angles[1:], abs(threshold)
    widest = np.sin(angles[-1])
    above = t * np.tan(start / 2) + WIDTH * widest / np.sin(stop)
    below = (WIDTH * widest + t * (np.cos(stop) - np.cos(angles[-1]))) / np.sin(stop)
    share = ndtr(above) - ndtr(-below)
    return float(norm.pdf(t) * (np.sin(start) * share).min())
