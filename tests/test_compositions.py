"""Polynomials in place of networks: error and norm of compositions."""

from __future__ import annotations

import math
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

from sqsim.algorithms.compositions import (
    Composition,
    maximum_composition,
    network_composition,
    parametric_composition,
)
from sqsim.multinomial import MonomialFeatures
from sqsim.polynomials import nearest_relu
from sqsim.problems.ball import sphere_points
from sqsim.problems.gadgets import MaxAffine
from sqsim.problems.layers import LayeredRelu


def random_network(hidden: int, weight: float, reach: float, *, seed: int = 0) -> LayeredRelu:
    """In three variables, every norm at its bound."""
    stream = np.random.default_rng(seed)
    first = stream.standard_normal((4, 4))
    size = np.linalg.norm(first[:, :3], axis=1) + np.abs(first[:, 3])
    first *= (reach / size)[:, None]
    rows = [stream.standard_normal((4 if i < hidden - 1 else 1, 4)) for i in range(hidden)]
    later = [a * (weight / np.abs(a).sum(axis=1))[:, None] for a in rows]
    return LayeredRelu((first[:, :3], *later), first[:, 3])


def random_maximum(pieces: int, reach: float, *, seed: int = 0) -> MaxAffine:
    """In three variables, every piece of size `reach`."""
    planes = np.random.default_rng(seed).standard_normal((pieces, 4))
    size = np.linalg.norm(planes[:, :3], axis=1) + np.abs(planes[:, 3])
    planes *= (reach / size)[:, None]
    return MaxAffine(planes[:, :3], planes[:, 3])


def through_network(network: LayeredRelu, near: Composition, x: Any, reach: float) -> Any:
    """The network with relu replaced layer by layer, written out again."""
    values, scale = x @ network.weights[0].T + network.bias, reach
    for degree, matrix in zip(near.degrees, network.weights[1:], strict=True):
        p = nearest_relu(degree=degree)
        values = scale * p(values / scale) @ matrix.T
        scale *= network.weight * (1 + p.error)
    return values[:, 0]


def through_maximum(function: MaxAffine, near: Composition, x: Any, reach: float) -> Any:
    """The tree of maxima with b + relu(a - b) replaced level by level."""
    values, scale = x @ function.weights.T + function.offsets, reach
    for degree in near.degrees:
        p = nearest_relu(degree=degree)
        a, b = values[:, 0:-1:2], values[:, 1::2]
        joined = b + 2 * scale * p((a - b) / (2 * scale))
        values = np.column_stack([joined, values[:, -1:]]) if values.shape[1] % 2 else joined
        scale *= 1 + 2 * p.error
    return values[:, 0]


def norm_squared(values: Any, x: Any, degree: int) -> float:
    """Of the polynomial with these values, from interpolation."""
    psi = MonomialFeatures(x.shape[1], degree).matrix(x)
    coefficients, *_ = np.linalg.lstsq(psi, values, rcond=None)
    assert np.abs(psi @ coefficients - values).max() < 1e-9
    return float(coefficients @ coefficients)


def ball_points(count: int) -> Any:
    x = sphere_points(3, count, seed=5)
    return x * np.random.default_rng(6).random((count, 1)) ** (1 / 3)


NETWORKS = [(1, 1.5, 1.0, 0.1), (1, 2.0, 3.0, 0.5), (2, 1.0, 1.0, 0.2), (3, 0.8, 1.0, 0.2)]
MAXIMA = [(2, 1.0, 0.05), (2, 3.0, 0.3), (3, 1.0, 0.3), (4, 1.0, 0.3)]


@pytest.mark.parametrize(("hidden", "weight", "reach", "epsilon"), NETWORKS)
def test_a_composition_is_as_near_to_networks_as_it_says(
    hidden: int, weight: float, reach: float, epsilon: float
) -> None:
    """Replaced layer by layer, on the ball; its norm by interpolation is below the bound."""
    near = network_composition(hidden=hidden, weight=weight, reach=reach, epsilon=epsilon)
    assert near.error <= epsilon
    assert near.degree == math.prod(near.degrees)
    x = ball_points(400)
    for seed in range(4):
        network = random_network(hidden, weight, reach, seed=seed)
        assert network.weight == pytest.approx(weight)
        assert network.reach == pytest.approx(reach)
        values = through_network(network, near, x, reach)
        assert np.abs(values - network(x)).max() <= near.error
        assert norm_squared(values, x, near.degree) <= near.weight


