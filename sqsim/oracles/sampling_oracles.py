"""Oracles that answer from samples: honest, unbiased, and STAT with a promise that may fail.

Unlike the oracles of `simulated`, they are not certain: what they promise is a Guarantee, with a
probability of failure.  This file does not know learners, and there is no adversary in it.
"""

from __future__ import annotations

from typing import Any

from sqsim.bounded import Stat, VStat
from sqsim.errors import BadInput
from sqsim.guarantee import Guarantee, positive_count, probability
from sqsim.oracles.averages import Average, AverageOfBits, MedianOfMeans, PlainAverage
from sqsim.oracles.binomial import (
    bits_needed,
    blocks_needed,
    enough_bits,
    enough_variance_bits,
    variance_bits_needed,
)
from sqsim.oracles.entries import Range, check_clip
from sqsim.oracles.sample_counts import stat_samples, vstat_samples
from sqsim.oracles.sampled import SampledOracle, Sharing
from sqsim.seeds import Role, Seed
from sqsim.tolerance import Absolute, RootMeanSquare, Tolerance


def honest(instance: Any, *, samples: int, failure: float = 0.05, seed: Seed = 0) -> SampledOracle:
    """Honest SQ of Yang (2001): the average over `samples` fresh examples for every query.

    No adversary and no clipping.  By Chebyshev an answer is within ||phi|| / sqrt(samples failure)
    of its mean with probability 1 - failure, each answer by itself: that tolerance is what the
    ledger counts.  phi must have a second moment for the promise to say anything.

    Parameters
    ----------
    instance : Instance or Dataset
    samples : int
        Examples for each query; the scalars of a vector query share them.
    failure : float
        Probability that one answer misses the tolerance that is booked.
    seed : int
        Two oracles of this kind are independent only with different seeds; oracles of different
        kinds share nothing at one seed.
    """
    return _averaging(instance, "honest SQ", samples, failure, Sharing.QUERY, seed, Role.HONEST)


def unbiased(
    instance: Any, *, samples: int, failure: float = 0.05, seed: Seed = 0
) -> SampledOracle:
    """Answers of the right mean given all earlier rounds: one fresh sample for each round.

    The queries of a round share their examples, so that their errors depend on each other; each
    has the law of an honest answer.  Promise and parameters are those of `honest`.
    """
    return _averaging(instance, "unbiased SQ", samples, failure, Sharing.ROUND, seed, Role.UNBIASED)


def fresh_stat(
    instance: Any,
    *,
    tolerance: Tolerance,
    failure: float,
    queries: int,
    clip: float | None = None,
    rounded: bool = True,
    samples: int | None = None,
    seed: Seed = 0,
) -> SampledOracle:
    """STAT from fresh examples: all answers within the tolerance with probability 1 - failure.

    Holds for any adaptivity, since every query has examples of its own; the scalars of a vector
    query share them, by the union bound over all scalars.

    Parameters
    ----------
    tolerance : Absolute, Stat, VStat or RootMeanSquare
        Absolute needs `clip`; Stat and VStat need queries that declare their range.
        RootMeanSquare(tau) is answered by a median of means, within tau ||phi|| for every phi of
        finite second moment, and needs no range.
    failure : float
        Probability that any answer misses.
    queries : int
        Scalar answers in the run; what is asked beyond them voids the promise in the Result.
    clip : float, optional
        Values are clipped to [-clip, clip], and answers are about the clipped query.
    rounded : bool
        Round every value at random to -clip or clip, which makes the count of examples exact
        (binomial).  False: plain averages, which are nearer for queries of small variance, with
        Hoeffding's 2 clip^2 ln(2 queries / failure) / tau^2 examples, or Bernstein's
        (8/3) n ln(2 queries / failure) for VStat(n).
    samples : int, optional
        More examples than the promise needs; fewer are refused.
    seed : int
        Two oracles of this kind are independent only with different seeds.
    """
    rule, guarantee = _promise(tolerance, failure, queries, clip, rounded, samples)
    return SampledOracle(
        _checked(instance),
        "STAT from fresh examples",
        rule,
        Sharing.QUERY,
        guarantee,
        seed,
        Role.FRESH,
    )


def reused_stat(
    instance: Any,
    *,
    tolerance: Tolerance,
    failure: float,
    queries: int,
    clip: float | None = None,
    rounded: bool = False,
    samples: int | None = None,
    seed: Seed = 0,
) -> SampledOracle:
    """STAT from one sample that serves every query of the run: for one round only.

    The parameters are those of `fresh_stat`.  From the second round on, questions depend on the
    sample and the promise is void, which the Result says; see `reusable_holdout`.
    """
    rule, guarantee = _promise(tolerance, failure, queries, clip, rounded, samples, rounds=1)
    return SampledOracle(
        _checked(instance),
        "STAT from one reused sample",
        rule,
        Sharing.RUN,
        guarantee,
        seed,
        Role.REUSED,
    )


