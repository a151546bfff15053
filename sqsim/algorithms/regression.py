"""One-shot regression: a neuron from the degree-0 and degree-1 correlations of the label."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from sqsim.algorithms.profile import best_of
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge
from sqsim.special import positive_part_mean
from sqsim.strategy import CSQ, ask, ask_all

BIAS_RANGE = (-12.0, 12.0)
"""Normalised biases that moments are inverted for: below, the neuron is never seen."""


def one_shot_regression(problem: Problem) -> CSQ[ReluHypothesis]:
    """w = 2 E[y x]: exact for an unbiased neuron, since E[sigma(<w, x>) x] = w / 2.

    One round of d correlational queries.  Diakonikolas, Goel, Karmalkar, Klivans and
    Soltanolkotabi (2020): error at most (3 + 2 sqrt 2) OPT.  Derived here for x ~ N(0, I) and
    exact answers: at most 2 OPT.  With y = u_w* + g, the degree-1 parts of u_w - u_w* and of g are
    both E[g x], so they cancel in the error; what is left of the first has a squared norm of at
    most ||E[g x]||^2, what is left of g has OPT - ||E[g x]||^2.
    """
    moment = yield from ask(Correlation(Ridge(power=1), "degree-1 correlation"))
    return ReluHypothesis(2 * np.asarray(moment), 0.0)


def biased_one_shot_regression(problem: Problem) -> CSQ[ReluHypothesis]:
    """Norm, bias and direction from E[y] and E[y x].

    E[y x] = c Phi(b) v and E[y] = c (phi(b) + b Phi(b)) for the neuron c sigma(<v, x> + b), and
    their ratio is increasing in b.  d + 2 correlational queries in two rounds: the second, one
    scalar, keeps the neuron only if it beats the zero hypothesis, since moments lost in the
    tolerance can be those of an enormous neuron.
    """
    mean, moment = yield from ask_all(
        Correlation(Ridge(), "mean label"),
        Correlation(Ridge(power=1), "degree-1 correlation"),
    )
    neuron = neuron_of_moments(problem, float(mean), np.asarray(moment))
    chosen = yield from best_of(problem, [neuron])
    return chosen.hypothesis


def neuron_of_moments(problem: Problem, mean: float, moment: Array) -> ReluHypothesis:
    """The neuron whose degree-0 and degree-1 correlations are these; zero where none can be."""
    length = float(np.linalg.norm(moment))
    if length == 0.0:
        return zero(problem.dimension)
    if problem.bias is not None and problem.norm is not None:
        return ReluHypothesis(problem.norm * moment / length, problem.bias)
    ratio = mean / length
    if ratio <= _ratio(BIAS_RANGE[0]):
        return zero(problem.dimension)
    if ratio >= _ratio(BIAS_RANGE[1]):
        # Phi(b) is 1 to the last bit there: the neuron is the least-squares line.
        return ReluHypothesis(moment, mean)
    from scipy.optimize import brentq

    bias = float(brentq(lambda b: _ratio(b) - ratio, *BIAS_RANGE))
    norm = length / float(ndtr(bias))
    return ReluHypothesis(norm * moment / length, norm * bias)


def _ratio(bias: float) -> float:
    """E[y] / ||E[y x]|| = (phi(b) + b Phi(b)) / Phi(b) of a clean neuron, increasing in b."""
    return float(positive_part_mean(np.array([bias]))[0] / ndtr(bias))