@pytest.mark.parametrize(("pieces", "reach", "epsilon"), MAXIMA)
def test_a_composition_is_as_near_to_maxima_as_it_says(
    pieces: int, reach: float, epsilon: float
) -> None:
    """Errors of the levels of a tree add up; they are not multiplied."""
    near = maximum_composition(pieces=(pieces,), reach=reach, epsilon=epsilon)
    assert near.error <= epsilon
    x = ball_points(400)
    for seed in range(4):
        function = random_maximum(pieces, reach, seed=seed)
        values = through_maximum(function, near, x, reach)
        assert np.abs(values - function(x)).max() <= near.error
        assert norm_squared(values, x, near.degree) <= near.weight


@pytest.mark.parametrize("degree", [2, 4, 8, 16])
def test_one_level_costs_twice_the_error_of_one_relu(degree: int) -> None:
    """max(a, b) = b + relu(a - b) with |a - b| <= 2; a tree by networks pays W^D = 6."""
    one = nearest_relu(degree=degree).error
    near = maximum_composition(pieces=(2,), degree=degree)
    assert near.error == pytest.approx(2 * one, rel=1e-9)
    # The error of relu is about 0.1401 / d (half of Bernstein's constant), from below.
    assert 0.2802 * (1 - 1 / degree) < degree * near.error < 0.2805
    assert maximum_composition(pieces=(2, 2), degree=degree).error == pytest.approx(4 * one)
    assert maximum_composition(pieces=(4,), degree=degree**2).error == pytest.approx(
        2 * one + 2 * (1 + 2 * one) * one, rel=1e-9
    )


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_the_degree_is_the_least_product_that_reaches_epsilon(hidden: int) -> None:
    """No choice of degrees with a smaller product is within epsilon."""
    near = network_composition(hidden=hidden, weight=1.2, reach=1.0, epsilon=0.35)
    degrees = [d for d in (1, *range(2, 33, 2)) if d < near.degree]
    for chosen in product(degrees, repeat=hidden):
        if math.prod(chosen) < near.degree:
            assert _error(chosen, 1.2) > 0.35
    assert near.error == pytest.approx(_error(near.degrees, 1.2), rel=1e-9)


@cache
def _of_relu(degree: int) -> float:
    return nearest_relu(degree=degree).error


def _error(degrees: tuple[int, ...], weight: float) -> float:
    """Sum over layers of W^(layers above) times the reach times the relative error."""
    total, scale = 0.0, 1.0
    for i, degree in enumerate(degrees):
        e = _of_relu(degree)
        total += weight ** (len(degrees) - i) * scale * e
        scale *= weight * (1 + e)
    return total


@pytest.mark.parametrize("slope", [0.0, 0.1, 0.5, 1.0, -1.0, -0.3])
@pytest.mark.parametrize("epsilon", [0.1, 0.03])
def test_a_parametric_relu_needs_the_degree_of_a_smaller_relu(slope: float, epsilon: float) -> None:
    """(1 - slope) relu(t) + slope t: error and norm of one polynomial, on a grid."""
    near = parametric_composition(slope=slope, epsilon=epsilon)
    t = np.linspace(-1.0, 1.0, 4001)
    p = nearest_relu(degree=near.degrees[0]) if slope != 1 else None
    values = t if p is None else (1 - slope) * p(t) + slope * t
    off = np.abs(values - np.where(t >= 0, t, slope * t)).max()
    assert off <= near.error + 1e-12
    assert near.error <= epsilon
    if p is not None:
        beta = (1 - slope) * np.array(p.coefficients)
        beta[1] += slope
        assert near.weight == pytest.approx(beta @ beta, rel=1e-9)
