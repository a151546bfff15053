"""How many examples a promise needs, from exact binomial tails.  This file knows no queries.

Tails are regularised incomplete beta functions in double precision.  The worst case over the
unknown probability p is bounded from above on cells [a, b] of a grid: P_p(X > n(p + r(p))) <=
P_b(X > n(a + r(a))), since the tail grows with p and so does p + r(p); likewise below.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.special import betainc, betaincc

from sqsim.guarantee import positive_number, probability
from sqsim.lowrank import Array
from sqsim.oracles.sample_counts import (
    stat_samples,
    stat_samples_of_bits,
    vstat_samples,
    vstat_samples_of_bits,
)

_FINE, _COARSE = 200, 40
"""Cells per half-width: the count comes out about 2 / cells larger than the smallest."""
SMALLEST = 2e-4
"""Half-widths below this are left to closed forms, since the search would take seconds."""


def failure_of_bits(count: int, half_width: float, *, low: float = 0.0, high: float = 1.0) -> float:
    """At least sup over p in [low, high] of P(|X / n - p| > half_width), X ~ Bin(n, p)."""
    if half_width >= 1:
        return 0.0
    if math.isclose(low + high, 1.0):
        high = max(low, 0.5)
    cells = _FINE if half_width > 0.005 else _COARSE
    edges = np.linspace(low, high, 1 + max(1, math.ceil((high - low) * cells / half_width)))
    return _worst(count, edges, lambda p: np.full_like(p, half_width))


def failure_of_variance_bits(count: int, size: float) -> float:
    """At least sup over p of P(|X / n - p| > max(1/t, sqrt(p (1 - p) / t))), t = size."""
    # In p = sin^2(angle), cells of one width are 1/100 of sqrt(p (1 - p) / t) wide.
    angles = np.linspace(0.0, np.pi / 4, 2 + math.ceil(50 * np.pi * math.sqrt(size)))
    return _worst(
        count,
        np.sin(angles) ** 2,
        lambda p: np.maximum(1 / size, np.sqrt(np.maximum(p * (1 - p), 0.0) / size)),
    )


def _worst(count: int, edges: Array, radius: Callable[[Array], Array]) -> float:
    first, last = edges[:-1], edges[1:]
    slack = 1e-12 * count + 1e-9
    over = np.floor(count * (first + radius(first)) - slack) + 1
    under = np.ceil(count * (last - radius(last)) + slack) - 1
    total = _at_least(count, over, last) + _at_most(count, under, first)
    return float(np.max(total))


def _at_least(count: int, least: Array, p: Array) -> Array:
    """P(X >= least) for X ~ Bin(count, p)."""
    inside = np.clip(least, 1, count)
    tail = betainc(inside, count - inside + 1, p)
    return np.asarray(np.where(least <= 0, 1.0, np.where(least > count, 0.0, tail)))


def _at_most(count: int, most: Array, p: Array) -> Array:
    """P(X <= most) for X ~ Bin(count, p); not as 1 - P(X > most), which is never below 1e-16."""
    inside = np.clip(most, 0, count - 1)
    tail = betaincc(inside + 1, count - inside, p)
    return np.asarray(np.where(most < 0, 0.0, np.where(most >= count, 1.0, tail)))


@lru_cache(maxsize=256)
def bits_needed(half_width: float, failure: float, low: float = 0.0, high: float = 1.0) -> int:
    """Examples for which the mean of bits misses by > half_width with probability <= failure.

    Never more than Hoeffding's ln(2 / failure) / (2 half_width^2); 10 to 50 % fewer.  `low` and
    `high` bound the mean, as randomised response does.
    """
    positive_number(half_width, "half_width")
    probability(failure, "failure")
    closed = (stat_samples, stat_samples_of_bits)
    enough = min(count(half_width, failure=failure, width=1.0).samples for count in closed)
    if half_width < SMALLEST:
        return enough
    return least(enough, failure, lambda n: failure_of_bits(n, half_width, low=low, high=high))


@lru_cache(maxsize=256)
def variance_bits_needed(size: float, failure: float) -> int:
    """Examples that answer VSTAT(size) on bits of unknown mean with probability >= 1 - failure.

    Never more than Bernstein's (8/3) size ln(2 / failure).
    """
    positive_number(size, "size")
    probability(failure, "failure")
    closed = (vstat_samples, vstat_samples_of_bits)
    enough = min(count(size, failure=failure).samples for count in closed)
    if size > 1 / SMALLEST**2:
        return enough
    return least(enough, failure, lambda n: failure_of_variance_bits(n, size))


def enough_bits(
    count: int, half_width: float, failure: float, low: float = 0.0, high: float = 1.0
) -> bool:
    """Whether so many bits keep the promise of `bits_needed`: tails do not always fall with n."""
    closed = (stat_samples, stat_samples_of_bits)
    sure = min(c(half_width, failure=failure, width=1.0).samples for c in closed)
    return count >= sure or failure_of_bits(count, half_width, low=low, high=high) <= failure


def enough_variance_bits(count: int, size: float, failure: float) -> bool:
    """The same for `variance_bits_needed`."""
    closed = (vstat_samples, vstat_samples_of_bits)
    sure = min(c(size, failure=failure).samples for c in closed)
    return count >= sure or failure_of_variance_bits(count, size) <= failure


def least(enough: int, failure: float, missing: Callable[[int], float]) -> int:
    """A count below `enough` that is checked, near the smallest by bisection."""
    short = 0
    while enough - short > max(1, enough // 500):
        middle = (short + enough) // 2
        if missing(middle) <= failure:
            enough = middle
        else:
            short = middle
    return enough


@lru_cache(maxsize=256)
def blocks_needed(tau: float, failure: float) -> tuple[int, int]:
    """(blocks, examples in a block) for a median of means within tau ||phi||.

    A block of m examples has a mean of variance <= ||phi||^2 / m.  With a = 1 / (m tau^2), it is
    off to one side by tau ||phi|| with probability <= a / (1 + a) (Cantelli) and to either with
    <= a (Chebyshev).  The median of k blocks, k odd, is off only if (k + 1) / 2 blocks are off to
    its side; the tail T of Bin(k, .) is convex below 1/2, so the sum over the two sides is at most
    T(a / (1 + a)) + T(a^2 / (1 + a)).  The pair with the fewest examples is chosen among those with
    a <= 0.15, where Cantelli's bound is near what a rare large value does; more than one block.
    """
    positive_number(tau, "tau")
    probability(failure, "failure")
    best = (1, math.ceil(1 / (failure * tau**2)))
    for blocks in range(3, 3 + 2 * math.ceil(8 * math.log(2 / failure)), 2):
        rate = min(_block_rate(blocks, failure), 0.15)
        size = math.ceil(1 / (rate * tau**2))
        if blocks * size < best[0] * best[1]:
            best = (blocks, size)
    return best


def failure_of_blocks(blocks: int, rate: float) -> float:
    """The bound of `blocks_needed` for a = rate <= 1."""
    tail = _at_least(
        blocks,
        np.full(2, (blocks + 1) // 2, dtype=np.float64),
        np.array([rate / (1 + rate), rate**2 / (1 + rate)]),
    )
    return float(tail.sum())


def _block_rate(blocks: int, failure: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if failure_of_blocks(blocks, middle) <= failure:
            low = middle
        else:
            high = middle
    return low
