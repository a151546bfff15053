"""Gaussian and Hermite functions to full relative precision, in the far tail too.

Conventions: probabilists' Hermite, h_k = He_k / sqrt(k!).  This file does not know links.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfcx, ndtr

from sqsim.lowrank import Array


def hermite_functions(t: Array, degree: int) -> Array:
    """h_0(t), ..., h_degree(t) by the normalised recurrence, (degree + 1, ...)."""
    t = np.asarray(t, dtype=np.float64)
    rows = np.empty((degree + 1, *t.shape))
    rows[0] = 1.0
    if degree:
        rows[1] = t
    for k in range(1, degree):
        rows[k + 1] = (t * rows[k] - np.sqrt(k) * rows[k - 1]) / np.sqrt(k + 1)
    return rows


def normal_density(z: Array) -> Array:
    """phi(z), to full relative precision: the square of a float is not a float."""
    z = np.clip(np.asarray(z, dtype=np.float64), -40.0, 40.0)
    high = np.round(z * 1024) / 1024
    low = z - high
    root = np.sqrt(2 * np.pi)
    return np.asarray(np.exp(-high * high / 2) * np.exp(-low * (high + low / 2)) / root)


def positive_part_mean(z: Array) -> Array:
    """E[(z + Z)_+] = phi(z) + z Phi(z), to full relative precision in the far tail."""
    return normal_tail(np.asarray(z, dtype=np.float64))[2]


def normal_tail(z: Array) -> tuple[Array, Array, Array]:
    """phi(z), Phi(z) and phi(z) + z Phi(z), each to full relative precision.

    With the Mills ratio R they are phi, phi R and phi (1 + z R); for z < -3.5, where the last one
    cancels, R = r_0 and 1 + z R = r_0 r_1 with r_n = 1 / (x + (n + 1) r_(n + 1)), x = -z, the
    continued fraction of R: every term is positive.
    """
    density = normal_density(z)
    mills = np.sqrt(np.pi / 2) * erfcx(np.maximum(-z, 0.0) / np.sqrt(2))
    cdf = np.where(z < 0, density * mills, ndtr(z))
    part = density + z * cdf
    far = z < -3.5
    if far.any():
        x = -z[far]
        ratio = np.zeros_like(x)
        previous = ratio
        for n in range(12 + int(360 / float(x.min()) ** 2), -1, -1):
            previous, ratio = ratio, 1.0 / (x + (n + 1) * ratio)
        cdf[far] = density[far] * ratio
        part[far] = cdf[far] * previous
    return density, cdf, part
