"""Closed forms of the gradients of biased neurons, plain and smoothed.

Zarifis et al. (2025); gradient descent of one neuron as in Vardi, Yehudai and Shamir (2021).
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from scipy.integrate import quad

from sqsim.algorithms.two_neurons import active_moments, population_gradient, population_loss
from sqsim.links import Relu
from sqsim.lowerbounds.basins import SmoothedStep, basin_point
from sqsim.lowerbounds.plackett import orthant
from sqsim.lowerbounds.precision import ball
from sqsim.lowerbounds.quantities import Rational
from sqsim.problems.corruption import WorstCase
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance, ReluRegression
from sqsim.queries import Correlation, Ridge
from sqsim.strategy import ask
from sqsim.updates import smoothed
from sqsim.verification.biased_relu import proved
from sqsim.verification.conditions import joined
from sqsim.verification.entry import Entry, Finding, close, within
from sqsim.verification.exact_answers import corrupted, ended, tangent_field

ZWDD = "Zarifis et al. (2025)"
TARGET = ReluHypothesis(np.array([0.6, -0.3, 0.5]), -0.7)
STUDENT = ReluHypothesis(np.array([0.2, 0.9, -0.4]), 0.4)


def _gradient(constant: Fraction) -> Finding:
    """First entry of E[y 1(active) x]: closed form, and a query to an exact oracle."""
    closed, _ = active_moments(TARGET, STUDENT)
    problem = ReluRegression(3)
    instance = problem.draw(norm=TARGET.norm, bias=TARGET.bias, direction=TARGET.weights)
    b = STUDENT.bias
    form = Ridge(lambda s: (s + b >= 0) * 1.0, STUDENT.weights, power=1, kinks=(-b,))
    answer, _ = ended(ask(Correlation(form, "active labels")), instance)
    same = float(np.abs(np.asarray(answer) - closed).max()) < 1e-10
    return joined(close(constant, float(closed[0]), error=1e-10), same)


def _loss_slope(constant: Fraction) -> Finding:
    """d / db E[(s - y)^2]: closed form, and difference quotients of the loss."""
    _, slope = population_gradient(TARGET, STUDENT)

    def at(shift: float) -> float:
        return population_loss(TARGET, ReluHypothesis(STUDENT.weights, STUDENT.bias + shift))

    step = 1e-3
    near, far = at(step) - at(-step), at(2 * step) - at(-2 * step)
    quotient = (8 * near - far) / (12 * step)
    return joined(close(constant, slope, error=1e-9), abs(quotient - slope) < 1e-8)


def _smoothed_slope(constant: Fraction) -> Finding:
    """T_rho s_b'(z) at rho = .9, b = -3, z = 3.5: the learner's weight, and its definition."""
    found = float(smoothed(-3.0, rho=0.9).weight(np.array([3.5]))[0])
    deviation = math.sqrt(0.19)
    edge = (3 - 0.9 * 3.5) / deviation
    mean = quad(lambda t: math.exp(-t * t / 2), edge, 40)[0] / math.sqrt(2 * math.pi)
    return joined(close(constant, found, error=1e-9), abs(mean - found) < 1e-9)


def _alignment(constant: Fraction) -> Finding:
    """||T_c s_b'||^2 = P2(|b|; c^2) at b = -3, c = .9, proved; and the norm of the weight."""
    found = proved(lambda: orthant(ball(3), None, ball(Fraction(81, 100)).acos()))
    norm = smoothed(-3.0, rho=0.9).norm
    return joined(within(constant, found, digits=5), abs(norm**2 / float(found) - 1) < 1e-9)


