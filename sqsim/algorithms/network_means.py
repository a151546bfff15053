"""Label-free means of networks under the law of the inputs: what a learner computes, not asks.

This file asks nothing and knows no label.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sqsim.algorithms.two_neurons import active_moments
from sqsim.errors import BadInput
from sqsim.gaussian import BASE_KNOTS, LIMIT, STEP_KNOTS
from sqsim.inputs import Gaussian
from sqsim.links import Link, Relu
from sqsim.lowrank import Array
from sqsim.panels import Samples, integrate
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.network import ReluNetwork
from sqsim.problems.problem import Problem
from sqsim.queries import Ridge
from sqsim.special import normal_density

ALIGNED = 1e-14
"""Sine of an angle below which two unit vectors are one."""


def network_mean(problem: Problem, network: ReluNetwork, form: Ridge) -> Array:
    """E[network(x) T_p(x) h(W'x)], dense, for a frame of at most one column; no query.

    Gaussian inputs: given <w, x> each neuron is averaged in closed form, one line integral each.
    """
    total = np.zeros(form.shape(problem.dimension))
    for row, link in zip(network.directions, network.links(), strict=True):
        total = total + link_mean(problem, row, link, form)
    return total


def link_mean(problem: Problem, direction: Array, link: Link, form: Ridge) -> Array:
    """E[link(<v, x>) T_p(x) h(W'x)] for a unit v and a frame of at most one column."""
    if not isinstance(problem.inputs, Gaussian):
        raise BadInput(
            "the means of a network are computed for Gaussian inputs; this problem's are "
            f"{type(problem.inputs).__name__}"
        )
    if form.columns > 1:
        raise BadInput(f"a frame of {form.columns} columns; wanted at most one")
    if form.frame is None or not np.any(form.frame):
        constant = float(form.values(np.zeros((1, form.columns)), None, 1)[0])
        own = Ridge(link, direction, power=form.power, kinks=link.kinks)
        return np.asarray(constant * problem.inputs.expectation(own))
    frame = np.asarray(form.frame).reshape(-1)
    size = float(np.linalg.norm(frame))
    unit = frame / size
    cosine = float(direction @ unit)
    rest = direction - cosine * unit
    rest = rest - (rest @ unit) * unit
    sine = float(np.linalg.norm(rest))
    kinks = [kink / size for kink in form.columns_kinks[0]]

    def weight(s: Array) -> Array:
        return form.values(size * s[:, None], None, len(s))

    if sine <= ALIGNED:
        rows = _on_the_line(link, cosine, weight, form.power, kinks)
        return _assembled(form.power, unit, np.zeros_like(unit), rows)
    centre = -np.asarray(link.kinks) / cosine if cosine else np.zeros(0)
    steps = sine / abs(cosine) * STEP_KNOTS if abs(cosine) > sine else np.zeros(1)
    kinks += (-centre[:, None] + steps).ravel().tolist()

    def integrand(s: Array) -> Array:
        smooth = link.smoothed(cosine * s, sine).moments
        h = weight(s)
        return np.stack([h * s**q * smooth[j] for q, j in _pairs(form.power)])

    rows = dict(zip(_pairs(form.power), _line(integrand, kinks), strict=True))
    return _assembled(form.power, unit, rest / sine, rows)


def _pairs(power: int) -> list[tuple[int, int]]:
    """(q, j): moments of s^q against He_j of the coordinate across that T_power needs."""
    return [(q, j) for j in range(power + 1) for q in range(power - j + 1)]


def _on_the_line(
    link: Link, cosine: float, weight: Callable[[Array], Array], power: int, kinks: list[float]
) -> dict[tuple[int, int], float]:
    kinks = [*kinks, *(kink / cosine for kink in link.kinks)]

    def integrand(s: Array) -> Array:
        values = weight(s) * link(cosine * s)
        return np.stack([values * s**q for q in range(power + 1)])

    found = _line(integrand, kinks)
    return {(q, j): float(found[q]) if not j else 0.0 for q, j in _pairs(power)}


def _line(integrand: Callable[[Array], Array], kinks: list[float]) -> list[float]:
    """Means over s ~ N(0, 1) of the rows of the integrand."""
    knots = np.sort(np.concatenate([BASE_KNOTS, np.clip(kinks, -LIMIT, LIMIT)]))[None, :]

    def samples(row: np.ndarray, s: Array) -> Samples:
        values = integrand(s) * normal_density(s)
        return Samples(values, np.abs(values))

    return [float(v) for v in integrate(samples, knots, converged=1e-13).values[:, 0]]


def _assembled(power: int, unit: Array, across: Array, rows: dict[tuple[int, int], float]) -> Array:
    if power == 0:
        return np.asarray(rows[0, 0])
    if power == 1:
        return np.asarray(rows[1, 0] * unit + rows[0, 1] * across)
    mixed = np.outer(unit, across)
    return np.asarray(
        (rows[2, 0] - rows[0, 0]) * np.outer(unit, unit)
        + rows[1, 1] * (mixed + mixed.T)
        + rows[0, 2] * np.outer(across, across)
    )


def neuron_gram(network: ReluNetwork, other: ReluNetwork | None = None) -> Array:
    """E[sigma_i sigma'_j] of the neurons of two networks, outer weights left out, x ~ N(0, I).

    In closed form by bivariate normal probabilities; the diagonal of one network by its own.
    """
    second = network if other is None else other
    gram = np.zeros((network.count, second.count))
    for i, (v, b) in enumerate(zip(network.directions, network.biases, strict=True)):
        for j, (w, c) in enumerate(zip(second.directions, second.biases, strict=True)):
            if other is None and i == j:
                gram[i, j] = Relu(float(b)).second_moment
            elif other is None and j < i:
                gram[i, j] = gram[j, i]
            else:
                first, zeroth = active_moments(
                    ReluHypothesis(v, float(b)), ReluHypothesis(w, float(c))
                )
                gram[i, j] = float(w @ first) + float(c) * zeroth
    return gram


def network_energy(network: ReluNetwork) -> float:
    """E[network(x)^2], x ~ N(0, I)."""
    return float(network.outer @ neuron_gram(network) @ network.outer)


def distance_between(one: ReluNetwork, two: ReluNetwork) -> float:
    """E[(one(x) - two(x))^2], x ~ N(0, I), in closed form; absolute error about 1e-15."""
    cross = float(one.outer @ neuron_gram(one, two) @ two.outer)
    return max(network_energy(one) - 2 * cross + network_energy(two), 0.0)
