"""Kernels of inner products on the sphere: their Funk-Hecke eigenvalues in rationals.

Computed here, for the spectral form of the bound of Guo and Vijayaraghavan (2024), section 4.
"""

from __future__ import annotations

import math
from fractions import Fraction

from scipy.integrate import quad

from sqsim.lowerbounds.quantities import Rational
from sqsim.lowerbounds.spectrum import sphere_moment
from sqsim.verification.conditions import joined
from sqsim.verification.entry import Check, Entry, Finding, close, within

SOURCE = "Guo and Vijayaraghavan (2024)"


def _sphere_mean(power: int, harmonic: int, dimension: int) -> float:
    """E[t^k P_l(t)], l <= 1, by quadrature of the coordinate's density."""

    def density(t: float) -> float:
        return float((1 - t * t) ** ((dimension - 3) / 2))

    part = quad(lambda t: t ** (power + harmonic) * density(t), 0, 1, epsabs=0, epsrel=1e-10)[0]
    return float(part / quad(density, 0, 1, epsabs=0, epsrel=1e-10)[0])


def _monomial(power: int, harmonic: int) -> Check:
    def check(constant: Fraction) -> Finding:
        exact = sphere_moment(power, harmonic, 100)
        odd = math.prod(range(1, power + 1, 2))
        closed = Fraction(odd, math.prod(range(100, 100 + power + power % 2, 2)))
        return joined(
            within(constant, Rational(exact), digits=6),
            closed == exact,
            abs(_sphere_mean(power, harmonic, 100) / float(exact) - 1) < 1e-7,
            all(sphere_moment(power, other, 100) <= exact for other in range(6)),
        )

    return check


def _monomial_rate(constant: Fraction) -> Finding:
    near, far = (float(sphere_moment(5, 1, d)) for d in (10**6, 10**7))
    same = math.log10(float(sphere_moment(6, 0, 10**6)) / float(sphere_moment(6, 0, 10**7)))
    return joined(close(constant, math.log10(near / far), error=1e-5), abs(same - 3) < 1e-4)


def _third_harmonic(constant: Fraction) -> Finding:
    """E[t^5 P_3], P_3 = ((d + 2) t^3 - 3 t) / (d - 1), from the even moments of t."""
    d = 1000

    def moment(j: int) -> Fraction:
        return math.prod((Fraction(2 * i + 1, d + 2 * i) for i in range(j // 2)), start=Fraction(1))

    found = ((d + 2) * moment(8) - 3 * moment(6)) / (d - 1)
    second = (d * moment(6) - moment(4)) / (d - 1)
    return joined(
        within(constant, Rational(found), digits=6),
        found == sphere_moment(5, 3, d),
        second == sphere_moment(4, 2, d),
    )


SPHERE_KERNELS: tuple[Entry, ...] = (
    Entry(
        "gv.monomial-even",
        "the kernel t^k has largest eigenvalue (k - 1)!! / (d (d + 2) .. (d + k - 2)) for even k: "
        "C at k = 4, d = 100",
        "computed here",
        "exact moments, the formula, quadrature, and the next five harmonics",
        "1/3400",
        _monomial(4, 0),
    ),
    Entry(
        "gv.monomial-odd",
        "it is k!! / (d (d + 2) .. (d + k - 1)) for odd k: C at k = 5, d = 100",
        "computed here",
        "exact moments, the formula, quadrature, and the next five harmonics",
        "1/70720",
        _monomial(5, 1),
    ),
    Entry(
        "gv.monomial-rate",
        "it falls like d^-ceil(k / 2): C at k = 5",
        "computed here",
        "exact moments at d = 1e6 and 1e7",
        "3",
        _monomial_rate,
    ),
    Entry(
        "gv.third-harmonic",
        "P_3 = ((d + 2) t^3 - 3 t) / (d - 1): E[t^5 P_3] = C at d = 1000",
        "computed here",
        "even moments of a coordinate in rationals, and the closed form",
        "1/16867400800",
        _third_harmonic,
    ),
)
