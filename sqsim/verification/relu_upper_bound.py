"""The upper bound of Guo and Vijayaraghavan (2024): the box of Algorithm 1, and all its parts."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from sqsim.algorithms.guesses import PaperMesh
from sqsim.algorithms.two_neurons import population_loss
from sqsim.lowerbounds.precision import ball
from sqsim.problems.corruption import LabelNoise
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.index import ReluRegression
from sqsim.verification.biased_relu import energy, phi, proved, tail
from sqsim.verification.conditions import joined
from sqsim.verification.entry import Entry, Finding, close, within
from sqsim.verification.exact_answers import lost
from sqsim.verification.relu_basins import RELU_BASINS
from sqsim.verification.relu_descents import RELU_DESCENTS
from sqsim.verification.relu_losses import RELU_LOSSES
from sqsim.verification.relu_masses import RELU_MASSES
from sqsim.verification.relu_spectral_start import RELU_SPECTRAL_START
from sqsim.verification.relu_step_rates import RELU_STEP_RATES
from sqsim.verification.relu_step_ratios import RELU_STEP_RATIOS
from sqsim.verification.relu_tilted_start import RELU_TILTED_START
from sqsim.verification.smoothed_descents import SMOOTHED_DESCENTS

SOURCE = "Guo and Vijayaraghavan (2024)"


def _scaled(neuron: ReluHypothesis, factor: float) -> ReluHypothesis:
    return ReluHypothesis(factor * neuron.weights, factor * neuron.bias)


def _homogeneous(constant: Fraction) -> Finding:
    """Growth exponent of the loss where labels and neuron are multiplied by beta."""
    target = ReluHypothesis(np.array([0.8, 0.6]), -0.7)
    student = ReluHypothesis(np.array([1.0, 0.2]), 0.4)
    once = population_loss(target, student)
    found = [
        math.log(population_loss(_scaled(target, beta), _scaled(student, beta)) / once)
        / math.log(beta)
        for beta in (0.1, 3.0)
    ]
    return joined(close(constant, found[0], error=1e-9), abs(found[0] - found[1]) < 1e-9)


def _mesh_loss(constant: Fraction) -> Finding:
    """E[(s - s')^2] / eps over neurons that differ by .1 sqrt(eps) in weights and bias."""
    eps = 1e-2
    shift = 0.1 * math.sqrt(eps)

    def distance(bias: float, turn: float) -> float:
        near = np.array([1.0 + shift * math.cos(turn), shift * math.sin(turn)])
        other = ReluHypothesis(near, bias + shift)
        return population_loss(ReluHypothesis(np.array([1.0, 0.0]), bias), other) / eps

    grid = [distance(b, t) for b in (-3.0, -1.0, 0.0, 1.0, 3.0) for t in (0.0, 1.0, 2.0, 3.1)]
    found = distance(9.0, 1.0)
    return joined(close(constant, found, error=1e-6), max(grid) <= found)


def _mesh_points(constant: Fraction) -> Finding:
    """Points eps / (C W sqrt(log 1/eps)), counted."""
    eps, bound, reach = 1e-9, 2.0, 1.5
    count = PaperMesh(eps, norm_bound=bound, constant=reach).points
    found = count * eps / (reach * bound * math.sqrt(math.log(1 / eps)))
    return close(constant, found, error=0.02)


def _zero_loss(constant: Fraction) -> Finding:
    """The loss of the zero hypothesis, with the factor 1/2, over E[y^2]."""
    problem = ReluRegression(3, norm=1.0, bias=-0.5)
    instance = problem.draw(corruptions=[LabelNoise(0.3)], seed=2)
    half = lost(instance, zero(3)) / 2
    moment = float(proved(lambda: energy(Fraction(1, 2)) + ball(Fraction(9, 100))))
    return close(constant, half / moment, error=1e-9)


def _linear_fit(constant: Fraction) -> Finding:
    """E[max(W z + b, 0) - (W z + b)] b / (W^2 Phi(-b / W)) at W = 2, b = 400."""
    width, ratio = 2, 200
    mean = proved(lambda: width * (phi(ratio) - ratio * tail(ratio)) / tail(ratio) * ratio / width)
    # The square of the difference is ||s_-ratio||^2 W^2, of order Phi / ratio^2.
    square = proved(lambda: energy(ratio) * ratio**2 / tail(ratio))
    return joined(within(constant, mean, digits=4), abs(float(square) - 2) < 1e-3)


RELU_UPPER_BOUND: tuple[Entry, ...] = (
    Entry(
        "gv.proposition-3",
        "losses of beta times a neuron on beta times the labels grow like beta^C, so a guess of "
        "the norm divides OPT by beta^2",
        f"{SOURCE}, Proposition 3",
        "closed-form losses at beta = .1 and 3",
        "2",
        _homogeneous,
    ),
    Entry(
        "gv.proposition-4",
        "E[(s - s')^2] <= C eps for neurons that differ by .1 sqrt(eps) in weights and bias, so "
        "the mesh costs L' <= 2 L + C eps (losses with 1/2)",
        f"{SOURCE}, Proposition 4; the sharp constant computed here",
        "closed-form losses on a grid of biases, the supremum at large positive bias",
        "0.02",
        _mesh_loss,
    ),
    Entry(
        "gv.mesh",
        "the mesh of width .1 sqrt(eps) has C W C' sqrt(log 1/eps) / eps points",
        f"{SOURCE}, Algorithm 1; counted here",
        "the points counted at eps = 1e-9",
        "200",
        _mesh_points,
    ),
    Entry(
        "gv.box-zero",
        "the zero hypothesis loses L_0 = C E[y^2] where L has the factor 1/2",
        f"{SOURCE}, Algorithm 1, step 0: E[y^2]; computed here",
        "the integrated loss over the closed second moment of noisy labels",
        "1",
        _zero_loss,
        truth="1/2",
    ),
    Entry(
        "gv.linear-fit",
        "E[max(W z + b, 0) - (W z + b)] ~ C (W^2 / b) Phi(-b / W) for large positive b (and its "
        "mean square 2 (W^4 / b^2) Phi(-b / W))",
        f"{SOURCE}, Algorithm 1, step 1: Theta(W^2 / b) Phi(-b / W); the constant computed here",
        "the closed forms in balls at b / W = 200",
        "1",
        _linear_fit,
    ),
    *RELU_MASSES,
    *RELU_LOSSES,
    *RELU_STEP_RATES,
    *RELU_STEP_RATIOS,
    *RELU_BASINS,
    *RELU_SPECTRAL_START,
    *RELU_TILTED_START,
    *RELU_DESCENTS,
    *SMOOTHED_DESCENTS,
)
