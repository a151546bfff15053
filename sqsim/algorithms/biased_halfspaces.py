"""A robust learner of a halfspace far from the origin, by localised moments of the positives.

Knows Boolean labels and the law of the inputs; does not know where the labels come from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import ndtri

from sqsim.algorithms.boolean_labels import BooleanLabels
from sqsim.algorithms.descent import random_direction
from sqsim.algorithms.halfspaces import Halfspace, membership, surplus
from sqsim.algorithms.iterates import unit_start
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem
from sqsim.queries import Query, Ridge
from sqsim.seeds import Seed
from sqsim.strategy import SQ, ask_all

WIDTH = 1.0
"""Half-width of the band around the boundary, in units of the sine of the assumed angle."""

RAREST = 1e-300
"""Below, a probability is lost to float64."""


ROUNDING = 1e-13
"""Of a moment: its part orthogonal to w is lost below."""


@final
@dataclass(frozen=True)
class Narrowing:
    """Distances assumed between w and the true normal, and the length of the steps.

    r_k = distance (1 - shrink)^k, and step k has length stride r_k.  The defaults are those of
    the guarantee of `biased_halfspace`; labels of little noise allow longer steps.
    """

    distance: float = 1.0
    shrink: float = 1 / 6
    stride: float = 0.25
    steps: int = 24

    def __post_init__(self) -> None:
        if not (0 < self.distance <= math.sqrt(2) and 0 < self.shrink < 1 and 0 < self.stride < 1):
            raise BadInput(
                f"{self}: wanted a distance of unit vectors in (0, sqrt 2], shrink and stride in "
                "(0, 1)"
            )
        if self.steps < 1:
            raise BadInput(f"steps is {self.steps}; at least one wanted")

    def distances(self) -> Array:
        """r_0, r_1, ..., one for each step."""
        return np.asarray(self.distance * (1 - self.shrink) ** np.arange(self.steps))


def band(threshold: float, distance: float) -> tuple[float, float]:
    """Values of <w, x> near the boundary, for w at no more than this distance from the normal.

    [t cos theta - sin theta, t + sin theta] for t >= 0, theta the angle of that distance: given
    <v, x> = t, <w, x> has mean t cos theta and deviation sin theta.
    """
    cosine = 1 - distance**2 / 2
    sine = distance * math.sqrt(1 - distance**2 / 4)
    ends = sorted((threshold * cosine, threshold))
    return ends[0] - WIDTH * sine, ends[1] + WIDTH * sine


def biased_halfspace(
    problem: Problem,
    *,
    labels: BooleanLabels,
    threshold: float | None = None,
    start: Array | None = None,
    schedule: Narrowing | None = None,
    seed: Seed = 0,
) -> SQ[Halfspace]:
    """A halfspace 1(<w, x> >= t), |t| large or not, under adversarial label noise.

    w <- normalise(w + stride r_k g_k / |g_k|), g_k = P_w E[1(positive) x 1(<w, x> in band_k)],
    from the mean of the positives; the iterate of least disagreement.  The band lies around the
    boundary and narrows with the assumed distance r_k of w from the true normal v: see `band`.

    Parameters
    ----------
    labels : BooleanLabels
    threshold : float, optional
        t; from P(positive) = Phi(-t) if None.
    start : (d,) array, optional
        Within schedule.distance of v; E[1(positive) x], normalised, if None.
    schedule : Narrowing, optional

    Notes
    -----
    Guarantee (derived here; x ~ N(0, I), t told, exact answers, shrink and stride as by default,
    labels that differ from 1(<v, x> >= t) with probability at most delta).  At angle theta the
    clean part of g_k is S = sin(theta) phi(t) (Phi(u) - Phi(l)) toward v, with l and u the ends of
    the band less t cos(theta), in units of sin(theta); the noise adds a vector of length at most
    N = 2 Q phi(z), Phi(-z) = delta / (2 Q), Q the probability of the band.  Where N <= S / 2 at
    all distances in [r_k / 2, r_k], a distance of at most r_k becomes one of at most r_(k + 1).
    With r = `proved_distance(t, delta)`, the least r_k that is so reached, the output disagrees
    with the labels with probability at most delta + D, where D is that of two halfspaces at
    threshold t and distance r.  While |t| r_k <= 1 an r_k phi(t) of an absolute constant times
    delta is reached, so theta exp(-t^2 / 2) = O(delta), as proposition 19 of Zarifis et al. (COLT
    2025) asks of an initialisation.

    Access: SQ in y with `AtLeast`, correlational with `TwoValued`.
    Cost: (d + 1) (steps + 1) + 1 queries in steps + 2 rounds: the moments, d + 1 in each step and
    the last disagreement.  d fewer with a start.
    """
    schedule = Narrowing() if schedule is None else schedule
    if threshold is not None and not math.isfinite(threshold):
        raise BadInput(f"threshold is {threshold}; wanted a finite one (None: from the labels)")
    first = yield from ask_all(*_moments(labels, start is None), step="moments")
    rate = float(labels.read(problem, Ridge(), first[0]))
    t = _threshold(rate) if threshold is None else float(threshold)
    w = _first(problem, labels, start, first[1:], seed)
    best, least = Halfspace(w, t), math.inf
    for step, distance in enumerate(schedule.distances().tolist()):
        current = Halfspace(w, t)
        form = _local_moment(w, *band(t, distance))
        field, inside = yield from ask_all(
            labels.query(form, "positives near the boundary"),
            membership(labels, current),
            step=step,
            w=w,
        )
        loss = surplus(problem, labels, current, inside)
        if loss <= least:
            best, least = current, loss
        moved = labels.read(problem, form, field)
        size = float(np.linalg.norm(moved))
        moved = moved - (moved @ w) * w
        length = float(np.linalg.norm(moved))
        # A remainder of rounding has a direction of its own.
        if length > ROUNDING * size:
            w = w + schedule.stride * distance * moved / length
            w = w / np.linalg.norm(w)
    last = Halfspace(w, t)
    (inside,) = yield from ask_all(membership(labels, last), step="selection")
    return last if surplus(problem, labels, last, inside) <= least else best


def _moments(labels: BooleanLabels, both: bool) -> list[Query]:
    asked = [labels.query(Ridge(), "positive")]
    return [*asked, labels.query(Ridge(power=1), "mean positive")] if both else asked


def _first(
    problem: Problem,
    labels: BooleanLabels,
    start: Array | None,
    answers: tuple[Array, ...],
    seed: Seed,
) -> Array:
    """The unit vector to begin at."""
    if start is not None:
        return unit_start(problem, start)
    found = labels.read(problem, Ridge(power=1), answers[0])
    return unit_start(problem, found if found.any() else random_direction(problem, seed=seed))


def _local_moment(w: Array, low: float, high: float) -> Ridge:
    """1(<w, x> in [low, high]) x."""
    return Ridge(
        lambda s: ((s >= low) & (s <= high)).astype(np.float64), w, power=1, kinks=(low, high)
    )


def _threshold(rate: float) -> float:
    """t with Phi(-t) = rate."""
    return -float(ndtri(min(max(rate, RAREST), 1 - 1e-16)))
