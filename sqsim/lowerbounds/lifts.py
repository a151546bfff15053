"""Functions on the cube, lifted to Gaussian inputs by their signs.

F(x) = f(sign x_1, ..., sign x_d) for x ~ N(0, I_d).  This file does not know learners.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import arb

from sqsim.errors import BadInput
from sqsim.lowerbounds.parities import proved_number, truncated_product
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    ball,
    bits_for,
    enclose,
    exact_fraction,
    working_bits,
)


def lifted_masses(
    masses: Sequence[Exact], degree: int, *, digits: int = 30
) -> tuple[Enclosure, ...]:
    """Hermite masses of F(x) = f(sign x_1, ..., sign x_d), by total degree 0, ..., degree.

    E[F h_n] = f^(S) prod_(i in S) E[sign(z) h_(n_i)(z)] where S holds the i with n_i > 0, and
    vanishes unless these n_i are odd.  As sum_n E[sign h_n]^2 t^n = (2 / pi) arcsin t, the mass at
    degree m is sum_k W_k [t^m] ((2 / pi) arcsin t)^k.

    Parameters
    ----------
    masses : W_k = sum of f^(S)^2 over |S| = k, exact, for k = 0, 1, ... (see `degree_masses`).
    """
    weights = _weights(masses)
    if isinstance(degree, bool) or not isinstance(degree, int) or degree < 0:
        raise BadInput(f"degree is {degree!r}; Hermite polynomials have degrees 0, 1, 2, ...")
    with working_bits(bits_for(digits) + 64 + 2 * degree):
        arcs = [arb(0)] * (degree + 1)
        coefficient = 2 / arb.pi()
        for n in range(1, degree + 1, 2):
            arcs[n] = coefficient / n
            coefficient = coefficient * n / (n + 1)
        totals, powers = [arb(0)] * (degree + 1), [arb(1)] + [arb(0)] * degree
        for k, weight in enumerate(weights[: degree + 1]):
            for m in range(k, degree + 1, 2):
                totals[m] += ball(weight) * powers[m]
            powers = truncated_product(powers, arcs, degree + 1)
            powers += [arb(0)] * (degree + 1 - len(powers))
        return tuple(enclose(value, digits) for value in totals)


def lifted_correlation(masses: Sequence[Exact], overlap: Exact, *, digits: int = 30) -> Enclosure:
    """E[F(x) F(x')] for the lift F of f and coordinates (x_i, x'_i) correlated by `overlap`.

    sum_k W_k ((2 / pi) arcsin overlap)^k: the noise stability of f at the sign's correlation
    (Sheppard).  At overlap 1 it is E[f^2]; lifted parities of two sets are exactly orthogonal, as
    they are on the cube, so no cross terms arise.
    """
    weights, r = _weights(masses), exact_fraction(overlap, "overlap")
    if abs(r) > 1:
        raise BadInput(f"overlap is {overlap!r}; a correlation lies in [-1, 1]")

    def value() -> arb:
        if abs(r) == 1:
            return ball(sum((w * r**k for k, w in enumerate(weights)), Fraction(0)))
        arc, total = 2 * ball(r).asin() / arb.pi(), arb(0)
        for weight in reversed(weights):
            total = total * arc + ball(weight)
        return total

    return proved_number(value, digits, 64, "the correlation")


def _weights(masses: Sequence[Exact]) -> list[Fraction]:
    weights = [exact_fraction(w, "a mass") for w in masses]
    if not weights or min(weights) < 0:
        raise BadInput("masses are sums of squares: give W_0, W_1, ..., none negative")
    return weights
