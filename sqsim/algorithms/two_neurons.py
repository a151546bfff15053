"""Closed forms of the squared loss between two biased neurons under N(0, I), and its descent.

What gradient descent meets on clean labels, without an oracle: this file asks nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from scipy.special import ndtr, owens_t

from sqsim.errors import BadInput
from sqsim.links import Relu
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis

FOUND = 1e-6
"""Loss, in units of the label's energy, at which a descent counts as arrived (or as dead)."""


@final
@dataclass(frozen=True, eq=False)
class Ending:
    """Where the descent of the exact loss ended.

    Attributes
    ----------
    neuron : ReluHypothesis
        The last iterate.
    loss : float
        Of it, in units of E[y^2].
    kind : "found", "dead" or "elsewhere"
        Loss at most FOUND; within FOUND of that of the zero hypothesis, the neuron being active
        for less than one input in a thousand; neither.
    """

    neuron: ReluHypothesis
    loss: float
    kind: Literal["found", "dead", "elsewhere"]


def active_moments(target: ReluHypothesis, neuron: ReluHypothesis) -> tuple[Array, float]:
    """E[y 1(active) x] and E[y 1(active)], y = sigma(<v, x> + c), active: <w, x> + b >= 0.

    By Stein's lemma the first is v P(both active) + w/||w|| phi(t) E[y | <w, x>/||w|| = t] with
    t = -b/||w||; the second follows from E[g 1(g > h, g' > k)] for correlated normals.  x ~ N(0, I)
    and v, w not 0.  Bivariate normal probabilities by Owen's T: absolute error about 1e-16.
    """
    v, w = target.weights, neuron.weights
    size, length = target.norm, neuron.norm
    if not (size > 0 and length > 0):
        raise BadInput(f"norms {size} and {length}; two neurons with weights that are not 0 wanted")
    unit = w / length
    along = float(v @ unit)
    across = float(np.linalg.norm(v - along * unit))
    edge = -neuron.bias / length
    mean = along * edge + target.bias
    both = _both(target.bias / size, -edge, along / size, across / size)
    density = math.exp(-edge * edge / 2) / math.sqrt(2 * math.pi)
    first = v * both + unit * (density * _positive(mean, across))
    # E[<v, x> 1(both)] splits into the edges of the two half-spaces.
    kink = -target.bias / size
    own = math.exp(-kink * kink / 2) / math.sqrt(2 * math.pi)
    beyond, before = _edges(size, along, across, kink, edge)
    linear = size * own * _share(beyond, across) + along * density * _share(before, across)
    return first, target.bias * both + linear


def population_loss(target: ReluHypothesis, neuron: ReluHypothesis) -> float:
    """E[(sigma(<w, x> + b) - y)^2] of a neuron on the target's clean labels."""
    first, second = active_moments(target, neuron)
    agreed = float(neuron.weights @ first) + neuron.bias * second
    own = Relu(neuron.bias, neuron.norm).second_moment
    return Relu(target.bias, target.norm).second_moment - 2 * agreed + own


def population_gradient(target: ReluHypothesis, neuron: ReluHypothesis) -> tuple[Array, float]:
    """Gradient in w and in b of `population_loss`: 2 E[(yhat - y) 1(active) (x, 1)]."""
    first, second = active_moments(target, neuron)
    active = float(ndtr(neuron.bias / neuron.norm))
    level = _positive(neuron.bias, neuron.norm)
    return 2 * (neuron.weights * active - first), 2 * (level - second)


def population_descent(
    target: ReluHypothesis,
    start: ReluHypothesis,
    *,
    steps: int = 2000,
    step_size: float = 0.5,
) -> Ending:
    """Gradient descent on the exact loss from `start`: which basin it lies in.

    Vardi, Yehudai and Shamir (2021) show that a biased neuron may die from a random start and that
    it cannot from one of less loss than the zero hypothesis; Awasthi, Tang and Vijayaraghavan
    (2022) that a random start succeeds with a probability bounded below at moderate bias.
    For y >= 0 the loss F obeys F(z + h) <= F(z) + <grad F(z), h> + ||h||^2, so that for
    step_size < 1 it falls by step_size (1 - step_size) ||grad F||^2 at least.
    """
    if steps < 1 or not 0 < step_size < 1:
        raise BadInput(f"steps {steps} and step_size {step_size}; wanted >= 1, and in (0, 1)")
    energy = Relu(target.bias, target.norm).second_moment
    current = start
    for _ in range(steps):
        in_weights, in_bias = population_gradient(target, current)
        if float(in_weights @ in_weights) + in_bias**2 <= (1e-9 * target.norm) ** 2:
            break
        current = ReluHypothesis(
            current.weights - step_size * in_weights, current.bias - step_size * in_bias
        )
    loss = population_loss(target, current) / energy
    if loss <= FOUND:
        return Ending(current, loss, "found")
    dead = loss >= 1 - FOUND and float(ndtr(current.bias / current.norm)) < 1e-3
    return Ending(current, loss, "dead" if dead else "elsewhere")


def _edges(
    size: float, along: float, across: float, kink: float, edge: float
) -> tuple[float, float]:
    """along kink - size edge and along edge - size kink.

    Of nearly parallel neurons both are rounding, and they are divided by an `across` that is too:
    written with one common difference their shares add up to 1 all the same.
    """
    if along <= 0.0:
        gap, rest = size * (edge + kink), across * across / (size - along)
        return rest * kink - gap, rest * edge - gap
    gap, rest = size * (edge - kink), across * across / (size + along)
    return -gap - rest * kink, gap - rest * edge


def _positive(mean: float, deviation: float) -> float:
    """E[max(mean + deviation g, 0)]."""
    if deviation == 0.0:
        return max(mean, 0.0)
    z = mean / deviation
    return mean * float(ndtr(z)) + deviation * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _share(mean: float, deviation: float) -> float:
    """P(mean + deviation g > 0), half a point mass at 0."""
    if deviation == 0.0:
        return (math.copysign(1.0, mean) + 1) / 2 if mean else 0.5
    return float(ndtr(mean / deviation))


def _both(h: float, k: float, cosine: float, sine: float) -> float:
    """P(g <= h, g' <= k) for standard normals of correlation `cosine`, sine = sqrt(1 - cosine^2).

    Owen (1956): (Phi(h) + Phi(k)) / 2 - T(h, a) - T(k, a') - (1/2 where h and k differ in sign).
    """
    if sine == 0.0:
        same = min(float(ndtr(h)), float(ndtr(k)))
        return same if cosine > 0 else max(float(ndtr(h)) - float(ndtr(-k)), 0.0)
    if h == 0.0 and k == 0.0:
        return 0.25 + math.atan2(cosine, sine) / (2 * math.pi)

    # As in `_edges`: of nearly parallel neurons the two slopes cancel, whatever the rounding.
    toward = 1.0 if cosine > 0 else -1.0
    gap, rest = k - toward * h, toward * sine * sine / (1 + abs(cosine))

    def part(one: float, rise: float) -> float:
        slope = rise / (one * sine) if one else math.copysign(math.inf, rise)
        return float(owens_t(one, slope))

    first, second = part(h, gap + rest * h), part(k, -toward * gap + rest * k)
    split = 0.5 if h * k < 0 or (h * k == 0 and h + k < 0) else 0.0
    return float(ndtr(h) + ndtr(k)) / 2 - first - second - split
