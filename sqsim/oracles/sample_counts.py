"""How many examples simulate an oracle, with the theorem that says so.

Every count is for one batch of queries that are fixed before the examples are drawn: q scalar
queries are then all answered as promised with probability at least 1 - failure.  Queries that
depend on earlier answers need fresh examples in each round.  The counts are closed forms, for
tolerances of any size; `binomial` finds fewer by searching, where that takes no time.  This file
does not know how examples are drawn or averages taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from scipy.special import ndtri

from sqsim.errors import BadInput

ROUNDED = 1e-12
"""Logarithms and quantiles are increased by this part, which is more than their rounding."""
GROUP = Fraction(6)
"""Variances over tau^2 in a group of `median_of_means_samples`: where the total is least."""


@final
@dataclass(frozen=True)
class VstatDemand:
    """VSTAT(t), asked `queries` times in all, and the theorem."""

    t: float
    queries: int
    theorem: str


@final
@dataclass(frozen=True)
class SampleCount:
    """Examples, and what they buy.

    Attributes
    ----------
    samples : examples of one batch, shared by its queries; of each query where `shared` is False.
    queries, failure : q, and the probability that some answer is not as promised.
    shared : whether one sample serves all queries of the batch.
    theorem : name and source.
    assumes : what has to hold of the queries.
    groups : of a median of means.
    """

    samples: int
    queries: int
    failure: float
    shared: bool
    theorem: str
    assumes: str
    groups: int = 1

    @property
    def total(self) -> int:
        """Examples of the whole batch."""
        return self.samples if self.shared else self.samples * self.queries


def stat_samples(
    tau: float, *, queries: int = 1, failure: float = 0.05, width: float = 2.0
) -> SampleCount:
    """STAT(tau) from averages: n = width^2 ln(2 q / failure) / (2 tau^2).

    P(|average - mean| > tau) <= 2 exp(-2 n tau^2 / width^2) for independent values in an interval
    of this width (Hoeffding 1963, theorem 2).

    Parameters
    ----------
    tau : radius.
    queries : scalar queries of the batch.
    failure : probability that some average is off by more.
    width : of the range of every phi: 2 for [-1, 1].
    """
    squared = (_size(width, "width") / _size(tau, "tau")) ** 2
    count = math.ceil(squared * _logarithm(queries, failure) / 2)
    assumes = f"values of every query in an interval of width {width:g}"
    return SampleCount(count, queries, failure, True, "Hoeffding (1963), theorem 2", assumes)


def stat_samples_of_bits(
    tau: float, *, queries: int = 1, failure: float = 0.05, width: float = 2.0
) -> SampleCount:
    """STAT(tau) from one bit of each example: n = ((z + sqrt(z^2 + 16 e)) / (4 e))^2.

    e = tau / width and Phi(z) = 1 - failure / (2 q).  A value in [a, a + width] becomes a bit that
    is 1 with probability (value - a) / width, so the count of ones is binomial with the right mean
    p.  For X binomial, C(k) <= P(X <= k) <= C(k + 1) with C(k) = Phi(sign(k / n - p)
    sqrt(2 n KL(k / n, p))) (Zubkov and Serov 2013, theorem 1), and KL >= 2 (difference)^2
    (Pinsker), so P(|X / n - p| > e) <= 2 Phi(-2 sqrt(n) (e - 1 / n)).

    Near the least possible, which at p = 1/2 has the limit z^2 / (4 e^2).

    Parameters are those of `stat_samples`; queries that are bits already need no rounding.
    """
    share = _size(tau, "tau") / _size(width, "width")
    z = _quantile(queries, failure)
    count = math.ceil(_root_squared(2 * share, z, Fraction(2)))
    assumes = f"values in an interval of width {width:g}, rounded at random to its ends"
    return SampleCount(count, queries, failure, True, _ZUBKOV_SEROV, assumes)


def vstat_samples(t: float, *, queries: int = 1, failure: float = 0.05) -> SampleCount:
    """VSTAT(t) from averages: n = (8/3) t ln(2 q / failure).

    VSTAT(t) answers E[phi] = p, phi in [0, 1], within e = max(1/t, sqrt(p (1 - p) / t)).  The
    variance is at most p (1 - p) <= t e^2 and e <= t e^2, so Bernstein's inequality
    P(|average - p| > e) <= 2 exp(-n e^2 / (2 (variance + e / 3))) (Boucheron, Lugosi and Massart
    2013, corollary 2.11) is at most 2 exp(-3 n / (8 t)).
    """
    count = math.ceil(Fraction(8, 3) * _size(t, "t") * _logarithm(queries, failure))
    return SampleCount(count, queries, failure, True, "Bernstein", "values in [0, 1]")


def vstat_samples_of_bits(t: float, *, queries: int = 1, failure: float = 0.05) -> SampleCount:
    """VSTAT(t) from one bit of each example: n = c t, 3 c (1 - 1 / c)^2 = 4 z^2.

    As `stat_samples_of_bits`, with KL(p + x, p) >= x^2 / (2 (p (1 - p) + x / 3)) (Bernstein's
    exponent is below Chernoff's) at x = e - 1/n >= e (1 - t / n), which is at least
    (3 / (8 t)) (1 - t / n)^2.
    """
    z = _quantile(queries, failure)
    a = z / Fraction(math.sqrt(0.75))
    factor = _root_squared(Fraction(1), a, Fraction(1))
    count = math.ceil(_size(t, "t") * factor)
    assumes = "values in [0, 1], rounded at random to 0 or 1"
    return SampleCount(count, queries, failure, True, _ZUBKOV_SEROV, assumes)


def median_of_means_samples(
    tau: float, *, queries: int = 1, failure: float = 0.05, deviation: float = 1.0
) -> SampleCount:
    """Radius tau for queries of bounded variance: about 16.8 (deviation / tau)^2 ln(2 q / failure).

    The median of the means of k groups of m = 6 (deviation / tau)^2 examples.  One mean is above
    mean + tau with probability at most 1/7 (Cantelli), and the median is if half of them are:
    probability at most exp(-k KL(1/2, 1/7)), KL(1/2, s) = -ln(4 s (1 - s)) / 2; the same below.
    Hence k = ln(2 q / failure) / KL(1/2, 1/7).  No range is needed.

    Parameters
    ----------
    deviation : bound on the standard deviation of every phi, such as its norm.  With the tolerance
        RootMeanSquare(tau), whose radius is tau ||phi||, it is 1.
    """
    group = math.ceil(GROUP * (_size(deviation, "deviation") / _size(tau, "tau")) ** 2)
    divergence = math.log(49 / 24) / 2
    groups = math.ceil(_logarithm(queries, failure) / Fraction(divergence * (1 - ROUNDED)))
    assumes = f"standard deviation of every query at most {deviation:g}"
    theorem = "median of means (Cantelli, Chernoff)"
    return SampleCount(group * groups, queries, failure, True, theorem, assumes, groups)


def honest_samples(
    tau: float, *, queries: int = 1, failure: float = 0.05, width: float = 2.0
) -> SampleCount:
    """Honest SQ: the average over examples of its own for each query, as in Yang's model.

    n of `stat_samples` for each of the queries: fresh examples make the answers independent, so
    that queries may depend on earlier answers, at q times the cost.
    """
    found = stat_samples(tau, queries=queries, failure=failure, width=width)
    return SampleCount(found.samples, queries, failure, False, found.theorem, found.assumes)


def one_bit_samples(
    tau: float, *, queries: int = 1, failure: float = 0.05, width: float = 2.0
) -> SampleCount:
    """STAT(tau) by 1-STAT(1), which tells one bit of one fresh example.

    n of `stat_samples_of_bits` for each of the queries, since an example is used up by its bit.
    """
    found = stat_samples_of_bits(tau, queries=queries, failure=failure, width=width)
    return SampleCount(found.samples, queries, failure, False, found.theorem, found.assumes)


def vstat_by_one_bit(t: float, *, queries: int = 1, failure: float = 0.05) -> SampleCount:
    """Queries to 1-STAT(1) that answer q adaptive queries to VSTAT(t).

    n of `vstat_samples_of_bits` for each of the queries: O(q t log(q / failure)) in all, as in
    Feldman (2017), appendix B.
    """
    found = vstat_samples_of_bits(t, queries=queries, failure=failure)
    return SampleCount(found.samples, queries, failure, False, found.theorem, found.assumes)


def one_bit_by_vstat(samples: int, *, bits: int = 1, distance: float = 0.05) -> VstatDemand:
    """n adaptive queries to 1-STAT(b) by n 2^b queries to VSTAT(n 2^b / distance^2).

    For each, the probability p_z of every value z is asked, v_z answered, and z drawn with
    probability proportional to w_z = max(v_z, 0) + 1/t.  KL(p, w / sum w) is at most the sum of
    (p_z - w_z)^2 / w_z, since ln x <= x - 1, and every term is at most 2 / t: with a = p_z t and
    |v_z t - a| <= max(1, sqrt(a)) it is (s + 1)^2 / (a + s + 1) / t, s = v_z t - a, largest at
    a = 0, s = 1.  By the chain rule the transcripts differ by KL <= n 2^(b + 1) / t, hence in total
    variation by at most sqrt(n 2^b / t) (Pinsker): what succeeds with probability beta still does
    with beta - distance.  Feldman (2017), appendix B, up to constants.
    """
    if samples < 1 or bits < 1 or not 0 < distance < 1:
        raise BadInput(
            f"samples {samples}, bits {bits}, distance {distance}: wanted at least 1, at least 1 "
            "and a probability strictly between 0 and 1"
        )
    demand = samples * 2**bits
    theorem = "chain rule and Pinsker; Feldman (2017), appendix B"
    return VstatDemand(demand / distance**2, demand, theorem)


def local_privacy_users(
    tau: float,
    epsilon: float,
    *,
    queries: int = 1,
    failure: float = 0.05,
    width: float = 2.0,
) -> SampleCount:
    """STAT(tau) from users who each answer one query by randomised response.

    n = (width k)^2 ln(2 q / failure) / (2 tau^2) users for each query, k = (e^epsilon + 1) /
    (e^epsilon - 1).  A user rounds the value to a bit and tells the other bit with probability
    1 / (e^epsilon + 1) (Warner 1965), which is epsilon-private and has mean 1/2 + (p - 1/2) / k;
    Hoeffding at radius tau / (width k).
    """
    if not 0 < epsilon < math.inf:
        raise BadInput(f"epsilon is {epsilon!r}; a privacy loss is positive and finite")
    gain = Fraction(1 / math.tanh(epsilon / 2) * (1 + ROUNDED))
    squared = (_size(width, "width") * gain / _size(tau, "tau")) ** 2
    count = math.ceil(squared * _logarithm(queries, failure) / 2)
    theorem = "randomised response (Warner 1965), Hoeffding (1963), theorem 2"
    assumes = f"values in an interval of width {width:g}, one query for each user"
    return SampleCount(count, queries, failure, False, theorem, assumes)


_ZUBKOV_SEROV = "Zubkov and Serov (2013), theorem 1"


def _size(value: float, name: str) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        raise BadInput(f"{name} is {value!r}; wanted a number")
    if not 0 < value < math.inf:
        raise BadInput(f"{name} is {value!r}; it must be a finite number > 0")
    return Fraction(value)


def _check(queries: int, failure: float) -> None:
    if queries < 1 or not 0 < failure < 1:
        raise BadInput(
            f"queries is {queries} and failure is {failure}; wanted at least 1 query and a "
            "probability strictly between 0 and 1"
        )


def _logarithm(queries: int, failure: float) -> Fraction:
    """ln(2 q / failure), rounded up."""
    _check(queries, failure)
    return Fraction((math.log(2 * queries) - math.log(failure)) * (1 + ROUNDED))


def _quantile(queries: int, failure: float) -> Fraction:
    """The z with Phi(z) = 1 - failure / (2 q), rounded up."""
    _check(queries, failure)
    return Fraction(float(-ndtri(failure / queries / 2)) * (1 + ROUNDED))


def _root_squared(a: Fraction, z: Fraction, c: Fraction) -> Fraction:
    """The square of the positive root s of a s^2 - z s - c = 0, rounded up."""
    root = math.sqrt(z * z + 4 * a * c) * (1 + ROUNDED)
    return ((z + Fraction(root)) / (2 * a)) ** 2
