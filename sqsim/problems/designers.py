"""Corruptions designed against one update of a learner, their budgets exact after truncation.

This file does not know learners: a design is aimed at an update rule at one place.  Attacks on
thresholded PCA are in `caps`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import erf

from sqsim.errors import BadInput
from sqsim.gaussian import LIMIT, SCAN, ridge_expectation
from sqsim.links import Relu, Scaled
from sqsim.lowrank import Array
from sqsim.problems.corruption import Corruption, WorstCase, at_overlap
from sqsim.problems.labels import Gate, LabelLaw, Term
from sqsim.queries import Ridge
from sqsim.smoothing import Link, Smoothed
from sqsim.updates import Update

WIDTHS = (0.02, 12.0)
"""Cuts of the linear factor that are searched."""


def unweighted() -> Update:
    """weight(s) = 1: E[y x], the one-shot learner's only question."""
    return Update("one-shot", lambda s: np.ones_like(s), ())


def check_within_signal(labels: LabelLaw, budget: float) -> None:
    """Refuse budgets with which the neuron could be erased from the labels."""
    energy = labels.terms[0].link.second_moment
    if not 0 < budget < energy:
        raise BadInput(
            f"budget is {budget:.6g} and the neuron's own energy E[sigma^2] is {energy:.6g}; "
            "guarantees assume 0 < OPT < E[sigma^2], or the labels 0 would be lawful: take "
            "budget = E[sigma^2] / alpha with alpha > 1"
        )


@final
@dataclass(frozen=True)
class Clipped(Link):
    """min(max(t, -width), width)."""

    width: float

    def __post_init__(self) -> None:
        if not 0 < self.width < np.inf:
            raise BadInput(f"width is {self.width}; a cut is positive and finite")

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-self.width, self.width)

    def __call__(self, t: Array) -> Array:
        return np.clip(t, -self.width, self.width)

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        """From two neurons: max(t + width, 0) - max(t - width, 0) - width."""
        rising = Relu(self.width).smoothed(mean, deviation)
        falling = Relu(-self.width).smoothed(mean, deviation)
        moments = rising.moments - falling.moments
        moments[0] -= self.width
        magnitudes = rising.magnitudes + falling.magnitudes
        return Smoothed(moments, magnitudes, rising.errors + falling.errors)


@final
@dataclass(frozen=True)
class PushBack(Corruption):
    """The corruption of a budget that pushes one step of an update back most, bounded or not.

    The step is P_w E[y x h(<w, x>)] at a w of the given overlap with v; e is the unit vector of v
    orthogonal to w.  Unbounded: noise -c h(<w, x>) <e, x>, the most harmful one by
    Cauchy-Schwarz (`WorstCase`).  With |noise| <= `bound`: the most harmful of the products
    -c min(h, H) clip(<e, x>, T), c H T = bound, with H found so that E[noise^2] is exactly the
    budget.  For weights of two values, as of plain descent, that is the optimum over all
    bounded noise (the clipped Cauchy-Schwarz direction); for others it is the best product, the
    form whose means are exact integrals.

    Raises
    ------
    BadInput
        At `apply`: for budgets beyond the neuron's energy, or beyond what labels of this bound
        carry where the weight lives, bound^2 P(h > 0).
    """

    update: Update
    budget: float
    overlap: float = 0.9
    bound: float | None = None

    def __post_init__(self) -> None:
        WorstCase(self.update, self.budget, self.overlap)
        if self.bound is not None and not 0 < self.bound < np.inf:
            raise BadInput(f"bound is {self.bound}; bounded noise has a positive finite bound")

    def apply(self, labels: LabelLaw, rng: np.random.Generator) -> tuple[LabelLaw, float]:
        check_within_signal(labels, self.budget)
        if self.bound is None:
            return WorstCase(self.update, self.budget, self.overlap).apply(labels, rng)
        ceiling, width = clipping(self.update, self.budget, self.bound)
        v = labels.terms[0].direction
        w = at_overlap(v, self.overlap, rng)
        e = v - (v @ w) * w
        gate = clipped_weight(self.update, ceiling)
        link = Scaled(Clipped(width), -self.bound / width)
        term = Term(e / np.linalg.norm(e), link, Gate(w, gate.weight, gate.kinks))
        return replace(labels, terms=(*labels.terms, term)), self.budget


