"""Learners over any law on the unit ball: polynomial regression and reliable learning.

This file does not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqsim.algorithms.polynomial_regression import (
    agnostic_polynomial,
    agnostic_polynomial_asking,
)
from sqsim.algorithms.reliable import ReliableOutcome, reliable_relu
from sqsim.algorithms.reliable_constants import reliable_plan
from sqsim.inputs import Empirical
from sqsim.problems.ball import sphere_points
from sqsim.problems.dataset import Dataset
from sqsim.problems.polynomial_hypothesis import PolynomialHypothesis
from sqsim.problems.problem import Problem
from sqsim.problems.reliable import ReliableRegression
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ
from sqsim.studies.registry import Algorithm, Symbol

EPSILON, ROUNDS = 0.3, 40
DEGREE = Symbol("degree of the polynomial", 4)
WANTS = "labels in [0, 1], inputs in the unit ball"
SOURCE = "Goel, Kanade, Klivans and Thaler (2017), theorem 7; tolerance derived here"


def on_the_circle() -> Any:
    """The neuron max(x_1, 0) at points of the circle."""
    x = sphere_points(2, 60, seed=1)
    problem = ReliableRegression(Empirical(x))
    labels = problem.draw(seed=1).labels
    return Dataset(x, labels.neuron(x))


def kept_reliable(problem: Problem, seed: Seed) -> SQ[ReliableOutcome]:
    """`reliable_relu` at epsilon 0.3, for 40 rounds at most and without an early stop."""
    return reliable_relu(problem, epsilon=EPSILON, rounds=ROUNDS, stop_early=False)


def regressed(problem: Problem, seed: Seed) -> CSQ[PolynomialHypothesis]:
    """`agnostic_polynomial` of degree 4 with ||f|| <= 1."""
    return agnostic_polynomial(problem, degree=DEGREE.at(problem), norm_squared=1.0)


def regressed_asking(problem: Problem, seed: Seed) -> SQ[PolynomialHypothesis]:
    """`agnostic_polynomial_asking` of degree 4 with ||f|| <= 1."""
    return agnostic_polynomial_asking(problem, degree=DEGREE.at(problem), norm_squared=1.0)


def _coordinates(problem: Any) -> int:
    return reliable_plan(problem, epsilon=EPSILON).ball.size


ALGORITHMS: Sequence[Algorithm] = (
    Algorithm(
        name="reliable-relu",
        access="SQ",
        rounds="rounds",
        queries="rounds*(r + 3)",
        at_most=True,
        symbols={
            "rounds": Symbol("rounds allowed here; those of the plan promise", ROUNDS),
            "r": Symbol("coordinates of the ball of polynomials", _coordinates),
        },
        source="Goel, Kanade, Klivans and Thaler (2017), theorem 1; constants derived here",
        guarantee="P[h != 0, y = 0] <= epsilon and loss on y > 0 within epsilon of the best "
        "reliable ReLU, after the rounds of the plan",
        strategy=kept_reliable,
        result="reliable hypothesis",
        wants=WANTS,
        example=on_the_circle,
    ),
    Algorithm(
        name="agnostic-polynomial",
        access="CSQ",
        rounds="1",
        queries="binomial(d + degree, degree)",
        symbols={"degree": DEGREE},
        source=SOURCE,
        guarantee="square loss within 4 sqrt(B N) tau of the best of ||f||^2 <= B, N features",
        strategy=regressed,
        result="polynomial",
        wants=WANTS,
        example=on_the_circle,
    ),
    Algorithm(
        name="agnostic-polynomial-asking",
        access="SQ",
        rounds="1",
        queries="binomial(d + degree, degree)*(binomial(d + degree, degree) + 3)/2",
        symbols={"degree": DEGREE},
        source=SOURCE,
        guarantee="the same with 2 B N tau more, where the law of the inputs is not known",
        strategy=regressed_asking,
        result="polynomial",
        wants=WANTS,
        example=on_the_circle,
    ),
)
