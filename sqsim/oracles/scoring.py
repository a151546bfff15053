"""The exact loss of a hypothesis, computed where the secret is.  No learner sees this."""

from __future__ import annotations

import numpy as np

from sqsim.gaussian import ridge_expectation
from sqsim.links import Relu
from sqsim.oracles.quadrature import Quadrature
from sqsim.panels import ROUNDING
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance
from sqsim.queries import Correlation, Ridge, Statistic
from sqsim.tolerance import Mean, Scale

DIRECT = 2
"""Directions up to which the square is integrated directly; beyond, it is expanded."""


def null_loss(instance: IndexInstance) -> Mean:
    """E[y^2]: the loss of the zero hypothesis."""
    return _mean(instance, Statistic(Ridge(np.square), "label energy"))


def loss(instance: IndexInstance, hypothesis: ReluHypothesis) -> Mean:
    """E[(y - yhat)^2], without 1/2.

    With one or two directions in all, the square itself is integrated: nothing cancels, however
    small the loss.
    """
    b = hypothesis.bias
    if hypothesis.norm == 0.0:
        if b <= 0:
            return null_loss(instance)
        return _mean(instance, Statistic(Ridge(lambda y: (y - b) ** 2), "loss"))
    if 1 + len(instance.labels.columns) + bool(instance.labels.noise) > DIRECT:
        return expanded_loss(instance, hypothesis)
    form = Ridge(lambda s, y: (y - np.maximum(s + b, 0.0)) ** 2, hypothesis.weights, kinks=(-b,))
    mean = _mean(instance, Statistic(form, "loss"))
    # y - yhat carries the rounding of y and yhat, which near a kink far out is that of s and b.
    root = np.sqrt(np.abs(np.asarray(mean.value)))
    sizes = 2 * np.sqrt(Relu(b, hypothesis.norm).second_moment) + root
    steepness = 1 + (min(b, 0.0) / hypothesis.norm) ** 2
    return Mean(mean.value, mean.error + float(ROUNDING * steepness * root * sizes))


def expanded_loss(
    instance: IndexInstance, hypothesis: ReluHypothesis, energy: Mean | None = None
) -> Mean:
    """E[y^2] - 2 E[y yhat] + E[yhat^2]: about a millisecond, with an error relative to E[y^2].

    `energy` is E[y^2] where it is known already, as when many iterates are scored.
    """
    energy = null_loss(instance) if energy is None else energy
    if hypothesis.norm == 0.0 and hypothesis.bias <= 0:
        return energy
    b = hypothesis.bias
    frame = hypothesis.weights if hypothesis.norm > 0 else None
    kinks = () if frame is None else (-b,)

    def power(p: int) -> Ridge:
        if frame is None:
            return Ridge(None)
        return Ridge(lambda s: np.maximum(s + b, 0.0) ** p, frame, kinks=kinks)

    scale = b if frame is None else 1.0
    dimension = instance.problem.dimension
    agreed = _mean(instance, Correlation(power(1), "agreement"))
    own = ridge_expectation(power(2), dimension)
    value = np.asarray(energy.value) - 2 * scale * np.asarray(agreed.value)
    error = energy.error + 2 * abs(scale) * agreed.error + scale**2 * own.error
    return Mean(value + scale**2 * np.asarray(own.value), error)


def _mean(instance: IndexInstance, query: Correlation | Statistic) -> Mean:
    return Quadrature().means(instance, [query], [Scale.NONE])[0]
