"""Goel, Kanade, Klivans and Thaler (2017): polynomials in place of the ReLU, and their norms."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import numpy as np

from sqsim.links import relu
from sqsim.lowerbounds.precision import Enclosure, Exact
from sqsim.lowerbounds.quantities import Rational
from sqsim.lowerbounds.uniform import (
    Chebyshev,
    Kind,
    Minimax,
    RangeSafe,
    UniformApproximation,
    uniform_approximation,
)
from sqsim.lowerbounds.uniform_degrees import uniform_degree
from sqsim.polynomials import range_safe_relu
from sqsim.verification.entry import Check, Entry, Finding, within
from sqsim.verification.proved_arithmetic import combined, hull, spread

PAPER = "Goel, Kanade, Klivans and Thaler (2017)"
HERE = "computed here, after " + PAPER
NEURON = relu(0.0)


@lru_cache(maxsize=64)
def approximation(degree: int, kind: Kind) -> UniformApproximation:
    """Of the ReLU on [-1, 1], its sup error proved."""
    return uniform_approximation(NEURON, degree, kind=kind, digits=25)


def _truncation(claimed: Fraction) -> Finding:
    """1 / ((2m + 1) error) from proved errors, and from values on a fine grid."""
    found, right = [], True
    for m in (1, 2, 3, 5, 8, 13, 32):
        p = approximation(2 * m, Chebyshev())
        found.append(combined(lambda e, m=m: 1 / ((2 * m + 1) * e), p.sup_error))
        weights = np.zeros(2 * m + 1)
        weights[:2] = 1 / math.pi, 0.5
        k = np.arange(1, m + 1)
        weights[2::2] = -2 / math.pi * (-1.0) ** k / (4 * k * k - 1)
        t = np.linspace(-1, 1, 2001)
        apart = np.abs(np.maximum(t, 0) - np.polynomial.chebyshev.chebval(t, weights))
        right &= math.isclose(float(apart.max()), float(p.sup_error), rel_tol=1e-9)
        # The largest error is at 0, where it is the constant coefficient.
        low, high = p.coefficients[0].bounds
        right &= low <= p.sup_error.bounds[1] and p.sup_error.bounds[0] <= high
    finding = within(claimed, hull(found), digits=9)
    return Finding(finding.holds and bool(right), finding.computed)


def _bernstein(claimed: Fraction) -> Finding:
    """d times the least error at d = 32, 64 and 96, less its 1/d^2 term."""
    found = {d: d * float(approximation(d, Minimax()).sup_error) for d in (32, 64, 96)}
    limits = [
        (b * b * found[b] - a * a * found[a]) / (b * b - a * a) for a, b in ((32, 64), (64, 96))
    ]
    return within(claimed, spread(limits, "extrapolated proved errors", 1e-6), digits=4)


def _degree(epsilon: str, kind: Kind) -> Check:
    def check(claimed: Fraction) -> Finding:
        """The least degree, and that the error one even degree below is too large."""
        degree = uniform_degree(NEURON, epsilon, kind=kind)
        enough = approximation(degree, kind).sup_error.bounds[1] <= Fraction(epsilon)
        missing = approximation(degree - 2, kind).sup_error.bounds[0] > Fraction(epsilon)
        finding = within(claimed, Rational(Fraction(degree)), digits=6)
        return Finding(finding.holds and enough and missing, finding.computed)

    return check


RANGE_SAFE = (2, 4, 8, 16, 24)
FULL_RANGE = (2, 6, 10, 18)
"""At degrees 0 modulo 4 the maximum is below 1: the error at t = 1 has the other sign."""


def _half(claimed: Fraction) -> Finding:
    """sup |p - relu| / eps, eps / (2 - eps) the error of |x|: twice delta, that of the ReLU.

    eps = 4 delta / (1 + 2 delta).  The polynomials that learners use in floats have it too.
    """
    found, right = [], True
    for degree in RANGE_SAFE:
        delta = approximation(degree, Minimax()).sup_error
        safe = approximation(degree, RangeSafe()).sup_error
        found.append(combined(lambda e, d: e * (1 + 2 * d) / (4 * d), safe, delta))
        right &= math.isclose(range_safe_relu(degree=degree).error, float(safe), rel_tol=1e-3)
    finding = within(claimed, hull(found), digits=6)
    return Finding(finding.holds and right, finding.computed)


def _range(claimed: Fraction) -> Finding:
    """[min p, max p] of the range-safe polynomials, proved."""
    tops, right = [], True
    for degree in FULL_RANGE:
        values = approximation(degree, RangeSafe()).values
        assert values is not None
        low, high = values.bounds
        right &= 0 <= low <= Fraction(1, 10**6)
        tops.append(Rational(high))
    finding = within(claimed, hull(tops), digits=6)
    return Finding(finding.holds and right, finding.computed)


def _width(claimed: Fraction) -> Finding:
    """log(degree at eps / sqrt k over degree at eps) / log k for k units of total weight sqrt k."""
    epsilon, powers = Fraction(1, 1000), []
    for root in (2, 4, 5):
        degrees = [uniform_degree(NEURON, epsilon / scale, kind=Chebyshev()) for scale in (1, root)]
        powers.append(math.log(degrees[1] / degrees[0]) / math.log(root * root))
    return within(claimed, spread(powers, "proved degrees", 1e-4), digits=3)


def _even_only(claimed: Fraction) -> Finding:
    """The least error at odd degrees is that of the even degree below: steps of 2."""
    errors: list[Enclosure] = [approximation(d, Minimax()).sup_error for d in range(2, 12)]
    drops = [d for d, (a, b) in enumerate(pairwise(errors), 3) if b.bounds[1] < a.bounds[0]]
    steps = {b - a for a, b in pairwise(drops)}
    finding = within(claimed, Rational(Fraction(max(steps))), digits=6)
    return Finding(finding.holds and len(steps) == 1, f"the error falls at degrees {drops}")


DEGREES: tuple[tuple[str, str, Exact, Kind, str], ...] = (
    ("truncation", "32", "0.01", Chebyshev(), "about 1/(pi eps)"),
    ("least", "14", "0.01", Minimax(), "about 0.1401/eps"),
    ("range-safe", "28", "0.01", RangeSafe(), "about 0.2802/eps"),
)

RELIABLE_APPROXIMATION: tuple[Entry, ...] = (
    Entry("gkkt.truncation", "the Chebyshev truncation of relu at degree 2m has sup error exactly "
          "1/(pi (2m + 1)): pi = 3.14159265", HERE, "proved errors, the series on a fine grid, and "
          "its value at 0, for m up to 32", "3.14159265", _truncation),
    Entry("gkkt.least-error", "the least sup error of degree d is 0.1401/d in the limit (half of "
          "Bernstein's constant)", HERE, "proved from both sides at d = 32, 64, 96, extrapolated",
          "0.1401", _bernstein),
    Entry("gkkt.least-error-steps", "for relu only even degrees count: the least error falls every "
          "2 degrees", HERE, "proved from both sides up to degree 11", "2", _even_only),
    *(
        Entry(f"gkkt.degree-{name}", f"degree {degree} is the least for eps = {epsilon}: {law}",
              HERE, "proved at this degree and at the one below", degree,
              _degree(str(epsilon), kind))
        for name, degree, epsilon, kind, law in DEGREES
    ),
    Entry("gkkt.range-error", "p = ((2 - eps)/2)(pbar - 1/2) + 1/2 is off by 0.5 eps (eps is "
          "stated, and holds)", HERE, "proved for degrees 2 to 24, and for the learners' floats",
          "0.5", _half),
    Entry("gkkt.range", "p([-1, 1]) is in [0, 1], and both ends are reached: the maximum 1",
          PAPER + ", approximation of the ReLU", "proved minima and maxima at degrees 2, 6, 10, 18",
          "1", _range),
    Entry("gkkt.theorem-5", "k units of total weight sqrt k take degree proportional to k^0.5",
          HERE + ", Theorem 5 [2.3]", "proved degrees at eps and eps / sqrt k", "0.5", _width),
)  # fmt: skip
