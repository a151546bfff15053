"""Labels on a cap that tilt thresholded PCA, alone or together with a push against the descent.

Computed here: label noise of one size |y| = cut on a half-space {<v', x> >= t} of probability
budget / cut^2 adds to the second moment of {|y| >= cut} a second direction v'.  This file does not
know learners.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import ndtr, ndtri

from sqsim.errors import BadInput
from sqsim.gaussian import ridge_expectation
from sqsim.links import HermiteSeries, Relu, Scaled, Step
from sqsim.lowrank import Array
from sqsim.problems.corruption import Corruption, at_overlap
from sqsim.problems.designers import check_within_signal
from sqsim.problems.labels import Gate, LabelLaw, Term
from sqsim.queries import Ridge
from sqsim.special import normal_density
from sqsim.updates import Update

ABOVE = 1 + 1e-9
"""Size of a cap's labels over the cut, so that rounding leaves them above it."""
ANGLES = 181


@final
@dataclass(frozen=True)
class Cap:
    """Noise `height` on {<v', x> >= level}, v' at `angle` to v, and the tilt that it causes.

    `tilt` is the angle from v to the top eigenvector of E[1(|y| >= cut) x x'].
    """

    height: float
    level: float
    angle: float
    tilt: float


@final
@dataclass(frozen=True)
class CapAttack(Corruption):
    """Labels just above `cut` on a cap of energy exactly `budget`, against thresholded PCA.

    Parameters
    ----------
    cut : the label threshold of the PCA under attack.
    angle : between the cap's direction and v; the one of greatest tilt if None.
    """

    budget: float
    cut: float
    angle: float | None = None

    def apply(self, labels: LabelLaw, rng: np.random.Generator) -> tuple[LabelLaw, float]:
        check_within_signal(labels, self.budget)
        cap = best_cap(labels, self.budget, self.cut, self.angle)
        direction = at_overlap(labels.terms[0].direction, float(np.cos(cap.angle)), rng)
        return replace(labels, terms=(*labels.terms, _term(cap, direction))), self.budget


@final
@dataclass(frozen=True)
class SplitAttack(Corruption):
    """Part of the budget on a cap against the PCA, the rest against the step from where it ends.

    The push -c h(<w, x>) <e, x> is aimed at the w to which the cap alone tilts the PCA; c is such
    that the two together have energy exactly `budget`.

    Parameters
    ----------
    share : of the budget that the cap takes, strictly between 0 and 1.
    """

    update: Update
    budget: float
    cut: float
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise BadInput(f"share is {self.share}; a split gives each part some of the budget")

    def apply(self, labels: LabelLaw, rng: np.random.Generator) -> tuple[LabelLaw, float]:
        check_within_signal(labels, self.budget)
        cap = best_cap(labels, self.share * self.budget, self.cut)
        v = labels.terms[0].direction
        n = at_overlap(v, 0.0, rng)
        w, e = _turned(v, n, cap.tilt), _turned(v, n, cap.tilt - np.pi / 2)
        size = self._size(cap)
        gate = Gate(w, self.update.weight, self.update.kinks)
        push = Term(e, HermiteSeries((0.0, -size)), gate)
        terms = (*labels.terms, _term(cap, _turned(v, n, cap.angle)), push)
        return replace(labels, terms=terms), self.budget

    def _size(self, cap: Cap) -> float:
        """c > 0 with c^2 ||h||^2 - 2 c height E[1(cap) h(<w, x>) <e, x>] = (1 - share) budget."""
        along, across = np.cos(cap.angle - cap.tilt), np.sin(cap.angle - cap.tilt)

        def overlapping(s: Array) -> Array:
            # E[<e, x> 1(cap) | <w, x> = s], v' = along w - across e.
            return -self.update.weight(s) * normal_density((cap.level - along * s) / across)

        form = Ridge(overlapping, np.ones(1), kinks=self.update.kinks)
        cross = -cap.height * float(np.asarray(ridge_expectation(form, 1).value))
        square, rest = self.update.norm**2, (1 - self.share) * self.budget
        return float(rest / (cross + np.sqrt(cross**2 + square * rest)))


def best_cap(labels: LabelLaw, budget: float, cut: float, angle: float | None = None) -> Cap:
    """The cap of this budget against PCA at this cut: its level, and the angle of greatest tilt."""
    link = labels.terms[0].link
    if not isinstance(link, Relu):
        raise BadInput("a cap is computed against the labels of one neuron; corrupt it first")
    if not (0 < cut < np.inf and budget < cut**2 / 2):
        raise BadInput(
            f"cut {cut:.4g} and budget {budget:.4g}: a cap of labels at the cut has probability "
            "budget / cut^2, which must be below 1/2"
        )
    level = -float(ndtri(budget / (cut * ABOVE) ** 2))
    height = float(np.sqrt(budget / ndtr(-level)))
    clean = (cut - link.bias) / link.norm
    if angle is None:
        angle = _worst_angle(clean, level)
    if not 0 < angle <= np.pi / 2:
        raise BadInput(f"angle is {angle}; wanted radians in (0, pi / 2]")
    return Cap(height, level, float(angle), tilt(clean, level, float(angle)))


def tilt(clean: float, level: float, angle: float) -> float:
    """Angle from v to the top eigenvector of E[1({<v, x> >= clean} or {<v', x> >= level}) x x'].

    E[f (x x' - I)] = E[f''] for the two half-spaces and minus their intersection, in closed form.
    """
    r, sine = float(np.cos(angle)), float(np.sin(angle))
    # Everything in units of the density at `clean`: no underflow at any bias.
    other = float(np.exp((clean - level) * (clean + level) / 2))
    here, there = (r * clean - level) / sine, (r * level - clean) / sine
    mixed = _density(here) / sine
    on_v = clean * ndtr(-here) + mixed * r
    on_cap = other * level * ndtr(-there) + mixed * r
    matrix = on_v * np.outer([1, 0], [1, 0]) + on_cap * np.outer([r, sine], [r, sine])
    matrix -= mixed * (np.outer([1, 0], [r, sine]) + np.outer([r, sine], [1, 0]))
    return abs(float(np.arctan2(2 * matrix[0, 1], matrix[0, 0] - matrix[1, 1]))) / 2


def _worst_angle(clean: float, level: float) -> float:
    angles = np.pi / 2 * np.arange(1, ANGLES + 1) / ANGLES
    at = int(np.argmax([tilt(clean, level, float(angle)) for angle in angles]))
    if at == ANGLES - 1:
        return float(angles[-1])
    ends = (float(angles[max(at - 1, 0)]), float(angles[at + 1]))
    return float(minimize_scalar(lambda x: -tilt(clean, level, x), bounds=ends).x)


def _density(t: float) -> float:
    return float(normal_density(np.array(t)))


def _term(cap: Cap, direction: Array) -> Term:
    return Term(direction, Scaled(Step(-cap.level), cap.height))


def _turned(v: Array, n: Array, angle: float) -> Array:
    """cos(angle) v + sin(angle) n, of unit length."""
    turned = np.cos(angle) * v + np.sin(angle) * n
    return np.asarray(turned / np.linalg.norm(turned))