def _progress(constant: Fraction) -> Finding:
    """Step toward v over its clean size, at sin(theta) = 3 sqrt(OPT) / ||T_rho s'||, rho = cos."""
    bias, overlap = -3.0, 0.9
    update = smoothed(bias, rho=overlap)
    budget = 0.19 * update.norm**2 / 9
    instance = corrupted(bias, WorstCase(update, budget, overlap))
    # The corruption is aimed at this very w: the same generator draws both.
    w = _aimed_at(instance)
    e = instance.direction - (instance.direction @ w) * w
    toward = float(tangent_field(instance, w, update) @ e / np.linalg.norm(e))
    proved_point = basin_point(SmoothedStep(), bias=-3, alpha=1, overlap="0.9")
    alpha = Relu(bias).second_moment / budget
    ratio = 1 - float(proved_point.noise_to_signal) / math.sqrt(alpha)
    found = toward / float(proved_point.signal)
    return joined(close(constant, found, error=1e-6), abs(ratio - found) < 1e-7)


def _aimed_at(instance: IndexInstance) -> np.ndarray:
    gate = instance.labels.terms[1].gate
    assert gate is not None
    return gate.direction


def _schedule(constant: Fraction) -> Finding:
    """Steps until the assumed angle, which falls by 1/256 a step, is at most a half."""
    share, steps = Fraction(1), 0
    while share > Fraction(1, 2):
        share, steps = share * Fraction(255, 256), steps + 1
    return within(constant, Rational(Fraction(steps)), digits=4)


def _schedule_rate(constant: Fraction) -> Finding:
    """Steps for which the squared angle falls by e, over a fall by 1e-12."""
    gap, steps = 1.0, 0
    while gap > 1e-12:
        gap, steps = gap * (255 / 256) ** 2, steps + 1
    found = steps / math.log(1e12)
    exact = 1 / (2 * math.log(256 / 255))
    return joined(close(constant, found, error=0.04), abs(found - exact) < 0.04)


SMOOTHED_DESCENTS: tuple[Entry, ...] = (
    Entry(
        "vys.active-labels",
        "E[s(<v, x> + c) 1(<w, x> + b >= 0) x] = v BVN + w/|w| phi(t) E[..]: first entry C at v = "
        "(.6, -.3, .5), c = -.7, w = (.2, .9, -.4), b = .4",
        "Vardi, Yehudai and Shamir (2021) for the gradient; the closed form computed here",
        "the closed form, and a query to an exact oracle",
        "0.058546",
        _gradient,
    ),
    Entry(
        "vys.bias-slope",
        "d/db of the loss E[(s(<w, x> + b) - y)^2] is C at the same place",
        "Vardi, Yehudai and Shamir (2021) for the gradient; the closed form computed here",
        "the closed form, and difference quotients of the loss",
        "1.19736",
        _loss_slope,
    ),
    Entry(
        "zwdd.smoothed-slope",
        "T_rho s_b'(z) = Phi((rho z + b) / sqrt(1 - rho^2)): C at rho = .9, b = -3, z = 3.5",
        f"{ZWDD}; the closed form computed here",
        "the learner's weight, and the mean that defines it",
        "0.63462",
        _smoothed_slope,
    ),
    Entry(
        "zwdd.alignment",
        "||T_c s_b'||^2 = P(X, Y > |b|) at correlation c^2: C at b = -3, c = .9",
        f"{ZWDD}; the closed form computed here",
        "a proved orthant probability, and the norm of the learner's weight",
        "0.00039042",
        _alignment,
    ),
    Entry(
        "zwdd.progress",
        "where sin(theta) = 3 sqrt(OPT) / ||T_rho s'||, rho = cos(theta), worst noise leaves C of "
        "the step",
        f"{ZWDD}; sharpness computed here",
        "the field under the worst labels from an exact oracle, and the proved ratio",
        "2/3",
        _progress,
    ),
    Entry(
        "zwdd.schedule",
        "the published schedule halves the assumed angle in C steps",
        f"{ZWDD}; counted here",
        "1 - rho falls by (1 - 1/256)^2 a step, in rationals",
        "178",
        _schedule,
    ),
    Entry(
        "zwdd.rate",
        "the squared angle falls by a factor e in C steps: T = C log(1 / eps)",
        f"{ZWDD}, O(log(1 / eps)); the constant computed here",
        "steps of the schedule until the squared angle is 1e-12, and 1 / (2 log(256 / 255))",
        "127.75",
        _schedule_rate,
    ),
)
