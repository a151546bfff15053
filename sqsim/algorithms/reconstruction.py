"""Polynomials from values of which many are wrong: regression in l_p over a ball of coefficients.

This file does not know which labels are wrong, nor why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np

from sqsim.algorithms.accelerated import accelerated, accelerated_rounds
from sqsim.algorithms.ball_inputs import check_inputs
from sqsim.algorithms.residual_powers import ResidualPower, smoothed_power
from sqsim.errors import BadInput
from sqsim.featured import Featured
from sqsim.lowrank import Array
from sqsim.monomial_moments import knows_moments, moment_matrix
from sqsim.multinomial import MonomialFeatures
from sqsim.problems.polynomial_hypothesis import PolynomialHypothesis
from sqsim.problems.problem import Problem
from sqsim.queries import Query, Statistic
from sqsim.strategy import SQ, ask

LARGEST_EIGENPROBLEM = 2000
"""Features up to which the second moments of known inputs are diagonalised."""


@final
@dataclass(frozen=True)
class ReconstructionPlan:
    """What a reconstruction will ask and what it promises, from its parameters alone.

    Attributes
    ----------
    features : MonomialFeatures
    weight : B, the bound on the sum of squared coefficients.
    epsilon : what is promised beyond the best polynomial.
    loss : |r|^p as it is descended on.
    second_moment : a bound on the largest eigenvalue of E[psi psi'].
    """

    features: MonomialFeatures
    weight: float
    epsilon: float
    loss: ResidualPower
    second_moment: float

    @property
    def smoothness(self) -> float:
        """L: Lipschitz constant of the gradient."""
        return self.loss.curvature * self.second_moment

    @property
    def steps(self) -> int:
        """T, the least with 2 L B / (T (T + 1)) <= epsilon / 3."""
        return accelerated_rounds(
            curvature=self.smoothness, radius=math.sqrt(self.weight), gap=self.epsilon / 3
        )

    @property
    def tolerance(self) -> float:
        """t, with which Absolute(t) takes no more than epsilon / 3: of queries in [-1, 1]."""
        size = math.sqrt(self.weight * self.features.size)
        return self.epsilon / (6 * size * self.loss.steepest)

    @property
    def queries(self) -> int:
        """T C(n + d, d)."""
        return self.steps * self.features.size


def reconstruct_polynomial(
    problem: Problem, *, degree: int, weight: float, epsilon: float, power: float = 1.0
) -> SQ[PolynomialHypothesis]:
    """The polynomial of this degree and coefficient weight that is nearest to the labels in l_p.

    Accelerated projected descent on E[phi(<v, psi(x)> - y)] over ||v||^2 <= weight, phi = |r|^p
    smoothed around 0; gradients are E[phi'(<v, psi(x)> - y) psi(x)], one query for each monomial,
    with values in [-1, 1].  Genuine SQ (for p = 2 the gradient is affine in y, and
    `agnostic_polynomial` asks E[y psi] once instead).

    Parameters
    ----------
    degree, weight : d and B: the class is all <v, psi(x)> of degree d with ||v||^2 <= B, in the
        coordinates of MonomialFeatures.
    epsilon : float
        What the loss may exceed the best of the class by.
    power : p >= 1
        1 for labels of which some are arbitrary.

    Returns
    -------
    PolynomialHypothesis
        Of the class itself: the learner is proper.  Clipped to [0, 1] its values are an improper
        hypothesis, which for labels in [0, 1] is never worse and often better.

    Raises
    ------
    BadInput
        Where inputs are known to leave the unit ball, or parameters make no sense.

    Notes
    -----
    T rounds of C(n + d, d) queries, `ReconstructionPlan.steps`: about 3.5 sqrt(B) / epsilon for
    p = 1 and inputs on the sphere, instead of (d + 1) B / epsilon^2 for subgradients of |r|.

    Guarantee, for x in the unit ball, labels in [-1, 1] and answers within
    Absolute(`ReconstructionPlan.tolerance`), whatever the labels are: E|h - y|^p <= E|p - y|^p +
    epsilon for every p of the class; errors of answers do not add up (`Accelerated`).

    If a fraction of the labels is arbitrary and the others are p(x), E|p - y| is at most that
    fraction times their deviation; that h is then near p itself is a matter of which examples are
    wrong: `sqsim.studies.recovery`.  Goel, Kanade, Klivans and Thaler (2017), Theorem 7 [29],
    learn this class by a convex program over samples.
    """
    plan = reconstruction_plan(problem, degree=degree, weight=weight, epsilon=epsilon, power=power)
    state = accelerated(
        plan.features.size, radius=math.sqrt(plan.weight), curvature=plan.smoothness
    )
    for step in range(plan.steps):
        slope = yield from ask(_gradient(plan, state.point), step=step)
        state = state.advanced(plan.loss.steepest * np.asarray(slope), 0.0)
    return PolynomialHypothesis(plan.features, state.average)


def reconstruction_plan(
    problem: Problem, *, degree: int, weight: float, epsilon: float, power: float = 1.0
) -> ReconstructionPlan:
    """What `reconstruct_polynomial` with these parameters asks: no query is spent.

    epsilon is divided by three: smoothing, descent and answers.  The largest eigenvalue of
    E[psi psi'] is computed where the inputs are known and few; it is at most d + 1 elsewhere.
    """
    for name, value in (("weight", weight), ("epsilon", epsilon)):
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not 0 < value < math.inf:
            raise BadInput(f"{name} is {value!r}; wanted a finite number > 0")
    check_inputs(problem)
    features = MonomialFeatures(problem.dimension, degree)
    features.check_memory()
    reach = 1 + math.sqrt(weight * (degree + 1))
    loss = smoothed_power(power, gap=epsilon / 3, reach=reach)
    return ReconstructionPlan(
        features, float(weight), float(epsilon), loss, _second_moment(problem, features)
    )


def _second_moment(problem: Problem, features: MonomialFeatures) -> float:
    """A bound on the largest eigenvalue of E[psi psi'] over inputs in the unit ball."""
    if features.size > LARGEST_EIGENPROBLEM or not knows_moments(problem.inputs):
        return features.degree + 1.0
    top = float(np.linalg.eigvalsh(moment_matrix(features, problem.inputs))[-1])
    return min(top * (1 + 1e-9), features.degree + 1.0)


def _gradient(plan: ReconstructionPlan, point: Array) -> Query:
    form = Featured(plan.features, partial(_slope, plan.loss), point)
    return Statistic(form, "gradient of the residual's power", range=(-1.0, 1.0))


def _slope(loss: ResidualPower, scores: Array, labels: Array) -> Array:
    return np.asarray(loss.slope(scores - labels) / loss.steepest)
