"""Goel, Kanade, Klivans and Thaler (2017): how large the polynomials' coefficients are."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from sqsim.lowerbounds.quantities import Estimate, Rational
from sqsim.lowerbounds.uniform import Chebyshev, RangeSafe
from sqsim.lowerbounds.uniform_report import BERNSTEIN, markov_norm_bound, printed_norm_bound
from sqsim.polynomials import monomials
from sqsim.verification.entry import Check, Entry, Finding, within
from sqsim.verification.proved_arithmetic import spread
from sqsim.verification.reliable_approximation import HERE, PAPER, approximation


def _norm(degree: int) -> Check:
    def check(claimed: Fraction) -> Finding:
        """The telescoped coefficients, and the series turned into monomials exactly."""
        proved = approximation(degree, Chebyshev()).coefficient_norm_squared
        k = np.arange(1, degree // 2 + 1)
        series = dict(zip((2 * k).tolist(), (-2 * (-1.0) ** k / (4 * k * k - 1)).tolist(),
                          strict=True))  # fmt: skip
        powers = [float(c) / math.pi for c in monomials({0: 1.0} | series)]
        powers[1] += 0.5
        same = math.isclose(sum(c * c for c in powers), float(proved), rel_tol=1e-9)
        finding = within(claimed, proved, digits=4)
        return Finding(finding.holds and same, finding.computed)

    return check


def _chebyshev_sum(degree: int) -> int:
    """Sum of the absolute coefficients of T_d."""
    return int(sum(abs(c) for c in monomials({degree: 1.0})))


def _silver(claimed: Fraction) -> Finding:
    """(Sum of |coefficients| of T_(d+1) over that of T_d)^2, at d = 40 and exactly (1 + sqrt 2)^2.

    The bound by V. Markov is below it, and it is below the printed one, for every d up to 60.
    """
    ratio = Fraction(_chebyshev_sum(41), _chebyshev_sum(40)) ** 2
    base = 3 + 2 * math.sqrt(2)
    ordered = all(
        markov_norm_bound(d) <= base**d * (1 + 1e-9)
        and base**d <= float(printed_norm_bound(d)) * (1 + 1e-9)
        for d in range(61)
    )
    same = math.isclose(float(ratio), base, rel_tol=1e-12)
    finding = within(claimed, Rational(ratio), digits=8)
    return Finding(finding.holds and ordered and same, f"{float(ratio):.12g} (exact at d = 40)")


def _silver_sum(claimed: Fraction) -> Finding:
    """Sum of V. Markov's bounds of all |beta_i| over (1 + sqrt 2)^d: at most 1, in the limit less.

    They are the absolute coefficients of T_d and T_(d-1).
    """
    ratios = [
        (_chebyshev_sum(d) + _chebyshev_sum(d - 1)) / (1 + math.sqrt(2)) ** d for d in range(1, 41)
    ]
    below = max(ratios) <= 1
    limit = Estimate(ratios[-1], abs(ratios[-1] - ratios[-2]) + 1e-12, "exact integers")
    finding = within(claimed, limit, digits=6)
    return Finding(finding.holds and below, finding.computed)


def _printed(claimed: Fraction) -> Finding:
    """(printed bound / (d + 1))^(1/d)."""
    found = []
    for d in (4, 8, 16):
        bound = float(printed_norm_bound(d)) / (d + 1)
        found.append(bound ** (1 / d))
    return within(claimed, spread(found, "the formula", 1e-9), digits=5)


def _exponent(claimed: Fraction) -> Finding:
    """The limit of eps log2 B for the range-safe polynomials: B is about r^d d^s.

    log2 r from four degrees, with the power s and a term 1/d, times the limit of d eps.
    """
    degrees = (32, 48, 64, 80)
    logs = []
    for d in degrees:
        norm = approximation(d, RangeSafe()).coefficient_norm_squared.bounds[0]
        logs.append(math.log2(norm.numerator) - math.log2(norm.denominator))
    table = np.array([[1.0, math.log2(d), d, 1 / d] for d in degrees])
    slope = float(np.linalg.solve(table, logs)[2])
    far = 80 * float(approximation(80, RangeSafe()).sup_error)
    near = 48 * float(approximation(48, RangeSafe()).sup_error)
    # The error of a range-safe polynomial is 2 delta / (1 + 2 delta): linear in 1/d.
    limit = slope * (80 * far - 48 * near) / 32
    closed = 2 * math.log2(1 + math.sqrt(2)) * BERNSTEIN
    return within(claimed, spread((limit, closed), "two ways", 1e-4), digits=3)


RELIABLE_NORMS: tuple[Entry, ...] = (
    Entry("gkkt.norm-base", "sum of beta_i^2 <= 5.8284271^d = (1 + sqrt 2)^(2d) by V. Markov's "
          "inequality, in place of (d + 1) (4e)^(2d)", HERE,
          "exact sums of the coefficients of T_d; the three bounds ordered for d <= 60",
          "5.8284271", _silver),
    Entry("gkkt.norm-sum", "V. Markov's bounds of |beta_i| add up to 0.707107 (1 + sqrt 2)^d in "
          "the limit, and never to more than (1 + sqrt 2)^d", HERE, "exact integers for d <= 40",
          "0.707107", _silver_sum),
    Entry("gkkt.norm-printed", "sum of beta_i^2 <= (d + 1) (4e)^(2d): the base 118.22", PAPER
          + ", after Sherstov (2012)", "the formula; that it holds is gkkt.norm-base", "118.22",
          _printed),
    *(
        Entry(f"gkkt.norm-{degree}", f"the truncation of degree {degree} has sum of beta_i^2 = "
              f"{text}", HERE, "telescoped coefficients, proved, and the series in monomials",
              text, _norm(degree))
        for degree, text in ((2, "0.4414"), (4, "0.9529"), (8, "21.97"), (16, "1.033e6"),
                             (32, "7.696e16"))
    ),
    Entry("gkkt.theorem-3-exponent", "2^(O(1/eps)): the range-safe polynomials have norm^2 "
          "2^(0.7125/eps) up to a power of eps", HERE + ", Theorem 3 [2.1]",
          "proved norms at degrees 32 to 80, and log2(3 + 2 sqrt 2) times Bernstein's constant",
          "0.7125", _exponent),
)  # fmt: skip
