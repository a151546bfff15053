"""Goel, Karmalkar and Klivans (2019), Lemma 1: how much a ReLU sees of a parity of k signs.

c_k = E[relu((z_1 + ... + z_k) / sqrt k) prod sign z_i].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import dawsn

from sqsim.links import Sign, relu
from sqsim.lowerbounds.hermite import hermite_coefficients
from sqsim.lowerbounds.parities import (
    relu_parity_correlation,
    relu_parity_leading_term,
    relu_parity_series,
)
from sqsim.lowerbounds.precision import Enclosure
from sqsim.lowerbounds.quantities import Estimate, Rational
from sqsim.verification.entry import Check, Entry, Finding, within
from sqsim.verification.parity_expansions import HERE, PAPER
from sqsim.verification.proved_arithmetic import combined, spread


@lru_cache(maxsize=32)
def correlation(k: int) -> Enclosure:
    """c_k by Dawson's integral, proved; the Hermite series has to overlap."""
    found, series = relu_parity_correlation(k, digits=20), relu_parity_series(k, 500)
    (low, high), (below, above) = found.bounds, series.bounds
    assert low <= above, f"two proofs of c_{k} contradict each other"
    assert below <= high, f"two proofs of c_{k} contradict each other"
    return found


def _correlation(k: int) -> Check:
    return lambda claimed: within(claimed, correlation(k), digits=9)


def _two_signs(claimed: Fraction) -> Finding:
    """Dawson's integral, the series and, in polar coordinates, (sqrt 2 - 1) / sqrt(2 pi)."""
    polar = (math.sqrt(2) - 1) / math.sqrt(2 * math.pi)
    finding = within(claimed, correlation(2), digits=9)
    return Finding(finding.holds and math.isclose(polar, float(correlation(2))), finding.computed)


def _leading(k: int, digits: int) -> Check:
    def check(claimed: Fraction) -> Finding:
        """The factorials, and relu_k (k!/k^k)^(1/2) sign_1^k from proved Hermite coefficients."""
        neuron = hermite_coefficients(relu(0.0), [k])[0]
        sign = hermite_coefficients(Sign(), [1])[0]
        count = math.sqrt(math.factorial(k) / k**k)
        product = float(neuron) * count * float(sign) ** k
        found = relu_parity_leading_term(k)
        finding = within(claimed, found, digits=digits)
        same = math.isclose(product, float(found), rel_tol=1e-12)
        return Finding(finding.holds and same, finding.computed)

    return check


def _stirling(claimed: Fraction) -> Finding:
    """exact / Stirling = 1 - 1/(12 k) + ..., so that twice the size extrapolates the limit."""

    def ratio(k: int) -> float:
        base, pi = 2 / (math.e * math.pi), math.pi
        exact = math.lgamma(k + 1) - math.lgamma(k / 2 + 1) - k / 2 * math.log(k * pi)
        exact -= math.log(math.sqrt(2 * pi) * (k - 1))
        return math.exp(exact - k / 2 * math.log(base) + math.log(math.sqrt(pi) * (k - 1)))

    near = [float(relu_parity_leading_term(k)) for k in (2, 6, 10)]
    base = 2 / (math.e * math.pi)
    small = [t * math.sqrt(math.pi) * (k - 1) / base ** (k / 2)
             for t, k in zip(near, (2, 6, 10), strict=True)]  # fmt: skip
    right = np.allclose(small, [0.961, 0.986, 0.992], atol=6e-4)
    limit = 2 * ratio(800) - ratio(400)
    finding = within(claimed, Estimate(limit, 1e-5, "extrapolation"), digits=4)
    return Finding(finding.holds and bool(right), finding.computed)


def _loss_of_leading(claimed: Fraction) -> Finding:
    found = combined(lambda c, t: c / t, correlation(30), relu_parity_leading_term(30))
    printed = {2: 1.30, 6: 3.33, 10: 8.44, 14: 21.4, 18: 54}
    right = all(
        abs(float(correlation(k)) / float(relu_parity_leading_term(k)) / value - 1) < 4e-3
        for k, value in printed.items()
    )
    finding = within(claimed, found, digits=3)
    return Finding(finding.holds and right, finding.computed)


@lru_cache(maxsize=1)
def bits_a_sign() -> tuple[float, float]:
    """-log2 of the rate of c_k: from proved c_202 and c_402, and from the largest g by Laplace.

    k c_k / g^k has a limit, so that k c_k at two sizes tells g up to about 1e-5.
    """
    small, large = (relu_parity_correlation(k, digits=12).bounds[0] * k for k in (202, 402))
    ratio = small / large
    bits = (ratio.numerator.bit_length() - ratio.denominator.bit_length()) + math.log2(
        float(ratio / Fraction(2) ** (ratio.numerator.bit_length()
                                      - ratio.denominator.bit_length()))
    )  # fmt: skip
    peak = minimize_scalar(lambda u: -dawsn(u / math.sqrt(2)), bracket=(0.5, 1.3, 3.0))
    return bits / 200, -math.log2(-2 / math.sqrt(math.pi) * float(peak.fun))


