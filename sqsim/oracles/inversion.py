"""Tails of averages of noisy bits, by inverting their characteristic function.

This file does not know users or privacy.  Z = Bin(n, p) + a sum of n independent symmetric noises.
P(Z > z) = 1/2 + integral over t > 0 of Im(e^(-itz) E e^(itZ)) / (pi t), and with sin(t / 2) in
place of t / 2, up to t = pi, where Z is an integer and z half of an odd one.  The midpoint rule of
step D is off by at most P(|Z - z| > 2 pi / D) (Davies, 1973): D is taken so small that this is
below 1e-15, and the sum ends where the characteristic function is below 1e-17.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.lowrank import Array

SMALLEST = 1e-9
"""Tails below this are left to exponential moment bounds."""
FEWEST = 8
"""Of so few noises the characteristic function falls too slowly to be summed."""


@final
@dataclass(frozen=True)
class Noise:
    """One user's symmetric noise: logarithm of its characteristic function, and its variance."""

    logarithm: Callable[[Array], Array]
    variance: float
    integer: bool


def failure_of_noisy_bits(count: int, half_width: float, noise: Noise) -> float:
    """At least sup over p of P(|Z / n - p| > half_width), by cells of p as in `binomial`.

    1 for fewer than 8 users.
    """
    if count < FEWEST:
        return 1.0
    cells = max(1, math.ceil(20 / half_width))
    edges = np.linspace(0.0, 0.5, cells + 1)
    first, last = edges[:-1], edges[1:]
    over = _above(count, count * (first + half_width), last, noise)
    # n - Z has the law of Z with 1 - p.
    under = _above(count, count * (1 - last + half_width), 1 - first, noise)
    return float(np.max(over + under)) + 2e-14


def _above(count: int, level: Array, p: Array, noise: Noise) -> Array:
    """P(Z > level) for each level and p."""
    deviation = math.sqrt(count * (noise.variance + 0.25))
    reach = float(np.max(np.abs(level - count * p)))
    # Sums of exponential tails: 40 deviations and the level are far beyond 1e-15.
    step = 2 * math.pi / (reach + 40 * deviation + 60 * math.sqrt(noise.variance))
    if noise.integer:
        level = np.ceil(level - 1e-12 * count - 1e-9) - 0.5
        step = math.pi / math.ceil(math.pi / step)
    t: Array = (np.arange(_terms(count, step, noise), dtype=np.float64) + 0.5) * step
    weight = step / (2 * math.pi * np.sin(t / 2)) if noise.integer else step / (math.pi * t)
    weight = weight * np.exp(count * noise.logarithm(t))
    bit = np.exp(1j * t) - 1
    total = np.empty_like(p)
    rows = max(1, 2**20 // len(t))
    for start in range(0, len(p), rows):
        part = slice(start, start + rows)
        wave = count * np.log1p(p[part, None] * bit) - 1j * t * level[part, None]
        total[part] = np.exp(wave).imag @ weight
    return np.asarray(np.maximum(total + 0.5, 0.0))


def _terms(count: int, step: float, noise: Noise) -> int:
    """Midpoints until the noise alone has made the terms negligible."""
    most = round(math.pi / step) if noise.integer else 2**20
    size = 64
    while size < most:
        end = np.array([size * step])
        if count * float(noise.logarithm(end)[0]) < -39:
            return size
        size *= 2
    return most
