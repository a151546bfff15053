"""Policies that look at the turn, at the function that was asked, or at the digits of the answer.

Like every policy they are functions of (window, rng) without state, held to the window by
`apply`; what they know beside the mean is the window's question.  This file does not know how
means are found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array, LowRank
from sqsim.oracles.policies import Policy, Window, policy_name
from sqsim.seeds import Role
from sqsim.seeds import rng as seeded


def drifting(*, period: float = 20.0) -> Policy:
    """Errors that wander slowly: for stretches of turns they lean one way and do not average out.

    The error of each entry is slack cos(phase + 2 pi turn / own period), with phases and own
    periods between `period` and twice it drawn from the oracle's seed: a function of (seed, turn)
    and of the shape of the answer alone.

    Parameters
    ----------
    period : float
        Turns after which an error may have the same sign again, at least 2.
    """
    if not 2 <= period < np.inf:
        raise BadInput(f"period is {period!r}; wanted a number of turns of at least 2")
    return _Drifting(float(period))


def quantised(bits: int, *, span: float = 1.0) -> Policy:
    """Answers of few bits: the multiple of span 2^(1 - bits) that is nearest to the mean.

    That is 2^bits steps from -span to span.  Where the window holds no such number the step is
    the largest power of two, times span, that is at most twice the slack, which reaches the
    window everywhere; where there is no slack the answer is the mean.
    """
    if isinstance(bits, bool) or not isinstance(bits, int) or not 1 <= bits <= 64:
        raise BadInput(f"bits is {bits!r}; wanted an integer from 1 to 64")
    if not 0 < span < np.inf:
        raise BadInput(f"span is {span!r}; wanted the size of answers, a finite number > 0")
    return _Quantised(bits, float(span))


def consistent(policy: Policy) -> Policy:
    """The same function within the same tolerance gets the same answer, whenever it is asked.

    The inner policy is called as if at turn 0 without a note, and draws from a stream that depends
    on the seed and on the marks of the function instead of the turn.  So nothing is remembered,
    and two functions that share all marks share a stream and no answer.  Means must not depend on
    the turn, as those of MonteCarlo do; `cached` remembers answers there.  Different functions are
    answered independently: E[f + g] need not be the sum of the answers for f and g.
    """
    if not callable(policy):
        raise BadInput(f"policy is {policy!r}; wanted a function such as uniform")
    return _Consistent(policy)


@final
@dataclass(frozen=True)
class _Drifting:
    period: float

    @property
    def name(self) -> str:
        return f"drifting(period={self.period:g})"

    def __call__(self, window: Window, rng: np.random.Generator) -> Array:
        question, shape = window.question, window.center.shape
        # Streams of unlike shapes differ in turn: errors of a vector and a scalar are not one.
        stream = seeded(question.seed, Role.POLICY, sum(shape) + len(shape))
        phases, rates = stream.random(shape), stream.uniform(0.5, 1.0, shape) / self.period
        part = np.asarray(np.cos(2 * np.pi * (phases + rates * question.turn)))
        if part.ndim == 2:
            part = np.triu(part) + np.triu(part, 1).T
        return np.asarray(window.center + window.slack * part)


@final
@dataclass(frozen=True)
class _Quantised:
    bits: int
    span: float

    @property
    def name(self) -> str:
        return f"quantised({self.bits} bits, span={self.span:g})"

    def __call__(self, window: Window, rng: np.random.Generator) -> Array:
        center, slack = window.center, window.slack
        coarse = _nearest(center, np.asarray(np.ldexp(self.span, 1 - self.bits)))
        with np.errstate(all="ignore"):
            doublings = np.clip(np.floor(np.log2(slack / self.span)) + 1, -2000, 2000)
            step = np.ldexp(self.span, np.where(slack > 0, doublings, 0).astype(int))
        fine = np.where(step > 0, _nearest(center, step), center)
        fits = (window.low <= coarse) & (coarse <= window.high)
        return np.where(fits, coarse, np.clip(fine, window.low, window.high))


@final
@dataclass(frozen=True)
class _Consistent:
    inner: Policy

    @property
    def name(self) -> str:
        return f"consistent({policy_name(self.inner)})"

    def __call__(self, window: Window, rng: np.random.Generator) -> Array | LowRank:
        question = window.question
        query = question.query
        if query is None:
            # A window made by hand: its shape is all that is known of the question.
            identity: tuple[Any, ...] = (window.center.shape,)
        else:
            identity = (
                type(query).__name__,
                type(query.form).__name__,
                query.shape(question.dimension),
                # Adding 0 makes -0 and 0 one mark.
                *(value + 0.0 for value in query.mark(question.dimension)),
                repr(window.tolerance),
            )
        digest = blake2b(repr(identity).encode(), digest_size=8).digest()
        stream = seeded(question.seed, Role.POLICY, int.from_bytes(digest, "big"))
        timeless = replace(question, turn=0, note={})
        return self.inner(Window(window.mean, window.tolerance, timeless), stream)


def _nearest(center: Array, step: Array) -> Array:
    """The nearest multiple of a step; the number itself where that overflows."""
    with np.errstate(all="ignore"):
        rounded = step * np.rint(center / step)
    return np.where(np.isfinite(rounded), rounded, center)
