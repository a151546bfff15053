"""Goel, Karmalkar and Klivans (2019), proof of Lemma 1: the series of c_k with a printed power."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from scipy.special import gammaln, logsumexp

from sqsim.lowerbounds.quantities import Estimate
from sqsim.lowrank import Array
from sqsim.verification.entry import Check, Entry, Finding, within
from sqsim.verification.parity_correlations import correlation
from sqsim.verification.parity_expansions import HERE, PAPER


def _series(k: int, power: float, terms: int) -> float:
    """The sum of T_n with 1/(n_1! ... n_k!) to this power, in logarithms."""
    j = np.arange(terms)
    one = gammaln(2 * j + 1) - gammaln(j + 1) - j * math.log(2) - power * gammaln(2 * j + 2)
    whole = one
    for _ in range(k - 1):
        whole = _times(whole, one)
    n = k + 2 * j
    half = (n - 2) // 2
    front = gammaln(n - 1) - gammaln(half + 1) - half * math.log(2) - n / 2 * math.log(k)
    front += k / 2 * math.log(2 / math.pi) - math.log(2 * math.pi) / 2
    return float(np.exp(logsumexp(front + whole)))


def _times(left: Array, right: Array) -> Array:
    """The logarithms of a product of power series."""
    count = len(left)
    table = np.full((count, count), -np.inf)
    for m in range(count):
        table[m, : m + 1] = left[: m + 1] + right[m::-1]
    return np.asarray(logsumexp(table, axis=1))


TERMS = {2: 1500, 6: 200, 10: 150}


def _power(claimed: Fraction) -> Finding:
    """Whether the series with this power is c_k, for k = 2, 6 and 10."""
    sums = {k: _series(k, float(claimed), terms) for k, terms in TERMS.items()}
    holds = all(abs(found / float(correlation(k)) - 1) < 4e-4 for k, found in sums.items())
    text = ", ".join(f"{found:.6g} at k = {k}" for k, found in sums.items())
    return Finding(holds, f"the sums are {text}; E = {float(correlation(2)):.6g}, "
                   f"{float(correlation(6)):.6g}, {float(correlation(10)):.6g}")  # fmt: skip


def _printed(k: int, digits: int) -> Check:
    def check(claimed: Fraction) -> Finding:
        whole, half = (_series(k, 1.5, terms) for terms in (TERMS[k], TERMS[k] // 2))
        error = abs(whole - half) + 1e-9 * whole
        return within(claimed, Estimate(whole, error, "partial sums"), digits=digits)

    return check


PARITY_SERIES: tuple[Entry, ...] = (
    Entry("gkk.lemma-1-power", "in T_n the factor 1/(n_1! ... n_k!) enters to the power 3/2",
          f"{PAPER}, proof of Lemma 1", "the sum of T_n against proved c_2, c_6 and c_10; the "
          "power 1 is derived here", "3/2", _power, truth="1"),
    Entry("gkk.lemma-1-printed-two", "with the power 3/2 the terms add up to 0.1366 for k = 2",
          HERE + ", proof of Lemma 1", "partial sums", "0.1366", _printed(2, 4)),
    Entry("gkk.lemma-1-printed-six", "with the power 3/2 the terms add up to 0.00206 for k = 6",
          HERE + ", proof of Lemma 1", "partial sums", "0.00206", _printed(6, 3)),
    Entry("gkk.lemma-1-printed-ten", "with the power 3/2 the terms add up to 8.46e-5 for k = 10",
          HERE + ", proof of Lemma 1", "partial sums", "0.0000846", _printed(10, 3)),
)  # fmt: skip
