"""How much an adversary's labels weigh against the signal of one local correlational step.

The neuron is s_b(<v, x>), s_b(z) = max(z + b, 0), b = -a <= 0, |v| = 1, x ~ N(0, I); the step is
P_w E[y x h(<w, x>)] at a unit w with <w, v> = L, S = sqrt(1 - L^2).  This file proves values at
one (angle, bias); what happens as b -> -infinity is in `basin_limits`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from flint import arb

from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds.expansions import density, upper_tail
from sqsim.lowerbounds.plackett import orthant
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    ball,
    bits_for,
    enclose,
    exact_fraction,
    working_bits,
    working_precision,
)

LARGEST_BIAS = 2000
RIGHT_ANGLE = Fraction(1570796326794896619, 10**18)
"""Just below pi / 2."""
ATTEMPTS = 5


class LocalStep(ABC):
    """A weight h of one argument, by what the ratio needs of it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As it appears in tables."""

    @abstractmethod
    def moments(self, a: arb, angle: arb) -> tuple[arb, arb]:
        """||h||^2 = E[h(Z)^2] and <h, T_L s_b'> = E[h(Z) Phi((L Z - a) / S)], L = cos(angle)."""


@final
@dataclass(frozen=True)
class PlainStep(LocalStep):
    """h(z) = 1(z >= a): projected gradient descent."""

    name = "plain"

    def moments(self, a: arb, angle: arb) -> tuple[arb, arb]:
        return upper_tail(a), orthant(a, None, angle)


@final
@dataclass(frozen=True)
class ReweightedStep(LocalStep):
    """h(z) = exp(rho a z - rho^2 a^2 / 2) 1(z >= (rho + lambda - lambda^2 rho) a).

    Guo and Vijayaraghavan (2024), section 3.1, with lambda = `overlap`.  Under the shifted law of
    z, <h, T_L s_b'> is P(Z >= lambda (1 - lambda rho) a, L Z + S Z' >= (1 - L rho) a), and ||h||^2
    is e^(rho^2 a^2) Q((lambda - lambda^2 rho - rho) a).
    """

    rho: Fraction = Fraction(1, 2)
    overlap: Fraction = Fraction(9, 10)

    name = "reweighted"

    def __post_init__(self) -> None:
        if not (0 <= self.rho <= 1 and 0 < self.overlap <= 1):
            raise BadInput(
                f"rho {self.rho} and lambda {self.overlap}: 0 <= rho <= 1 and 0 < lambda <= 1 "
                "wanted"
            )

    def moments(self, a: arb, angle: arb) -> tuple[arb, arb]:
        near = self.overlap * (1 - self.overlap * self.rho)
        square = (ball(self.rho**2) * a * a).exp() * upper_tail(ball(near - self.rho) * a)
        return square, orthant(ball(near) * a, (1 - ball(self.rho) * angle.cos()) * a, angle)


@final
@dataclass(frozen=True)
class SmoothedStep(LocalStep):
    """h = T_rho s_b' = Phi((rho z - a) / sqrt(1 - rho^2)), one rho for every angle.

    Zarifis et al. (2025); at an angle of cosine rho it is the optimal weight.
    """

    rho: Fraction = Fraction(9, 10)

    name = "smoothed"

    def __post_init__(self) -> None:
        if not 0 <= self.rho < 1:
            raise BadInput(f"rho is {self.rho}; a smoothing has 0 <= rho < 1")

    def moments(self, a: arb, angle: arb) -> tuple[arb, arb]:
        square = orthant(a, None, ball(self.rho**2).acos())
        return square, orthant(a, None, (ball(self.rho) * angle.cos()).acos())


@final
@dataclass(frozen=True)
class OptimalStep(LocalStep):
    """h = T_L s_b' at every angle: by Cauchy-Schwarz no weight of <w, x> has a smaller ratio."""

    name = "optimal"

    def moments(self, a: arb, angle: arb) -> tuple[arb, arb]:
        both = orthant(a, None, (angle.cos() ** 2).acos())
        return both, both


STEPS: tuple[LocalStep, ...] = (PlainStep(), ReweightedStep(), SmoothedStep(), OptimalStep())
"""The four, at the values that the papers start from."""


