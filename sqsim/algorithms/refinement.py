"""From a direction to a neuron: norm and bias on the loss, a descent, and both once more.

This file does not know how the direction was found, nor which descent it is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import numpy as np

from sqsim.algorithms.profile import fit_norm_and_bias
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.problem import Problem
from sqsim.queries import Batch, Correlation
from sqsim.strategy import CSQ, Answers


def refine(
    problem: Problem,
    directions: Sequence[Array],
    biases: Sequence[float],
    energy: float,
    descent: Callable[[ReluHypothesis], CSQ[ReluHypothesis]],
) -> Generator[Batch[Correlation], Answers, ReluHypothesis]:
    """Which direction, its norm and its bias on the loss; a descent from there; norm and bias.

    Correlational.  `fit_norm_and_bias` over all directions and biases and then over seven biases
    near the descent's, with the cost of the descent between.

    Parameters
    ----------
    directions : unit vectors, such as both signs of an eigenvector.
    biases : normalised biases that the first fit scans.
    energy : E[y^2], or inf.
    descent : from a neuron to a better one.
    """
    first = yield from fit_norm_and_bias(problem, directions, biases, label_energy=energy)
    if first.hypothesis.norm == 0.0:
        return first.hypothesis
    neuron = first.hypothesis
    descended = yield from descent(neuron)
    if descended.norm == 0.0:
        return neuron
    w, b = descended.weights / descended.norm, descended.bias / descended.norm
    nearby = (b + np.linspace(-0.3, 0.3, 7)).tolist()
    again = yield from fit_norm_and_bias(problem, [w], nearby, label_energy=energy)
    return again.hypothesis