def clipped_weight(update: Update, ceiling: float) -> Update:
    """min(h, ceiling) / ceiling, its new kinks declared."""

    def weight(s: Array) -> Array:
        return np.minimum(update.weight(s) / ceiling, 1.0)

    def excess(s: float) -> float:
        return float(update.weight(np.array([s]))[0]) / ceiling - 1

    points = np.sort(np.concatenate([4 * SCAN[::10], [k * (1 + 1e-12) for k in update.kinks]]))
    points = points[np.abs(points) < LIMIT]
    above = update.weight(points) > ceiling
    at = np.flatnonzero(above[1:] != above[:-1])
    crossings = [float(brentq(excess, points[i], points[i + 1], xtol=1e-14)) for i in at]
    return Update(f"clipped {update.name}", weight, (*update.kinks, *crossings))


def clipping(update: Update, budget: float, bound: float) -> tuple[float, float]:
    """Ceiling H of the weight and cut T of the linear factor of the most harmful bounded noise.

    With m = min(h / H, 1) and k = clip(<e, x> / T, -1, 1) the noise -bound m k has energy bound^2
    E[m^2] E[k^2] and harm bound E[h m] E[<e, x> k]: each T has one H of the right energy, and the
    T of most harm is taken.
    """
    mass = _mean(lambda s: (update.weight(s) > 0).astype(np.float64), update)
    share = budget / bound**2
    if not share < mass * (1 - 1e-9):
        raise BadInput(
            f"noise of size at most {bound:.4g} where the weight lives (probability {mass:.4g}) "
            f"has energy below {bound**2 * mass:.4g}; the budget is {budget:.4g}: raise the "
            "bound, or lower the budget"
        )

    def harm(width: float) -> tuple[float, float]:
        left = share / _linear_energy(width)
        if left >= mass * (1 - 1e-9):
            return 0.0, 0.0
        ceiling = _ceiling(update, left)
        clipped = clipped_weight(update, ceiling)
        pushed = _mean(lambda s: update.weight(s) * clipped.weight(s), clipped)
        # E[t clip(t / T)] = P(|t| < T) / T by Stein's identity.
        return pushed * float(erf(width / np.sqrt(2))) / width, ceiling

    found = minimize_scalar(
        lambda x: -harm(float(np.exp(x)))[0] / update.norm,
        bounds=(float(np.log(WIDTHS[0])), float(np.log(WIDTHS[1]))),
        options={"xatol": 0.02},
    )
    width = float(np.exp(found.x))
    return harm(width)[1], width


def _ceiling(update: Update, energy: float) -> float:
    """H with E[min(h / H, 1)^2] = energy, in logarithms: it falls from P(h > 0) to 0."""
    top = float(np.log(update.norm) - 0.5 * np.log(energy))

    def excess(logarithm: float) -> float:
        return float(np.log(clipped_weight(update, float(np.exp(logarithm))).norm ** 2 / energy))

    # E[min(h / H, 1)^2] <= ||h||^2 / H^2, with equality where nothing is clipped.
    if excess(top) >= -1e-13:
        return float(np.exp(top))
    low = top - 1.0
    while excess(low) < 0:
        low -= 4.0
    return float(np.exp(brentq(excess, low, top, xtol=1e-14)))


def _linear_energy(width: float) -> float:
    """E[clip(t / T, -1, 1)^2]."""
    return Scaled(Clipped(width), 1 / width).second_moment


def _mean(function: Callable[[Array], Array], update: Update) -> float:
    form = Ridge(function, np.ones(1), kinks=update.kinks)
    return float(np.asarray(ridge_expectation(form, 1).value))
