"""t^2 exp(-t^2), the standard example of a link whose generative exponent is 4.

Same conventions as `expansions`; everything runs inside `working_bits`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from flint import arb

from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.precision import ball


@final
@dataclass(frozen=True)
class DampedSquare(Expansion):
    """t^2 exp(-t^2): E[t^2 e^(-t^2) F(t)] = E[W^2 F(W)] / sqrt(3) with W ~ N(0, 1/3).

    W^2 He_k = He_k+2 + (2k + 1) He_k + k (k - 1) He_k-2, and E[He_2m(W)] = (-2/3)^m (2m - 1)!!,
    so that c_k is a rational over sqrt(3 k!); that rational is 0 for k = 2 and for odd k.
    """

    def guard_bits(self, degree: int) -> int:
        return 32 + degree.bit_length()

    def coefficients(self, degree: int) -> list[arb]:
        values = []
        for k in range(degree + 1):
            total = _mean(k + 2) + (2 * k + 1) * _mean(k) + k * (k - 1) * _mean(k - 2)
            values.append(ball(total) / (3 * arb(math.factorial(k))).sqrt() if total else arb(0))
        return values

    def second_moment(self) -> arb:
        """E[t^4 e^(-2 t^2)] = 3 / 5^(5/2)."""
        return arb(3) / (25 * arb(5).sqrt())


def _mean(k: int) -> Fraction:
    """E[He_k(W)], W ~ N(0, 1/3)."""
    if k < 0 or k % 2:
        return Fraction(0)
    return Fraction(-2, 3) ** (k // 2) * math.prod(range(1, k, 2))
