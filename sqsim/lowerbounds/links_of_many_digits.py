"""Links and their Gaussian smoothings on arrays of balls.

A residual link is taken without its low degrees exactly: the coefficients that are taken away are
those of the link and not their roundings.  This file does not know queries or directions.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from flint import arb

from sqsim.errors import NotCertified
from sqsim.links import HermiteSeries, LeakyRelu, Link, Relu, Residual, Scaled, Sign, Step
from sqsim.lowerbounds.hermite import hermite_coefficients
from sqsim.lowerbounds.panels_of_many_digits import Balls, balls
from sqsim.lowerbounds.precision import Enclosure


def values(link: Link, t: Balls, digits: int) -> Balls:
    """f(t), elementwise.

    Raises
    ------
    NotCertified
        For links other than those made of ReLUs, steps and Hermite series.
    """
    match link:
        case Relu(bias, norm):
            shifted = t * arb(norm) + arb(bias)
            return balls(np.where(shifted > 0, shifted, 0.0))
        case LeakyRelu(slope, bias):
            shifted = t + arb(bias)
            return balls(np.where(shifted > 0, shifted, shifted * arb(slope)))
        case Step(bias):
            return balls((t + arb(bias) >= 0).astype(np.float64))
        case Sign(bias):
            above = (t + arb(bias) > 0).astype(np.float64)
            return balls(2 * above - 1)
        case Scaled(inner, factor):
            return balls(values(inner, t, digits) * arb(factor))
        case HermiteSeries():
            return _series(_weights(link), t, arb(1), arb(0), 0)[0]
        case Residual(inner, degree):
            low = _series(_removed(inner, degree, digits), t, arb(1), arb(0), 0)[0]
            return balls(values(inner, t, digits) - low)
    raise _unknown(link)


def smoothed(link: Link, u: Balls, overlap: arb, rest: arb, most: int, digits: int) -> list[Balls]:
    """E[f(overlap u + rest Z) He_j(Z)], j = 0, ..., most <= 2, Z ~ N(0, 1), overlap^2 + rest^2 = 1.

    By Stein's identity they are rest^j E[f^(j)(overlap u + rest Z)], and for a Hermite series by
    Mehler's formula rest^j sum_k w_k sqrt(k! / (k - j)!) overlap^(k - j) h_(k - j)(u).
    """
    match link:
        case Relu(bias, norm):
            z = (u * overlap + arb(bias) / arb(norm)) / rest
            density, cdf = _density(z), _cdf(z)
            size = rest * arb(norm)
            return [(density + z * cdf) * size, cdf * size, density * size][: most + 1]
        case LeakyRelu(slope, bias):
            neuron = smoothed(Relu(bias), u, overlap, rest, most, digits)
            share = 1 - arb(slope)
            line = (u * overlap + arb(bias)) * arb(slope)
            straight = [line, balls([arb(slope) * rest] * len(u)), balls([0] * len(u))]
            return [a * share + b for a, b in zip(neuron, straight, strict=False)]
        case Step(bias):
            z = (u * overlap + arb(bias)) / rest
            density = _density(z)
            return [_cdf(z), density, -z * density][: most + 1]
        case Sign(bias):
            step = smoothed(Step(bias), u, overlap, rest, most, digits)
            return [step[0] * 2 - 1, *(part * 2 for part in step[1:])]
        case Scaled(inner, factor):
            return [part * arb(factor) for part in smoothed(inner, u, overlap, rest, most, digits)]
        case HermiteSeries():
            return _series(_weights(link), u, overlap, rest, most)
        case Residual(inner, degree):
            whole = smoothed(inner, u, overlap, rest, most, digits)
            low = _series(_removed(inner, degree, digits), u, overlap, rest, most)
            return [a - b for a, b in zip(whole, low, strict=True)]
    raise _unknown(link)


def known(link: Link) -> bool:
    """Whether `values` and `smoothed` know this link."""
    if isinstance(link, Scaled | Residual):
        return known(link.link)
    return isinstance(link, Relu | LeakyRelu | Step | Sign | HermiteSeries)


def _series(weights: list[arb], u: Balls, overlap: arb, rest: arb, most: int) -> list[Balls]:
    rows = [balls([1] * len(u)), u]
    for k in range(1, len(weights)):
        rows.append((u * rows[k] - rows[k - 1] * arb(k).sqrt()) / arb(k + 1).sqrt())
    found = [balls([0] * len(u)) for _ in range(most + 1)]
    for k, weight in enumerate(weights):
        factor = weight
        for j in range(min(k, most) + 1):
            found[j] = found[j] + rows[k - j] * (factor * overlap ** (k - j))
            factor = factor * rest * arb(k - j).sqrt()
    return found


def _weights(series: HermiteSeries) -> list[arb]:
    return [arb(weight) for weight in series.weights]


def _removed(link: Link, degree: int, digits: int) -> list[arb]:
    return [c.ball() for c in _proved(link, degree, digits)]


@lru_cache(maxsize=32)
def _proved(link: Link, degree: int, digits: int) -> tuple[Enclosure, ...]:
    return hermite_coefficients(link, degree, digits=2 * digits)


def _density(z: Balls) -> Balls:
    return balls(np.exp(z * z / -2) / (2 * arb.pi()).sqrt())


def _cdf(z: Balls) -> Balls:
    root = arb(2).sqrt()
    return balls([(-x / root).erfc() / 2 for x in z])


def _unknown(link: Link) -> NotCertified:
    return NotCertified(f"{link!r:.80} has no closed form in many digits here")
