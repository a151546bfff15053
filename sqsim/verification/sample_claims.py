"""Entries on simulation: how many examples, users or other queries answer for an oracle."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, poisson

from sqsim.lowerbounds.quantities import Rational
from sqsim.lowrank import Array
from sqsim.oracles.local_protocols import RespondingChannel, local_simulation_cost
from sqsim.oracles.sample_counts import (
    local_privacy_users,
    median_of_means_samples,
    one_bit_by_vstat,
    stat_samples,
    vstat_by_one_bit,
    vstat_samples,
)
from sqsim.queries import Opaque, Statistic
from sqsim.verification.conditions import exactly, joined, near, rounded
from sqsim.verification.entry import Entry, Finding, close, within

FELDMAN = "Feldman (2017)"
GRID = np.linspace(0.0, 1.0, 20_001)


def _hoeffding(constant: Fraction) -> Finding:
    found = stat_samples(0.1, queries=10, failure=0.05).samples
    # Twice the probability of one tail is at most 2 exp(-n tau^2 / 2), and 1 / 200 is allowed.
    bound = 2 * math.exp(-found * 0.1**2 / 2)
    before = 2 * math.exp(-(found - 1) * 0.1**2 / 2)
    return joined(exactly(constant, found), bound <= 0.005 < before)


def _loose_bernstein(constant: Fraction) -> Finding:
    root = brentq(lambda c: math.sqrt(2 / c) + 2 / (3 * c) - 1, 1.0, 10.0, xtol=1e-14)
    closed = (4 / 3) ** 2 / (math.sqrt(2 + 8 / 3) - math.sqrt(2)) ** 2
    return joined(rounded(constant, root, digits=4), near(root, closed))


def _bernstein(constant: Fraction) -> Finding:
    """The least C with e^2 / (2 (p(1 - p) + e / 3)) >= 1 / (C t), e the window at p."""
    t = 50.0
    error = np.maximum(1 / t, np.sqrt(GRID * (1 - GRID) / t))
    worst = float((2 * (GRID * (1 - GRID) + error / 3) / error**2 / t).max())
    # p (1 - p) <= t e^2 and e <= t e^2, both with equality where p (1 - p) = 1/t.
    p = (1 - math.sqrt(1 - 4 / t)) / 2
    attained = 2 * (p * (1 - p) + 1 / (3 * t)) * t
    count = vstat_samples(t, failure=0.1).samples
    expected = 8 / 3 * t * math.log(20)
    return joined(
        within(constant, Rational(Fraction(8, 3)), digits=6),
        near(worst, 8 / 3, 1e-3),
        near(attained, 8 / 3),
        0 <= count - expected < 1,
    )


def _poisson_failure(constant: Fraction) -> Finding:
    """The largest P(|average - p| > e), n = 3.2 t ln 20, for t -> infinity and p t = m fixed.

    The count is Poisson(n m / t) and tails jump, so every jump is tried from its worse side.
    """
    rate = 3.2 * math.log(20)
    worst = 0.0
    for sign in (-1, 1):
        for count in range(1, 200):

            def edge(m: float, sign: int = sign, count: int = count) -> float:
                return rate * (m + sign * _spread(m)) - count

            if edge(1e-9) * edge(40.0) >= 0:
                continue
            m = float(brentq(edge, 1e-9, 40.0, xtol=1e-13))
            nearer = m * (1 - 1e-9) if sign > 0 else m * (1 + 1e-9)
            law = poisson(rate * nearer)
            low = rate * (nearer - _spread(nearer))
            high = rate * (nearer + _spread(nearer))
            tails = float(law.sf(math.floor(high)))
            if low > 0:
                tails += float(law.cdf(math.ceil(low) - 1))
            worst = max(worst, tails)
    finite = _binomial_failure(1000.0)
    return joined(rounded(constant, worst, digits=3, error=1e-6), finite <= worst <= 0.1)


def _spread(m: float) -> float:
    return max(1.0, math.sqrt(m))


def _binomial_failure(t: float) -> float:
    n = math.ceil(3.2 * t * math.log(20))
    p = np.linspace(0, 1, 2001)[1:-1]
    error = np.maximum(1 / t, np.sqrt(p * (1 - p) / t))
    above = binom.sf(np.floor(n * (p + error)), n, p)
    below = binom.cdf(np.ceil(n * (p - error)) - 1, n, p)
    return float((above + below).max())


def _one_bit(constant: Fraction) -> Finding:
    demand = one_bit_by_vstat(10, bits=1, distance=0.05)
    return joined(rounded(constant, demand.t, digits=6), demand.queries == 20)


def _divergence(constant: Fraction) -> Finding:
    """The largest (s + 1)^2 / (a + s + 1) over |s| <= max(1, sqrt a), a >= 0."""
    a = np.linspace(0, 30, 3001)[:, None]
    s = np.linspace(-1, 1, 801)[None, :] * np.maximum(1.0, np.sqrt(a))
    below = a + s + 1
    values = np.divide((s + 1) ** 2, below, out=np.zeros_like(below), where=below > 1e-12)
    return rounded(constant, float(values.max()), digits=6)


def _medians(constant: Fraction) -> Finding:
    """Examples of a median of means over ln(2 / delta) / tau^2, where rounding no longer counts."""
    tau, delta = 1e-4, 1e-250
    found = median_of_means_samples(tau, failure=delta)
    share = found.samples * tau**2 / math.log(2 / delta)
    # Groups of 6 / tau^2, each high with probability 1/7; half of them, by Chernoff's bound.
    closed = 6 / (math.log(49 / 24) / 2)
    return joined(close(constant, share, error=1e-3), near(share, closed, 3e-3))


def _by_one_bit(constant: Fraction) -> Finding:
    """Bits for 10 queries to VSTAT(100), failure 0.05 in all, and the tails at the worst p."""
    found = vstat_by_one_bit(100.0, queries=10, failure=0.05)
    n = found.samples
    p = np.linspace(0, 1, 2001)[1:-1]
    error = np.maximum(1 / 100, np.sqrt(p * (1 - p) / 100))
    tails = binom.sf(np.floor(n * (p + error)), n, p)
    tails = tails + binom.cdf(np.ceil(n * (p - error)) - 1, n, p)
    return joined(exactly(constant, found.total), float(tails.max()) <= 0.005)


def _private_users(constant: Fraction) -> Finding:
    found = local_privacy_users(0.1, 1.0, failure=0.05, width=1.0).samples
    gain = (math.e + 1) / (math.e - 1)
    stated = math.ceil(gain**2 * math.log(40) / (2 * 0.01))
    return joined(exactly(constant, found), found == stated)


def _acceptance(constant: Fraction) -> Finding:
    """The mean over reports of v e^-eps, whatever the example: rejection keeps 1 in e^eps."""
    epsilon, found = 1.0, []
    for value in (0.0, 1.0):

        def bit(x: Array, y: Array, value: float = value) -> Array:
            return np.full(len(x), value)

        channel = RespondingChannel(Statistic(Opaque(bit)), epsilon)
        law = (math.e / (1 + math.e), 1 / (1 + math.e))
        ratios = [float(channel.ratio(w, np.zeros((1, 1)), np.zeros(1))[0]) for w in (0, 1)]
        found.append(sum(p * v for p, v in zip(law, ratios, strict=True)) / math.e)
    cost = local_simulation_cost(users=100, epsilon=epsilon, failure=0.05)
    return joined(
        rounded(constant, found[0], digits=6),
        near(found[0], found[1]),
        near(cost.queries, 100 / found[0] / (1 - cost.tau)),
    )


SAMPLE_CLAIMS: tuple[Entry, ...] = (
    Entry(
        "kearns.samples",
        "STAT(0.1), 10 queries, failure 0.05: 2 ln(2q / delta) / tau^2 = 1199 examples",
        "Hoeffding (1963), theorem 2",
        "the library's count; the inequality at it and one below it",
        "1199",
        _hoeffding,
    ),
    Entry(
        "fgrvx.bernstein-root",
        "sqrt(2 / c) + 2 / (3 c) <= 1 if and only if c >= 3.194",
        "Bernstein's inequality in its solved form; value of this project's specification",
        "root by bisection and in closed form",
        "3.194",
        _loose_bernstein,
    ),
    Entry(
        "fgrvx.vstat-samples",
        "Bernstein's inequality gives VSTAT(t) from n = c t ln(2q / delta) with c = 3.194",
        "this project's specification; c = 8/3 is the least, without solving it: computed here",
        "worst exponent over a grid of p; the p where both terms are largest; the library's count",
        "3.194",
        _bernstein,
        truth="8/3",
    ),
    Entry(
        "fgrvx.vstat-failure",
        "n = 3.2 t ln 20 (delta = 0.1) fails with probability 0.00405 at most, t -> infinity",
        "number computed here; the specification measured 0.0035 on a grid",
        "all jumps of the Poisson limit; binomial tails at t = 1000 stay below",
        "0.00405",
        _poisson_failure,
    ),
    Entry(
        "feldman.one-bit-by-vstat",
        "10 queries to 1-STAT(1) up to 0.05 in distance: 20 queries to VSTAT(8000)",
        f"{FELDMAN}, appendix B; n 2^b / delta^2",
        "the library's demand, whose constant is the entry after this one",
        "8000",
        _one_bit,
    ),
    Entry(
        "feldman.one-bit-divergence",
        "one answered value costs a divergence of at most 2 / t",
        f"{FELDMAN}, appendix B; constant derived for this index",
        "maximum over a grid of probabilities and lawful answers",
        "2",
        _divergence,
    ),
    Entry(
        "sq.median-of-means",
        "queries of variance 1 within tau: 16.81 ln(2q / delta) / tau^2 examples",
        "median of means; constant derived for this index",
        "the library's count at a tiny failure; 6 over the divergence of 1/2 and 1/7",
        "16.81",
        _medians,
    ),
    Entry(
        "feldman.vstat-by-one-bit",
        "10 queries to VSTAT(100), failure 0.05, by 12430 queries to 1-STAT(1)",
        f"{FELDMAN}, appendix B: O(q m log(q / delta)); count computed here",
        "the library's count; exact binomial tails over a grid of p",
        "12430",
        _by_one_bit,
    ),
    Entry(
        "klnrs.randomised-response",
        "bits within 0.1, eps = 1, failure 0.05: ((e + 1)/(e - 1))^2 ln 40 / 0.02 -> 864 users",
        "Kasiviswanathan, Lee, Nissim, Raskhodnikova and Smith (2011); Warner (1965)",
        "the library's count; the formula",
        "864",
        _private_users,
    ),
    Entry(
        "klnrs.rejection",
        "simulating a 1-private report keeps a draw with probability e^-1 = 0.367879",
        "Kasiviswanathan, Lee, Nissim, Raskhodnikova and Smith (2011), section 5",
        "mean over both reports of randomised response, for either bit; the promised cost",
        "0.367879",
        _acceptance,
    ),
)
