"""Whether an answer is inside its window, entry by entry.

This file does not know where the mean comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, final

import numpy as np

from sqsim.audit.families import set_sums
from sqsim.audit.independent import IndependentMean
from sqsim.lowrank import Array, EntryNorms, LowRank, dense
from sqsim.partitions import JointStat
from sqsim.tolerance import L2, Absolute, Mean, RootMeanSquare, Tolerance

ROUNDING = 4 * 2.0**-53
BLOCK = 2_000_000
"""Entries of a matrix that are looked at together."""


@final
@dataclass(frozen=True)
class Worst:
    """The entry that is furthest out, in units of its radius; or the sum over the cells `entry`."""

    part: float
    entry: tuple[int, ...]
    answer: float
    mean: tuple[float, float]
    radius: float
    what: str = "entry"


@final
@dataclass(frozen=True)
class Verdict:
    """How many entries of an answer are outside their windows, and the worst of all."""

    entries: int
    outside: int
    edges: int
    worst: Worst


def judged(answer: Any, found: IndependentMean, tolerance: Tolerance) -> Verdict:
    """Compare every entry of an answer with its window.

    An entry is outside if it is so wherever the mean and the norm are in what their errors allow;
    it is at the edge if it may be on either side.  Of a multi-valued answer the sum over every set
    of the family is compared too.
    """
    exact = _exactly(answer, found, tolerance)
    if exact is not None:
        return exact
    verdicts = [
        _block(start, rows, mean, found, tolerance)
        for start, rows, mean in _blocks(answer, found.mean)
    ]
    if isinstance(tolerance, JointStat):
        verdicts += _sums(answer, found.mean, tolerance)
    worst = max((one.worst for one in verdicts), key=lambda one: one.part)
    return Verdict(
        sum(one.entries for one in verdicts),
        sum(one.outside for one in verdicts),
        sum(one.edges for one in verdicts),
        worst,
    )


def _sums(answer: Any, mean: Mean, tolerance: JointStat) -> list[Verdict]:
    verdicts = []
    for one in set_sums(answer, mean, tolerance):
        ends = (one.probability - one.error, one.probability + one.error)
        worst = Worst(one.part, one.cells, one.said, ends, one.most, "the sum over cells")
        verdicts.append(Verdict(1, int(one.outside), int(one.edge), worst))
    return verdicts


def _exactly(answer: Any, found: IndependentMean, tolerance: Tolerance) -> Verdict | None:
    """In rational numbers, for a scalar whose mean is known in many digits."""
    if found.exact is None or type(tolerance) not in (Absolute, L2, RootMeanSquare):
        return None
    if not np.isfinite(answer):
        return None
    low, high, least, most = found.exact
    value, tau = Fraction(float(answer)), Fraction(tolerance.tau)
    near = max(low - value, value - high, Fraction(0))
    far = max(abs(value - low), abs(value - high))
    outside = near**2 > tau**2 * most
    edge = not outside and far**2 > tau**2 * max(least, Fraction(0))
    radius = tolerance.tau * float(np.sqrt(float(most)))
    part = float(far) / radius if radius else float(far > 0)
    worst = Worst(part, (), float(answer), (float(low), float(high)), radius)
    return Verdict(1, int(outside), int(edge), worst)


def _blocks(answer: Any, mean: Mean) -> Iterator[tuple[int, Array, Mean]]:
    """Rows of a matrix a few at a time, or all of what is none."""
    if len(mean.value.shape) < 2:
        yield 0, np.asarray(answer, dtype=np.float64), mean
        return
    size = mean.value.shape[0]
    step = max(1, BLOCK // size)
    for start in range(0, size, step):
        stop = min(start + step, size)
        error = np.asarray(mean.error)
        # One bound for each row, or one for all.
        error = error[start:stop, None] if error.ndim == 1 else error
        error = error[start:stop] if error.ndim == 2 and len(error) == size else error
        scale = mean.scale
        part = scale if isinstance(scale, float) else _rows(scale, start, stop)
        yield (
            start,
            _rows(answer, start, stop),
            Mean(_rows(mean.value, start, stop), error, part),
        )


def _rows(value: Any, start: int, stop: int) -> Array:
    if isinstance(value, LowRank):
        return np.asarray(value.basis[start:stop] @ value.core @ value.basis.T)
    if isinstance(value, EntryNorms):
        return value.rows(start, stop)
    array = np.asarray(value, dtype=np.float64)
    return array[start:stop] if array.ndim == 2 else array


def _block(
    start: int, answer: Array, mean: Mean, found: IndependentMean, tolerance: Tolerance
) -> Verdict:
    value = dense(mean.value)
    scale = dense(mean.scale)
    slip = found.scale_error * scale
    wide = np.sqrt((scale + slip) ** 2 + found.square_error)
    narrow = np.sqrt(np.maximum(np.maximum(scale - slip, 0.0) ** 2 - found.square_error, 0.0))
    error = np.asarray(mean.error) + ROUNDING * (np.abs(value) + np.abs(answer))
    with np.errstate(over="ignore", invalid="ignore"):
        out_wide, radius = _beyond(answer, replace(mean, scale=wide), tolerance)
        out_narrow, _ = _beyond(answer, replace(mean, scale=narrow), tolerance)
        # Not written as >, so that an answer which is no number is outside.
        outside = ~(out_wide <= error + ROUNDING * radius)
        edge = ~outside & ~(out_narrow <= -(error + ROUNDING * radius))
        part = (np.abs(answer - value) + error) / np.where(radius > 0, radius, np.inf)
        part = np.where(np.isnan(part) | (outside & (part < 1)), np.inf, part)
    shape = np.broadcast_shapes(part.shape, answer.shape)
    at = np.unravel_index(int(np.argmax(np.broadcast_to(part, shape))), shape)
    picked = [float(np.broadcast_to(a, shape)[at]) for a in (part, answer, value, error, radius)]
    largest, said, middle, blur, reach = picked
    entry = tuple(int(i) for i in at)
    entry = (entry[0] + start, *entry[1:]) if entry else ()
    worst = Worst(largest, entry, said, (middle - blur, middle + blur), reach)
    return Verdict(answer.size, int(outside.sum()), int(edge.sum()), worst)


def _beyond(answer: Array, mean: Mean, tolerance: Tolerance) -> tuple[Array, Array]:
    """How far an answer is outside the window of the mean, negative inside, and its half-width."""
    below, above = tolerance.reach(replace(mean, error=0.0))
    value = dense(mean.value)
    return np.maximum(value - answer - below, answer - value - above), np.maximum(below, above)
