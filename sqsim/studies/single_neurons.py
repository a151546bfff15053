"""Single-neuron algorithms of the literature as learners that end with a ReLU neuron.

This file does not know the registry of learners, nor oracles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sqsim.algorithms.biased_descent import scaled_gradient_descent
from sqsim.algorithms.generalised_linear import GeneralisedLinear
from sqsim.algorithms.isotonic import isotron
from sqsim.algorithms.planted import planted_descent
from sqsim.algorithms.profile import fit_norm_and_bias
from sqsim.links import Relu
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.seeds import Seed
from sqsim.strategy import CSQ


def matched(
    learn: Callable[..., CSQ[GeneralisedLinear]], problem: Problem, seed: Seed
) -> CSQ[ReluHypothesis]:
    """A learner of generalised linear models, a told bias inside its link or else an intercept."""
    if problem.bias is not None:
        found = yield from learn(problem, link=Relu(problem.bias))
        return ReluHypothesis(found.weights, problem.bias)
    found = yield from learn(problem, intercept=True)
    return ReluHypothesis(found.weights, found.bias)


def isotonic_direction(
    biases: Sequence[float], problem: Problem, seed: Seed
) -> CSQ[ReluHypothesis]:
    """The neuron of least loss along the direction of the isotonic fit, of any slope."""
    found = yield from isotron(problem, lipschitz=None)
    length = float(np.linalg.norm(found.weights))
    if length == 0.0:
        return zero(problem.dimension)
    direction = found.weights / length
    placed = yield from fit_norm_and_bias(problem, [direction, -direction], biases)
    return placed.hypothesis


def planted(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """`planted_descent` in all of R^d."""
    return planted_descent(problem)


def scaled(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """`scaled_gradient_descent` from a random start."""
    return scaled_gradient_descent(problem, seed=seed)
