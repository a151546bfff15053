"""Learners that survive adversarial labels, ready for the registry: they end with a ReLU neuron.

This file does not know the registry of learners, nor oracles.
"""

from __future__ import annotations

import math

import numpy as np

from sqsim.algorithms.best_weight import optimal_descent
from sqsim.algorithms.descent import random_direction
from sqsim.algorithms.guo_vijayaraghavan import learn_relu
from sqsim.algorithms.initialisations import LabelThreshold
from sqsim.algorithms.profile import fit_norm_and_bias
from sqsim.algorithms.regression import biased_one_shot_regression
from sqsim.algorithms.threshold_start import BIASES, threshold_and_smooth
from sqsim.algorithms.thresholding import threshold_and_halfspace
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.queries import Ridge, Statistic
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ, ask


def thresholded_halfspace(problem: Problem, seed: Seed) -> SQ[ReluHypothesis]:
    """`threshold_and_halfspace`; where norm or bias are not told, both are fitted afterwards.

    Its levels are then in units of sqrt(2 E[y^2]), the norm of an unbiased neuron of that energy.
    """
    if problem.norm is not None and problem.bias is not None:
        return (yield from threshold_and_halfspace(problem, seed=seed))
    energy = float((yield from ask(Statistic(Ridge(np.square), "label energy"))))
    if not energy > 0:
        return zero(problem.dimension)
    norm = math.sqrt(2 * energy) if problem.norm is None else problem.norm
    found = yield from threshold_and_halfspace(
        problem, norm=norm, bias=problem.bias or 0.0, seed=seed
    )
    if found.norm == 0.0:
        return found
    placed = yield from fit_norm_and_bias(problem, [found.weights / found.norm], BIASES)
    return placed.hypothesis


def label_threshold_smoothed(problem: Problem, seed: Seed) -> SQ[ReluHypothesis]:
    """`threshold_and_smooth` as it stands."""
    return threshold_and_smooth(problem, seed=seed)


def learn_relu_from_label_thresholds(problem: Problem, seed: Seed) -> SQ[ReluHypothesis]:
    """`learn_relu` with `LabelThreshold()` in place of the thresholded PCA."""
    return learn_relu(problem, initialisation=LabelThreshold(), seed=seed)


def optimally_weighted(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """`optimal_descent` from the one-shot regression, at its norm and bias where none is told."""
    guess = yield from biased_one_shot_regression(problem)
    told = problem.norm is not None and problem.bias is not None
    if guess.norm == 0.0 and not told:
        return guess
    start = guess.weights if guess.norm > 0 else random_direction(problem, seed=seed)
    norm, bias = (None, None) if told else (guess.norm, guess.bias)
    return (yield from optimal_descent(problem, start=start, norm=norm, bias=bias))