def _averaging(
    instance: Any,
    access: str,
    samples: int,
    failure: float,
    sharing: Sharing,
    seed: Seed,
    role: Role,
) -> SampledOracle:
    positive_count(samples, "samples")
    probability(failure, "failure")
    tolerance = RootMeanSquare((samples * failure) ** -0.5)
    guarantee = Guarantee(tolerance, failure, f"Chebyshev, {samples} examples")
    rule = PlainAverage(samples)
    return SampledOracle(_checked(instance), access, rule, sharing, guarantee, seed, role)


def _promise(
    tolerance: Tolerance,
    failure: float,
    queries: int,
    clip: float | None,
    rounded: bool,
    samples: int | None,
    *,
    rounds: int | None = None,
) -> tuple[Average, Guarantee]:
    probability(failure, "failure")
    positive_count(queries, "queries")
    share = failure / queries
    if isinstance(tolerance, RootMeanSquare):
        blocks, size = blocks_needed(tolerance.tau, share)
        if samples is not None:
            size = max(size, _enough(samples, blocks * size) // blocks)
        theorem = f"median of {blocks} means of {size} examples"
        rule: Average = MedianOfMeans(blocks, size)
        return rule, Guarantee(tolerance, failure, theorem, queries, rounds)
    within, about = _range(tolerance, clip)
    needed, theorem = _needed(tolerance, share, within, rounded)
    count = needed if samples is None else _enough(samples, needed)
    if rounded and count > needed:
        _check_tails(count, needed, tolerance, share, within)
    rule = AverageOfBits(count, within) if rounded else PlainAverage(count, within)
    theorem = f"{theorem}, {count} examples"
    return rule, Guarantee(tolerance, failure, theorem, queries, rounds, about)


def _range(tolerance: Tolerance, clip: float | None) -> tuple[Range, str]:
    """What values are clipped to, and what answers are then about."""
    if isinstance(tolerance, Stat | VStat):
        if clip is not None:
            raise BadInput(
                f"{tolerance!r} has the range {tolerance.domain} of its own; leave out clip, or "
                "ask for Absolute(tau)"
            )
        return tolerance.domain, "E[phi]"
    if not isinstance(tolerance, Absolute):
        raise BadInput(
            f"tolerance is {tolerance!r}; sampling answers within Absolute(tau) with a clip, "
            "Stat(tau), VStat(n), or RootMeanSquare(tau)"
        )
    within = check_clip(
        clip,
        f"{tolerance!r} is a promise about bounded queries",
        otherwise=", or ask for RootMeanSquare(tau), which a median of means answers without one",
    )
    return within, f"E[phi], phi clipped to [{within[0]:g}, {within[1]:g}]"


def _needed(tolerance: Tolerance, share: float, within: Range, rounded: bool) -> tuple[int, str]:
    """Examples for one scalar, and the reason."""
    if isinstance(tolerance, VStat):
        if rounded:
            return variance_bits_needed(tolerance.n, share), "exact binomial tails"
        return vstat_samples(tolerance.n, failure=share).samples, "Bernstein"
    half_width = tolerance.tau / (within[1] - within[0])
    if rounded:
        return bits_needed(half_width, share), "exact binomial tails"
    return stat_samples(half_width, failure=share, width=1.0).samples, "Hoeffding"


def _enough(given: int, needed: int) -> int:
    positive_count(given, "samples")
    if given < needed:
        raise BadInput(
            f"samples is {given} and the promise needs {needed}; use at least {needed}, a coarser "
            "tolerance or a larger failure"
        )
    return given


def _check_tails(
    count: int, needed: int, tolerance: Tolerance, share: float, within: Range
) -> None:
    """Refuse a count above the needed one at which the exact tails are larger than there."""
    if isinstance(tolerance, VStat):
        kept = enough_variance_bits(count, tolerance.n, share)
    else:
        kept = enough_bits(count, tolerance.tau / (within[1] - within[0]), share)
    if not kept:
        raise BadInput(
            f"samples is {count}, which by the steps of the exact tails fails more often than "
            f"{share:g} although {needed} does not; use {needed}, or some more than {count}"
        )


def _checked(instance: Any) -> Any:
    if not hasattr(instance, "problem"):
        raise BadInput(
            f"an oracle is made of an instance or a Dataset, not {type(instance).__name__}"
        )
    return instance