def _rate(claimed: Fraction) -> Finding:
    return within(claimed, spread(bits_a_sign(), "two ways", 1e-6), digits=3)


def _queries_exponent(claimed: Fraction) -> Finding:
    return within(claimed, spread([1 / b for b in bits_a_sign()], "two ways", 1e-6), digits=4)


def _period(claimed: Fraction) -> Finding:
    sizes = range(2, 23, 2)
    found = [k for k in sizes if correlation(k).bounds[0] > 0]
    negative = [k for k in sizes if correlation(k).bounds[1] < 0]
    wanted = [k for k in sizes if (Fraction(k - 2) / claimed).denominator == 1]
    holds = found == wanted and len(found) + len(negative) == len(sizes)
    return Finding(holds, f"c_k > 0 for k = {_listed(found)} of 2, 4, ..., 22 (proved)")


def _listed(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))


def _sizes(claimed: Fraction) -> Finding:
    """c_1 = E|z| / 2; odd sizes from 3 on vanish, as relu(t) - t/2 is even."""
    first = combined(lambda c: c / 2, hermite_coefficients(Sign(), [1])[0])
    even = {k: correlation(k) for k in (2, 4, 6)}
    odd = {k: Rational(Fraction(0)) for k in (3, 5)}
    positive = [k for k, c in ({1: first} | even | odd).items() if c.bounds[0] > 0]
    text = f"positive for |S| = {_listed(sorted(positive))}; c_4 in [{even[4].lower}, ...]"
    return Finding(len(positive) == claimed, text)


PARITY_CORRELATIONS: tuple[Entry, ...] = (
    Entry("gkk.lemma-1-two", "c_2 = 0.1652473031", HERE + ", Lemma 1",
          "Dawson's integral and the Hermite series, both proved, and (sqrt 2 - 1)/sqrt(2 pi)",
          "0.1652473031", _two_signs),
    Entry("gkk.lemma-1-six", "c_6 = 0.004756930013", HERE + ", Lemma 1",
          "Dawson's integral and the Hermite series, both proved", "0.004756930013",
          _correlation(6)),
    Entry("gkk.lemma-1-ten", "c_10 = 3.69564660e-4", HERE + ", Lemma 1",
          "Dawson's integral and the Hermite series, both proved", "0.000369564660541",
          _correlation(10)),
    Entry("gkk.lemma-1-rate", "c_k = 2^(-O(k)): it is 2^(-0.712 k) up to a power of k", HERE
          + ", Lemma 1", "proved c_202 and c_402, and the maximum of (2/sqrt pi) Dawson", "0.712",
          _rate),
    Entry("gkk.lemma-1-sign", "c_k > 0 among even k exactly for k = 2 + 4 l: the period 4",
          f"{PAPER}, proof of Lemma 1", "signs proved for k <= 22 in two ways", "4", _period),
    Entry("gkk.lemma-1-sizes", "for all 6 sizes |S| <= k = 6 the neuron along 1_S correlates with "
          "the parity (printed |S| <= k; |S| = k is meant)", f"{PAPER}, Lemma 1",
          "proved c_|S|; computed here", "6", _sizes, truth="3", repaired=False),
    Entry("gkk.lemma-1-leading-two", "T_2 = 0.126987271868", f"{PAPER}, proof of Lemma 1",
          "the factorials, and relu_k (k!/k^k)^(1/2) sign_1^k, both proved", "0.126987271868",
          _leading(2, 11)),
    Entry("gkk.lemma-1-leading-six", "T_6 = 1.42961e-3", f"{PAPER}, proof of Lemma 1",
          "the factorials, and relu_k (k!/k^k)^(1/2) sign_1^k, both proved", "0.00142961",
          _leading(6, 6)),
    Entry("gkk.lemma-1-leading-ten", "T_10 = 4.38026e-5", f"{PAPER}, proof of Lemma 1",
          "the factorials, and relu_k (k!/k^k)^(1/2) sign_1^k, both proved", "0.0000438026",
          _leading(10, 6)),
    Entry("gkk.lemma-1-stirling", "T_k is (2/(e pi))^(2l+1) / (sqrt(pi) (4l+1)) times 1 in the "
          "limit", f"{PAPER}, proof of Lemma 1",
          "ratios 0.961, 0.986, 0.992 at k = 2, 6, 10 and the limit by extrapolation", "1",
          _stirling),
    Entry("gkk.lemma-1-loss", "c_k > T_k only, and c_30 / T_30 = 880: the bound loses "
          "exponentially", HERE + ", Lemma 1", "proved numbers; 1.30, 3.33, 8.44, 21.4, 54 before",
          "880", _loss_of_leading),
    Entry("gkk.theorem-1-exponent", "the sparsity that hides a gap eps is 1.405 log2(1/eps), so "
          "d^k is d^(Omega(log 1/eps))", HERE + ", Theorems 1 and 4 (the remark after Theorem 4 "
          "prints 1/eps)", "proved c_202 and c_402, and the maximum of (2/sqrt pi) Dawson",
          "1.405", _queries_exponent),
)  # fmt: skip
