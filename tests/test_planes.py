"""Alternating networks in a hidden plane: orthogonality, norms, correlations and energies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sqsim import L2, csq, run, sq, toward_zero
from sqsim.algorithms.hidden_families import best_plane, energy_subspace
from sqsim.errors import BadInput
from sqsim.links import Relu, hermite
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.planes import AlternatingPlane
from sqsim.queries import Correlation, Ridge, Statistic
from sqsim.special import hermite_functions
from sqsim.tolerance import Scale

COORDINATES = np.eye(4)[:, :2]


def answers(instance: Any, forms: list[Ridge]) -> Any:
    means = Quadrature().means(instance, [Correlation(f) for f in forms], [Scale.NONE] * len(forms))
    return np.array([mean.number for mean in means]), np.array([mean.error for mean in means])


def against(instance: Any, other: AlternatingPlane, basis: Any) -> float:
    """E[y f(Q'x)] as the signed sum of the answers to the units of the other plane."""
    form = other.function(basis)
    assert form.frame is not None
    act = other.activation
    found, _ = answers(instance, [Ridge(act, row, kinks=act.kinks) for row in form.frame.T])
    return float(found @ (-1.0) ** np.arange(1, len(found) + 1))


def hermite_query(direction: Any, degree: int) -> Ridge:
    return Ridge(lambda t: hermite_functions(t, degree)[degree], direction)


@pytest.mark.parametrize(
    ("order", "activation"), [(1, Relu()), (2, Relu()), (4, Relu()), (3, Relu(-1.0))]
)
def test_the_norm_two_ways(order: int, activation: Any) -> None:
    """K over the circle against the oracle's answers to the 2 k units, added up."""
    problem = AlternatingPlane(4, order, activation)
    instance = problem.draw(basis=COORDINATES)
    assert against(instance, problem, COORDINATES) == pytest.approx(problem.squared_norm, rel=1e-9)


@pytest.mark.parametrize("order", [2, 4, 6])
def test_the_norm_of_relu_planes_in_closed_form(order: int) -> None:
    """K(cos t) = (sin t + (pi - t) cos t) / (2 pi), and the second sum is 0 by symmetry."""
    t = np.pi * np.arange(order + 1) / order
    half = (-1.0) ** np.arange(order + 1) * (np.sin(t) + (np.pi - t) * np.cos(t)) / (2 * np.pi)
    wanted = 2 * order * (half[0] + half[-1] + 2 * half[1:-1].sum())
    assert AlternatingPlane(4, order).squared_norm == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("order", [2, 4])
def test_orthogonal_below_the_order_and_not_at_it(order: int) -> None:
    """Polynomials of degree < k see nothing; theory of degree <= k fails at k for even-k ReLUs."""
    instance = AlternatingPlane(4, order).draw(basis=COORDINATES)
    t = np.linspace(0.0, 1.0, 4)
    rows = np.stack([np.cos(t), np.sin(t), 0.3 * t, 0 * t], axis=1)
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    for degree in range(order):
        found, errors = answers(instance, [hermite_query(row, degree) for row in rows])
        assert (np.abs(found) <= 2 * errors + 1e-14).all()
    assert abs(answers(instance, [hermite_query(rows[0], order)])[0][0]) > 0.01


@pytest.mark.parametrize("seed", range(3))
def test_two_planes_correlate_by_the_power_of_their_overlap(seed: int) -> None:
    """|E[f(P'x) f(Q'x)]| <= ||P'Q||^k ||f||^2."""
    problem = AlternatingPlane(5, 4)
    stream = np.random.default_rng(seed)
    p, q = (np.linalg.qr(stream.standard_normal((5, 2)))[0] for _ in range(2))
    found = against(problem.draw(basis=p), problem, q)
    assert abs(found) <= np.linalg.norm(p.T @ q, 2) ** 4 * problem.squared_norm + 1e-12


def test_correlations_find_the_plane_below_the_norm_and_nothing_above() -> None:
    """No query of norm 1 has a mean above ||f||."""
    problem = AlternatingPlane(4, 2)
    norm = math.sqrt(problem.squared_norm)
    bases = [np.eye(4)[:, [0, 2]], COORDINATES]
    for tau, wanted in ((0.99 * norm, 1), (1.01 * norm, None)):
        oracle = csq(problem.draw(basis=COORDINATES), tolerance=L2(tau), policy=toward_zero)
        result = run(best_plane(problem, bases), oracle)
        assert result.value == wanted
        assert (result.ledger.queries, result.ledger.rounds) == (2, 1)


@pytest.mark.parametrize("order", [2, 4])
def test_the_energy_finds_the_plane(order: int) -> None:
    """One Statistic, in one round, whatever the order that hides the plane from correlations."""
    problem = AlternatingPlane(6, order)
    instance = problem.draw(seed=5)
    oracle = sq(instance, tolerance=L2(0.02), policy=toward_zero)
    result = run(energy_subspace(problem, rank=2), oracle)
    hidden = np.linalg.qr(np.stack(instance.labels.columns[:2], axis=1))[0]
    assert np.linalg.norm(hidden.T @ result.value, -2) > 0.8
    assert (result.ledger.queries, result.ledger.rounds) == (21, 1)


def test_the_energy_is_the_projection_times_the_norm() -> None:
    """f^2 of the ReLU is homogeneous of degree 2, and has a symmetry of order 2 k."""
    problem = AlternatingPlane(4, 4)
    query = Statistic(Ridge(np.square, power=2))
    mean = Quadrature().means(problem.draw(basis=COORDINATES), [query], [Scale.NONE])[0]
    wanted = problem.squared_norm * COORDINATES @ COORDINATES.T
    assert np.allclose(np.asarray(mean.value), wanted, atol=1e-10)


@pytest.mark.parametrize(
    "make",
    [
        lambda: AlternatingPlane(1, 2),
        lambda: AlternatingPlane(4, 0),
        lambda: AlternatingPlane(4, 3),
        lambda: AlternatingPlane(4, 4, hermite(3)),
        lambda: AlternatingPlane(4, 2).draw(basis=np.ones((4, 2))),
        lambda: AlternatingPlane(4, 2).draw(noise=float("nan")),
    ],
)
def test_bad_input_is_named(make: Any) -> None:
    """Orders of the wrong parity, planes that are lines."""
    with pytest.raises(BadInput):
        make()
