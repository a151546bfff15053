"""Query builders shared by the algorithms: what a neuron along w asks about the label.

Label-free expectations are taken from `problem.inputs`, which the learner knows; they are no query.
"""

from __future__ import annotations

import numpy as np

from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge
from sqsim.updates import Update


def neuron(hypothesis: ReluHypothesis) -> Ridge:
    """sigma(<w, x> + b)."""
    b = hypothesis.bias
    return Ridge(lambda s: np.maximum(s + b, 0.0), hypothesis.weights, kinks=(-b,))


def activation(hypothesis: ReluHypothesis, *, power: int) -> Ridge:
    """T_power(x) 1(<w, x> + b >= 0)."""
    b = hypothesis.bias
    return Ridge(
        lambda s: (s + b >= 0).astype(np.float64), hypothesis.weights, power=power, kinks=(-b,)
    )


def agreement(hypothesis: ReluHypothesis) -> Correlation:
    """E[y sigma(<w, x> + b)]: one scalar, and all of the loss that depends on the label and w."""
    return Correlation(neuron(hypothesis), "agreement")


def energy(problem: Problem, hypothesis: ReluHypothesis) -> float:
    """E[sigma(<w, x> + b)^2]: label-free."""
    if hypothesis.norm == 0.0:
        return max(hypothesis.bias, 0.0) ** 2
    b = hypothesis.bias
    form = Ridge(lambda s: np.maximum(s + b, 0.0) ** 2, hypothesis.weights, kinks=(-b,))
    return float(problem.inputs.expectation(form))


def weighted_field(direction: Array, update: Update, *, unit: float = 1.0) -> Correlation:
    """E[y x weight(<w, x>) / unit]: d scalars."""
    form = Ridge(lambda s: update.weight(s) / unit, direction, power=1, kinks=update.kinks)
    return Correlation(form, f"{update.name} field")


def weight_norm(problem: Problem, direction: Array, update: Update) -> float:
    """||weight(<w, x>)||_2 under the law of the inputs: label-free."""
    form = Ridge(lambda s: update.weight(s) ** 2, direction, kinks=update.kinks)
    return float(np.sqrt(problem.inputs.expectation(form)))
