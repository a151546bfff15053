"""Functions of one Gaussian variable without a closed form: every mean is a proved integral.

Same conventions as `expansions`; everything runs inside `working_bits`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import final

from flint import acb, arb

from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.precision import ball, working_precision

LARGEST_INTEGRAL_DEGREE = 60
MOST_WORK = 10**9
"""In units of about ten nanoseconds."""


@final
@dataclass(frozen=True)
class Integrated(Expansion):
    """Any function with |f(t)| <= size e^(rate |t|), by rigorous quadrature on [-L, L].

    Cramer's |h_k(t)| <= 1.09 e^(t^2/4) bounds what lies outside by
    1.09 sqrt(2) size e^(rate^2) erfc(L/2 - rate).

    Attributes
    ----------
    function : values on complex balls; where its second argument is true it must return a ball
        that is not finite unless the function is analytic on the whole ball.
    kinks : points where the function is not analytic.
    odd : the function is odd up to a constant, so that even degrees from 2 on vanish.
    """

    function: Callable[[acb, bool], acb]
    size: Fraction = Fraction(1)
    rate: Fraction = Fraction(0)
    kinks: tuple[Fraction, ...] = ()
    odd: bool = False

    def guard_bits(self, degree: int) -> int:
        return 32 + degree

    def coefficients(self, degree: int) -> list[arb]:
        if degree > LARGEST_INTEGRAL_DEGREE:
            raise BadInput(
                f"degree {degree} of a function without a closed form: each degree is a proved "
                f"integral of its own; ask for at most {LARGEST_INTEGRAL_DEGREE}"
            )
        _refuse_long(degree)
        return [
            arb(0) if self.odd and k and k % 2 == 0 else self._against(k) for k in range(degree + 1)
        ]

    def second_moment(self) -> arb:
        _refuse_long(0)
        end = self._end(2 * self.rate)
        # Without h_k the tail is smaller than Cramer's, h_0 = 1.
        outside = _outside(self.size**2, 2 * self.rate, end)
        return self._integral(lambda z, a: self.function(z, a) ** 2, end) + arb(0, outside)

    def _against(self, k: int) -> arb:
        end, norm = self._end(self.rate), 1 / arb(math.factorial(k)).sqrt()
        inside = self._integral(
            lambda z, a: self.function(z, a) * _hermite_complex(z, k) * norm, end
        )
        return inside + arb(0, _outside(self.size, self.rate, end))

    def _end(self, rate: Fraction) -> arb:
        return arb(math.ceil(2 * float(rate) + 2 * math.sqrt(working_precision() * math.log(2))))

    def _integral(self, f: Callable[[acb, bool], acb], end: arb) -> arb:
        norm = 1 / (2 * arb.pi()).sqrt()
        tolerance = arb(2) ** (-working_precision())
        inner = [ball(t) for t in sorted(self.kinks) if -end < ball(t) < end]
        total = arb(0)
        for a, b in pairwise([-end, *inner, end]):
            part = acb.integral(
                lambda z, analytic: f(z, analytic) * (-z * z / 2).exp(), a, b, abs_tol=tolerance
            )
            total += part.real
        if not total.is_finite():
            raise NotCertified("the integral did not converge; give the function's kinks")
        return total * norm


def _refuse_long(degree: int) -> None:
    """Before anything is integrated; the measure was fitted to sigmoids of 5 to 60 degrees."""
    bits = working_precision()
    if (degree + 1) * (degree + 20) * bits**2 > MOST_WORK:
        raise BadInput(
            f"degrees up to {degree} of a function without a closed form at {bits} bits take about "
            f"{20 * (degree + 1) * bits:.2g} evaluations of it, which is too long; ask for fewer "
            "digits or degrees"
        )


def _outside(size: Fraction, rate: Fraction, end: arb) -> arb:
    """Bound of E[size e^(rate |t|) 1.09 e^(t^2/4); |t| > end]."""
    r = ball(rate)
    front = ball(Fraction(109, 100)) * arb(2).sqrt() * ball(size) * (r * r).exp()
    return (front * (end / 2 - r).erfc()).abs_upper()


def _hermite_complex(z: acb, degree: int) -> acb:
    """He_degree(z)."""
    before, now = acb(0), acb(1)
    for j in range(degree):
        before, now = now, z * now - j * before
    return now
