"""Goel, Karmalkar and Klivans (2019), section 2: Hermite expansions of the ReLU and the sign."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from scipy.special import eval_hermitenorm

from sqsim.links import Sign, relu
from sqsim.lowerbounds.hermite import hermite_coefficients
from sqsim.lowrank import Array
from sqsim.verification.entry import Entry, Finding, within
from sqsim.verification.proved_arithmetic import (
    combined,
    hull,
    pi_of_the_relu,
    pi_of_the_sign,
    spread,
)

PAPER = "Goel, Karmalkar and Klivans (2019)"
HERE = "computed here, after " + PAPER
TOP = 41


def at_zero(degree: int) -> int:
    """He_n(0), by He_(n+1)(0) = -n He_(n-1)(0)."""
    value, first = 1, degree % 2
    for n in range(first, degree, 2):
        value *= -(n + 1)
    return 0 if first else value


def _fact_1(claimed: Fraction) -> Finding:
    same = all(
        abs(at_zero(2 * m)) * math.factorial(m) * claimed**m == math.factorial(2 * m)
        and (at_zero(2 * m) > 0) == (m % 2 == 0)
        and at_zero(2 * m + 1) == 0
        and math.isclose(float(eval_hermitenorm(2 * m, 0.0)), at_zero(2 * m), rel_tol=1e-12)
        for m in range(TOP // 2)
    )
    found = Fraction(math.factorial(40), math.factorial(20) * abs(at_zero(40)))
    return Finding(same, f"H_40(0) = {at_zero(40)}, 40!/(20! H_40(0)) = {found} = 2^20 (exact)")


def _fact_2(claimed: Fraction) -> Finding:
    signs = hermite_coefficients(Sign(), list(range(TOP + 1)))
    odd = range(1, TOP + 1, 2)
    right = all(not any(signs[i].bounds) for i in range(0, TOP, 2)) and all(
        (signs[i].bounds[0] > 0) == (at_zero(i - 1) > 0) for i in odd
    )
    found = hull(
        combined(
            lambda c, pi, i=i: c * c * pi * math.factorial(i) / at_zero(i - 1) ** 2,
            signs[i],
            pi_of_the_relu(),
        )
        for i in odd
    )
    finding = within(claimed, found, digits=12)
    return Finding(finding.holds and right, finding.computed)


def _claim_1(claimed: Fraction) -> Finding:
    """2 in 1 / sqrt(2 pi i!), from all even degrees; odd ones from 3 on vanish."""
    values = hermite_coefficients(relu(0.0), list(range(TOP + 1)))
    even = range(2, TOP + 1, 2)
    heads = {i: at_zero(i) + i * at_zero(i - 2) for i in even}
    right = all(not any(values[i].bounds) for i in range(3, TOP, 2)) and all(
        (values[i].bounds[0] > 0) == (heads[i] > 0) for i in even
    )
    numerators = {0: 1} | heads
    found = hull(
        combined(
            lambda c, pi, i=i: numerators[i] ** 2 / (c * c * pi * math.factorial(i)),
            values[i],
            pi_of_the_sign(),
        )
        for i in (0, *even)
    )
    finding = within(claimed, found, digits=12)
    return Finding(finding.holds and right, finding.computed)


def _claim_1_slope(claimed: Fraction) -> Finding:
    return within(claimed, hermite_coefficients(relu(0.0), [1])[0], digits=12)


def _claim_1_short(claimed: Fraction) -> Finding:
    ratios = {Fraction(at_zero(i) + i * at_zero(i - 2), at_zero(i - 2)) for i in range(2, TOP, 2)}
    return Finding(ratios == {claimed}, f"{', '.join(map(str, ratios))} for all i <= 40 (exact)")


def _claim_2(claimed: Fraction) -> Finding:
    """The exponent of n!/(n_1! ... n_k!) in every coefficient: two neurons, and three."""
    found = [*_exponents_of_two(), *_exponents_of_three()]
    return within(claimed, spread(found, "quadrature", 1e-11), digits=6)


def _exponents_of_two() -> list[float]:
    """From E[relu(t) h_a((t + s)/sqrt 2) h_b((t - s)/sqrt 2)], t > 0 and s on product nodes."""
    at, weights = np.polynomial.legendre.leggauss(160)
    t, rise = 6 * (at + 1), 6 * weights
    s, chance = np.polynomial.hermite_e.hermegauss(30)
    left, right = ((t[:, None] + sign * s) / math.sqrt(2) for sign in (1, -1))
    front = (rise * t * np.exp(-t * t / 2))[:, None] * chance / (2 * math.pi)
    single = [float(c) for c in hermite_coefficients(relu(0.0), list(range(13)))]
    found = []
    for n in range(2, 13, 2):
        for a in range(1, n):
            value = float((front * _normalised(a, left) * _normalised(n - a, right)).sum())
            ratio = value / (single[n] * 2 ** (-n / 2))
            found.append(math.log(ratio) / math.log(math.comb(n, a)))
    return found


def _exponents_of_three() -> list[float]:
    """From E[h_n((z_1 + z_2 + z_3)/sqrt 3) h_a h_b h_c], exactly integrated polynomials."""
    z, chance = np.polynomial.hermite_e.hermegauss(9)
    chance = chance / chance.sum()
    weight = chance[:, None, None] * chance[:, None] * chance
    mixed = (z[:, None, None] + z[:, None] + z) / math.sqrt(3)
    found = []
    for a, b, c in ((1, 1, 0), (1, 1, 1), (2, 1, 1), (2, 2, 1), (3, 2, 2), (4, 1, 3)):
        n = a + b + c
        others = _normalised(a, z)[:, None, None] * _normalised(b, z)[:, None] * _normalised(c, z)
        value = float((weight * _normalised(n, mixed) * others).sum()) * 3 ** (n / 2)
        count = math.factorial(n) / math.prod(map(math.factorial, (a, b, c)))
        found.append(math.log(value) / math.log(count))
    return found


def _normalised(degree: int, at: Array) -> Array:
    return np.asarray(eval_hermitenorm(degree, at) / math.sqrt(math.factorial(degree)))


PARITY_EXPANSIONS: tuple[Entry, ...] = (
    Entry("gkk.fact-1", "H_(2m)(0) = (-1)^m (2m)! / (m! 2^m) and H_(2m+1)(0) = 0: the constant 2",
          f"{PAPER}, Fact 1", "exact integers by the recurrence for m <= 20, and scipy's values",
          "2", _fact_1),
    Entry("gkk.fact-2", "sign_0 = 0 and sign_i = sqrt(2 / (pi i!)) H_(i-1)(0): the constant 2",
          f"{PAPER}, Fact 2", "proved Hermite coefficients up to degree 41, pi from the "
          "ReLU's mean", "2", _fact_2),
    Entry("gkk.claim-1", "relu_0 = 1/sqrt(2 pi) and relu_i = (H_i(0) + i H_(i-2)(0)) / "
          "sqrt(2 pi i!) for i >= 2: the constant 2", f"{PAPER}, Claim 1",
          "proved Hermite coefficients up to degree 41, pi from the sign's", "2", _claim_1),
    Entry("gkk.claim-1-slope", "relu_1 = 1/2", f"{PAPER}, Claim 1", "proved Hermite coefficient",
          "1/2", _claim_1_slope),
    Entry("gkk.claim-1-short", "H_i(0) + i H_(i-2)(0) is H_(i-2)(0) times 1", HERE,
          "exact integers, i <= 40", "1", _claim_1_short),
    Entry("gkk.claim-2", "relu(sum z_i / sqrt k) has the coefficients relu_n k^(-n/2) "
          "(n!/(n_1! ... n_k!))^(1/2): the exponent 1/2", f"{PAPER}, Claim 2",
          "quadrature of the ReLU for k = 2, of Hermite polynomials for k = 3", "1/2", _claim_2),
)  # fmt: skip