@final
@dataclass(frozen=True)
class BasinPoint:
    """One step at one angle.

    Attributes
    ----------
    signal : its component toward v on clean labels, S <h, T_L s_b'>.
    weight_norm : ||h||_2 under N(0, 1).
    noise_to_signal : sqrt(OPT) ||h||_2 / signal with OPT = ||s_b||^2 / alpha.
    """

    signal: Enclosure
    weight_norm: Enclosure
    noise_to_signal: Enclosure


def basin_point(
    step: LocalStep,
    *,
    bias: Exact,
    alpha: Exact,
    overlap: Exact | None = None,
    angle: Exact | None = None,
    digits: int = 15,
) -> BasinPoint:
    """Signal, norm and worst-case noise over signal of one step, each proved.

    Labels are y = s_b(<v, x>) + noise with E[noise^2] <= OPT := ||s_b||^2 / alpha (no factor 1/2).
    By Stein's identity the clean step points to v with length S <h, T_L s_b'>; by Cauchy-Schwarz
    noise moves that component by at most sqrt(OPT) ||h||_2, and noise proportional to
    -h(<w, x>) <e, x>, e the unit vector of v orthogonal to w, does (Zarifis et al. 2025 for the
    idea; computed here).  The step can be pushed away from v iff the ratio is 1 or more.

    Parameters
    ----------
    step : LocalStep
    bias : at most 0, at least -2000.
    alpha : positive; ||s_b||^2 / OPT.
    overlap, angle : exactly one: cos(angle) in [0, 1), or the angle in (0, pi / 2).
    digits : significant digits of each of the three.

    Notes
    -----
    Needs at most three one-dimensional proved integrals, some milliseconds.
    """
    a, ratio = -_checked_bias(bias), _positive(alpha)
    place = _place(overlap, angle)
    need = bits_for(digits)
    guard = 24 + 2 * math.ceil(math.log2(2 + float(a)))
    for _ in range(ATTEMPTS):
        with working_bits(need + guard):
            values = _values(step, ball(a), ball(ratio), place())
            if all(x > 0 and x.rel_accuracy_bits() >= need for x in values):
                return BasinPoint(*(enclose(x, digits) for x in values))
        guard = 2 * guard + need
    raise NotCertified(
        f"the ratio at bias {float(-a):.6g} is not proved to {digits} digits with {need + guard} "
        "bits; move the angle away from 0, or ask for fewer digits"
    )


def _values(step: LocalStep, a: arb, alpha: arb, angle: arb) -> tuple[arb, arb, arb]:
    energy = _energy(a)
    square, agreement = step.moments(a, angle)
    norm, signal = square.sqrt(), angle.sin() * agreement
    return signal, norm, (energy / alpha).sqrt() * norm / signal


def _energy(a: arb) -> arb:
    """||s_b||^2 = (a^2 + 1) Q(a) - a phi(a), of which all but a fraction 2 / a^4 cancels."""
    spare = 16 + 4 * math.ceil(math.log2(2 + float(a)))
    with working_bits(working_precision() + spare):
        return (a * a + 1) * upper_tail(a) - a * density(a)


def _place(overlap: Exact | None, angle: Exact | None) -> Callable[[], arb]:
    """The angle as a ball, at whatever precision is in force when it is called."""
    if (overlap is None) == (angle is None):
        raise BadInput("give exactly one of overlap and angle")
    if angle is not None:
        turn = exact_fraction(angle, "angle")
        if not 0 < turn <= RIGHT_ANGLE:
            raise BadInput(f"angle is {angle}; wanted radians strictly between 0 and pi / 2")
        return lambda: ball(turn)
    cosine = exact_fraction(overlap if overlap is not None else 0, "overlap")
    if not 0 <= cosine < 1:
        raise BadInput(
            f"overlap is {overlap}; wanted 0 <= overlap < 1 (at 1 there is nothing to learn)"
        )
    sine_square = (1 - cosine) * (1 + cosine)
    return lambda: arb.atan2(ball(sine_square).sqrt(), ball(cosine))


def _checked_bias(bias: Exact) -> Fraction:
    value = exact_fraction(bias, "bias")
    if not -LARGEST_BIAS <= value <= 0:
        raise BadInput(
            f"bias is {bias}; the neuron is max(<v, x> + bias, 0) with {-LARGEST_BIAS} <= bias "
            "<= 0: at positive biases a linear fit does, further out take the limit law"
        )
    return value


def _positive(alpha: Exact) -> Fraction:
    value = exact_fraction(alpha, "alpha")
    if value <= 0:
        raise BadInput(f"alpha is {alpha}; ||s_b||^2 / OPT is positive")
    return value
