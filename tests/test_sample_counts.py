"""Sample sizes against exact binomial tails, and against samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from sqsim.errors import BadInput
from sqsim.oracles.sample_counts import (
    honest_samples,
    local_privacy_users,
    median_of_means_samples,
    one_bit_by_vstat,
    one_bit_samples,
    stat_samples,
    stat_samples_of_bits,
    vstat_by_one_bit,
    vstat_samples,
    vstat_samples_of_bits,
)


def failure(n, p, radius):
    """P(|X / n - p| > radius) for X ~ Bin(n, p), ties within rounding not counted."""
    above = np.floor(n * (p + radius) + 1e-9)
    below = np.ceil(n * (p - radius) - 1e-9)
    return binom.sf(above, n, p) + binom.cdf(below - 1, n, p)


def worst_stat(n, half):
    """The largest over p, which is at a jump of the window."""
    k = np.arange(n + 1) / n
    jumps = np.concatenate([k + half, k - half])
    p = np.concatenate([jumps + shift for shift in (-1e-12, 0, 1e-12)])
    p = np.append(p[(p > 0) & (p < 1)], 0.5)
    return float(failure(n, p, half).max())


def worst_vstat(n, t):
    p = np.concatenate([np.geomspace(1e-3 / t, 0.5, 3000), np.linspace(0.5 / t, 10 / t, 3000)])
    p = p[p < 1]
    return float(failure(n, p, np.maximum(1 / t, np.sqrt(p * (1 - p) / t))).max())


@pytest.mark.parametrize("delta", [0.2, 0.05, 1e-3, 1e-6])
@pytest.mark.parametrize("tau", [0.3, 0.1, 0.05])
def test_stat_counts_keep_their_promise(tau, delta):
    """At the worst probability; the count of bits is near the smallest that does."""
    sharp = stat_samples_of_bits(tau, failure=delta).samples
    plain = stat_samples(tau, failure=delta).samples
    assert worst_stat(sharp, tau / 2) <= delta
    assert worst_stat(plain, tau / 2) <= delta
    assert sharp < plain or tau > 0.1
    if delta <= 0.05 and tau <= 0.1:
        shortest = range(int(sharp / 1.3) - 30, int(sharp / 1.3))
        assert all(worst_stat(n, tau / 2) > delta for n in shortest)


@pytest.mark.parametrize("delta", [0.2, 0.05, 1e-3, 1e-6])
@pytest.mark.parametrize("t", [5, 30, 400])
def test_vstat_counts_keep_their_promise(t, delta):
    """At the worst probability; 8/3 where Bernstein's usual form gives 3.2."""
    sharp, plain = vstat_samples_of_bits(t, failure=delta), vstat_samples(t, failure=delta)
    assert worst_vstat(sharp.samples, t) <= delta
    assert worst_vstat(plain.samples, t) <= delta
    assert plain.samples == pytest.approx(8 / 3 * t * math.log(2 / delta), abs=1)
    assert plain.samples < 3.2 * t * math.log(2 / delta)


def test_many_queries_cost_a_logarithm():
    """The failure is shared out evenly."""
    for count in (stat_samples, stat_samples_of_bits, median_of_means_samples):
        together = count(0.1, queries=1000, failure=0.05).samples
        assert together == count(0.1, failure=0.05 / 1000).samples
        assert count(0.1, queries=1000).total == together
    alone = honest_samples(0.1, queries=1000)
    assert alone.total == 1000 * alone.samples == 1000 * stat_samples(0.1, queries=1000).samples
    bits = one_bit_samples(0.1, queries=7)
    assert bits.total == 7 * stat_samples_of_bits(0.1, queries=7).samples
    assert vstat_by_one_bit(9.0, queries=4).total == (
        4 * vstat_samples_of_bits(9.0, queries=4).samples
    )


def test_the_limit_of_bits_is_the_normal_one():
    """z^2 / tau^2 at width 2: nothing is given away but rounding, at any tolerance."""
    z = norm.isf(0.05 / 2)
    found = stat_samples_of_bits(1e-9, failure=0.05).samples
    assert found == pytest.approx((z / 1e-9) ** 2, rel=1e-8)
    assert stat_samples(5e-200).samples > 10**398


@pytest.mark.parametrize("degrees", [3, 4])
def test_a_median_of_means_needs_a_variance_only(degrees):
    """Student's t has no range and hardly a variance; misses stay below the promise."""
    delta, tau, runs = 0.1, 0.5, 2000
    found = median_of_means_samples(tau, failure=delta)
    group = found.samples // found.groups
    assert group * found.groups == found.samples
    rng = np.random.default_rng(degrees)
    values = rng.standard_t(degrees, (runs, found.groups, group))
    values /= math.sqrt(degrees / (degrees - 2))
    misses = int((np.abs(np.median(values.mean(axis=2), axis=1)) > tau).sum())
    # The chance of so many misses, were the promise broken, is below 10^-6.
    assert misses <= binom.ppf(1 - 1e-6, runs, delta)
    assert found.samples == pytest.approx(16.8 * math.log(2 / delta) / tau**2, rel=0.2)


def test_a_median_of_means_is_proved_by_binomial_tails():
    """Each side: half of the groups off, each with probability at most 1/7."""
    for delta in (0.2, 1e-2, 1e-6):
        k = median_of_means_samples(0.1, failure=delta).groups
        assert 2 * binom.sf(math.ceil(k / 2) - 1, k, 1 / 7) <= delta


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.0])
def test_randomised_response_keeps_its_promise(epsilon):
    """Reports are binomial, and their debiased mean is within tau at the worst probability."""
    tau, delta = 0.3, 0.05
    found = local_privacy_users(tau, epsilon, failure=delta)
    gain = (math.exp(epsilon) + 1) / (math.exp(epsilon) - 1)
    assert found.samples == pytest.approx(2 * gain**2 * math.log(2 / delta) / tau**2, abs=1)
    truth = np.linspace(0, 1, 501)
    reported = 0.5 + (truth - 0.5) / gain
    assert failure(found.samples, reported, tau / 2 / gain).max() <= delta
    assert not found.shared


def test_bits_are_private():
    """A report's probability changes by e^epsilon at most, whatever the user's value."""
    flip = 1 / (math.exp(1.0) + 1)
    assert (1 - flip) / flip == pytest.approx(math.exp(1.0))


def test_one_bit_answers_by_vstat_are_near_in_kl():
    """The term of the proof, at every lawful answer: at most 2 / t."""
    found = one_bit_by_vstat(50, bits=3, distance=0.1)
    assert (found.t, found.queries) == (pytest.approx(50 * 8 / 0.01), 400)
    a = np.concatenate([[0.0], np.geomspace(1e-4, 1e6, 400)])[:, None]
    reach = np.maximum(1.0, np.sqrt(a))
    v = np.maximum(a + reach * np.linspace(-1, 1, 201), 0.0)
    w = v + 1
    assert ((a - w) ** 2 / w).max() <= 2 + 1e-12


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: stat_samples(0.0),
        lambda: stat_samples(math.nan),
        lambda: stat_samples(0.1, queries=0),
        lambda: stat_samples_of_bits(0.1, failure=1.0),
        lambda: stat_samples(0.1, width=-1.0),
        lambda: vstat_samples(math.inf),
        lambda: local_privacy_users(0.1, 0.0),
        lambda: one_bit_by_vstat(0),
        lambda: median_of_means_samples(True),
    ],
)
def test_bad_numbers_are_refused(wrong):
    with pytest.raises(BadInput):
        wrong()
