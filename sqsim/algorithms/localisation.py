"""The localised agnostic learner of homogeneous halfspaces of Awasthi, Balcan and Long.

Knows Boolean labels and the law of the inputs; does not know where the labels come from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import ndtr
from scipy.stats import norm

from sqsim.algorithms.boolean_labels import AtLeast, BooleanLabels, label_free
from sqsim.algorithms.descent import random_direction
from sqsim.algorithms.halfspaces import Halfspace, least_disagreement
from sqsim.algorithms.iterates import unit_start
from sqsim.errors import BadInput
from sqsim.inputs import Gaussian
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem
from sqsim.queries import Ridge
from sqsim.seeds import Seed
from sqsim.strategy import SQ, ask

NEARLY = 1e-9
"""Sine of an angle at which two directions are taken for one: the closed form would cancel."""


@final
@dataclass(frozen=True)
class Localisation:
    """Radii, bands and hinge widths of the rounds k = 1, 2, ...

    r_k = radius / 2^(k - 1), gamma_k = band r_k, tau_k = hinge gamma_k: the parameter form of
    Awasthi, Balcan, Haghtalab and Zhang (2016), whose constants are left open there.
    """

    radius: float = 0.5
    band: float = 2.0
    hinge: float = 0.5
    rounds: int = 7
    steps: int = 12

    def __post_init__(self) -> None:
        sizes = (self.radius, self.band, self.hinge)
        if not all(0 < size < math.inf for size in sizes) or self.rounds < 1 or self.steps < 1:
            raise BadInput(f"{self}: wanted sizes > 0 and finite, at least one round and one step")


def localised_halfspace(
    problem: Problem,
    *,
    labels: BooleanLabels | None = None,
    start: Array | None = None,
    schedule: Localisation | None = None,
    seed: Seed = 0,
) -> SQ[Halfspace]:
    """A homogeneous halfspace 1(<w, x> >= 0) whose disagreement with the labels is O(least).

    Round k minimises E[max(0, 1 - ytil <w, x> / tau_k) | |<w_(k-1), x>| <= gamma_k], ytil = 1 on
    positives and -1 else, over the ball of radius r_k around w_(k-1) by projected subgradient
    steps of length 1.5 r_k tau_k / sqrt(steps) times the gradient, and normalises the average of
    the steps.  The rounds' normals and the start compete on their disagreement.

    With ytil of two values each gradient splits (derived here): with s = <w, x> and the band B,
    -E[ytil x 1(ytil s < tau) 1_B] = -E[ytil x g] + E[x l], where g = (1 + 1(|s| < tau)) / 2 1_B
    carries the label and l = (1(s >= tau) - 1(s <= -tau)) / 2 1_B is label-free.

    Parameters
    ----------
    labels : BooleanLabels
        `AtLeast(0.0)`, the sign of y, if None.
    start : (d,) array, optional
        E[ytil x], normalised, if None: one round of d queries.
    schedule : Localisation, optional

    Notes
    -----
    Guarantee: for x ~ N(0, I), labels that differ from a homogeneous halfspace with probability
    nu, and a start within r_1 of its normal, disagreement O(nu) + O(2^-rounds); Awasthi, Balcan
    and Long (2014), theorem 1, in the form of Awasthi, Balcan, Haghtalab and Zhang (2016),
    algorithm 3.  Their constants depend on unstated ones; no constant is claimed here.

    Access: SQ in y with `AtLeast`, correlational with `TwoValued`.
    Cost: d + rounds steps d + rounds + 1 queries (the first d without a start) in rounds steps + 2
    rounds.  Queries have norm at most 1; the last band has probability of about gamma, so in l2
    units a tolerance well below sqrt(gamma / d) is needed, gamma = band radius / 2^(rounds - 1).

    Raises
    ------
    BadInput
        Where the start is not a finite non-zero (d,) vector.
    """
    labels = AtLeast(0.0) if labels is None else labels
    schedule = Localisation() if schedule is None else schedule
    if start is None:
        start = yield from label_direction(problem, labels, seed=seed)
    w = unit_start(problem, start)
    met = [Halfspace(w)]
    for k in range(schedule.rounds):
        w = yield from _round(problem, labels, w, schedule, schedule.radius / 2**k)
        met.append(Halfspace(w))
    return (yield from least_disagreement(problem, labels, met))


def label_direction(problem: Problem, labels: BooleanLabels, *, seed: Seed = 0) -> SQ[Array]:
    """E[ytil x] / 2 = E[1(positive) x] - E[x] / 2, or a random direction where it vanishes.

    One round of d queries.
    """
    form = Ridge(power=1)
    answer = yield from ask(labels.query(form, "mean positive"), step="start")
    found = labels.read(problem, form, answer) - label_free(problem, form) / 2
    return found if found.any() else random_direction(problem, seed=seed)


def _round(
    problem: Problem, labels: BooleanLabels, w: Array, schedule: Localisation, radius: float
) -> SQ[Array]:
    """The normalised average of the projected subgradient steps in one band."""
    gamma = schedule.band * radius
    tau = schedule.hinge * gamma
    inside = float(label_free(problem, _band(w, gamma)))
    if not inside > 0:
        return w
    v, total = w, np.zeros_like(w)
    stride = 1.5 * radius * tau / math.sqrt(schedule.steps)
    for step in range(schedule.steps):
        seen, rest = _hinge(w, v, gamma, tau)
        answer = yield from ask(labels.query(seen, "hinge gradient"), radius=radius, step=step, w=v)
        even = np.zeros_like(w) if isinstance(problem.inputs, Gaussian) else None
        positive = labels.read(problem, seen, answer, free=even)
        free = side_moment(problem, w, v, gamma, tau, rest)
        gradient = (free - 2 * positive) / (tau * inside)
        moved = v - stride * gradient - w
        length = float(np.linalg.norm(moved))
        v = w + moved * min(1.0, radius / length) if length > 0 else w
        total = total + v
    length = float(np.linalg.norm(total))
    return total / length if length > 0 else w


def _hinge(centre: Array, v: Array, gamma: float, tau: float) -> tuple[Ridge, Ridge]:
    """g, which E[1(positive) x g] asks about, and the label-free g + l = 1_B 1(s > -tau)."""
    frame = np.stack([centre, v], axis=1)

    def seen(s: Array) -> Array:
        return (np.abs(s[:, 0]) <= gamma) * (1 + (np.abs(s[:, 1]) < tau)) / 2

    def rest(s: Array) -> Array:
        return ((np.abs(s[:, 0]) <= gamma) & (s[:, 1] > -tau)).astype(np.float64)

    both = ((-gamma, gamma), (-tau, tau))
    return (
        Ridge(seen, frame, power=1, kinks=both),
        Ridge(rest, frame, power=1, kinks=(both[0], (-tau,))),
    )


def side_moment(
    problem: Problem, w: Array, v: Array, gamma: float, tau: float, form: Ridge
) -> Array:
    """E[x 1(|<w, x>| <= gamma) 1(<v, x> > -tau)], w a unit vector, which `form` spells out.

    For x ~ N(0, I) in closed form.  With v = c w + q u, u a unit vector orthogonal to w, and
    R^2 = c^2 + q^2, phi(s) phi((tau + c s) / q) is (q / R) phi(tau / R) times the density of
    N(-c tau / R^2, q^2 / R^2) at s, whose mass J in the band is the part along u; by parts the one
    along w is J c / q less the boundary terms.
    """
    if not isinstance(problem.inputs, Gaussian):
        return label_free(problem, form)
    c = float(v @ w)
    side = v - c * w
    q = float(np.linalg.norm(side))
    if q <= NEARLY * abs(c):
        cut = -tau / c
        low, high = (max(-gamma, cut), gamma) if c > 0 else (-gamma, min(gamma, cut))
        ends = norm.pdf(low) - norm.pdf(high) if low < high else 0.0
        return np.asarray(ends * w)
    reach = math.hypot(c, q)
    centre, scale = -c * tau / reach**2, q / reach
    mass = ndtr((gamma - centre) / scale) - ndtr((-gamma - centre) / scale)
    along = scale * norm.pdf(tau / reach) * mass
    ends = norm.pdf(gamma) * (ndtr((tau + c * gamma) / q) - ndtr((tau - c * gamma) / q))
    return np.asarray((along * c / q - ends) * w + along * side / q)


def _band(w: Array, gamma: float) -> Ridge:
    return Ridge(lambda s: (np.abs(s) <= gamma).astype(np.float64), w, kinks=(-gamma, gamma))
