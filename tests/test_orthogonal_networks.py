"""Orthogonal networks: two ways to their norm, and what correlations and energies find of them."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from sqsim import L2, MonteCarlo, csq, run, sq, toward_zero
from sqsim.algorithms.hidden_families import (
    best_orthogonal_network,
    coordinates_of,
    energy_subspace,
)
from sqsim.errors import BadInput, QueryRefused
from sqsim.links import LeakyRelu, Relu, Sigmoid, Sign
from sqsim.lowerbounds import csq_orthogonal_networks_bound
from sqsim.lowerbounds.networks import network_values, orthogonal_network_norm
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.orthogonal_networks import OrthogonalNetworks
from sqsim.queries import Correlation, Ridge, Statistic
from sqsim.tolerance import Scale


def unit_queries(problem: OrthogonalNetworks, subset: Any) -> tuple[list[Correlation], Any]:
    rows, signs = problem.units(subset)
    act = problem.activation
    return [Correlation(Ridge(act, row, kinks=act.kinks)) for row in rows], signs


def inner_product(instance: Any, subset: Any) -> float:
    """E[y f_T] as the signed sum of the exact answers to the 2^k units of T."""
    queries, signs = unit_queries(instance.problem, subset)
    means = Quadrature().means(instance, queries, [Scale.NONE] * len(queries))
    return float(signs @ [mean.number for mean in means])


@pytest.mark.parametrize(
    ("size", "activation"),
    [
        (2, Relu()),
        (4, Relu()),
        (6, Relu()),
        (1, Relu()),
        (2, LeakyRelu(0.3)),
        (3, Sigmoid()),
    ],
    ids=str,
)
def test_the_norm_is_the_certified_one(size: int, activation: Any) -> None:
    """Quadrature of pairs of units against the closed form or the series with a proved tail."""
    found = OrthogonalNetworks(8, size, activation).squared_norm
    low, high = orthogonal_network_norm(size, activation, digits=8).bounds
    assert float(low) * (1 - 1e-7) - 1e-13 < found < float(high) * (1 + 1e-7) + 1e-13


@pytest.mark.parametrize("size", [2, 4])
def test_answers_to_the_units_add_up_to_the_norm(size: int) -> None:
    """E[f_S f_S] by the oracle's evaluator, 2^k single-direction queries, is the certificate."""
    instance = OrthogonalNetworks(6, size).draw(seed=3)
    secret = np.flatnonzero(np.abs(instance.labels.terms[0].direction) > 0).tolist()
    low, high = orthogonal_network_norm(size, digits=15).bounds
    assert inner_product(instance, secret) == pytest.approx(float(low + high) / 2, rel=1e-11)


@pytest.mark.parametrize(("size", "others"), [(2, 6), (4, 2)])
def test_different_sets_are_orthogonal(size: int, others: int) -> None:
    """E[f_S f_T] = 0, however many coordinates S and T share."""
    instance = OrthogonalNetworks(6, size).draw(subset=range(size))
    for other in list(combinations(range(6), size))[1 : 1 + others]:
        assert abs(inner_product(instance, other)) < 1e-12


def test_labels_and_functions_are_the_networks() -> None:
    """The label law, the function that may be asked for, and the certificate's own values agree."""
    problem = OrthogonalNetworks(5, 4)
    subset = (0, 2, 3, 4)
    x = np.random.default_rng(0).standard_normal((50, 5))
    wanted = network_values(x, subset)
    drawn = problem.draw(subset=subset).labels.draw(x, np.random.default_rng(0))
    form = problem.function(subset)
    assert form.frame is not None
    assert np.allclose(drawn, wanted, atol=1e-12)
    assert np.allclose(form.values(x @ form.frame, None, 50), wanted, atol=1e-12)


def test_correlations_find_the_set_below_the_norm_and_nothing_above() -> None:
    """No query of norm 1 has a mean above ||f_S||: at that tolerance all answers may be 0."""
    problem = OrthogonalNetworks(3, 2)
    instance, norm = problem.draw(subset=(0, 2)), math.sqrt(problem.squared_norm)
    for tau, wanted in ((0.999 * norm, (0, 2)), (1.001 * norm, None)):
        oracle = csq(instance, tolerance=L2(tau), policy=toward_zero)
        result = run(best_orthogonal_network(problem), oracle)
        assert result.value == wanted
        assert (result.ledger.queries, result.ledger.rounds) == (problem.count, 1)


def test_an_exhaustive_run_asks_no_less_than_the_certificate_allows() -> None:
    """The keystone for this family, at a tolerance at which the exhaustive learner succeeds."""
    problem = OrthogonalNetworks(6, 4)
    oracle = csq(
        problem.draw(seed=1), tolerance=L2(0.3), policy=toward_zero, means=MonteCarlo(60_000)
    )
    result = run(best_orthogonal_network(problem), oracle)
    bound = csq_orthogonal_networks_bound(dimension=6, sparsity=4, tolerance="0.3")
    secret = np.flatnonzero(np.abs(oracle.instance.labels.terms[0].direction) > 0)
    assert result.value == tuple(secret.tolist())
    assert bound.permits(result.ledger.queries)


def test_the_energy_finds_the_set_where_correlations_are_proved_not_to() -> None:
    """820 scalars in one round at a tolerance where a correlational learner needs 1929 queries."""
    problem = OrthogonalNetworks(40, 4)
    instance = problem.draw(seed=2)
    oracle = sq(instance, tolerance=L2(0.08), policy=toward_zero, means=MonteCarlo(200_000))
    result = run(energy_subspace(problem, rank=4), oracle)
    secret = np.flatnonzero(np.abs(instance.labels.terms[0].direction) > 0)
    assert coordinates_of(result.value) == tuple(secret.tolist())
    bound = csq_orthogonal_networks_bound(dimension=40, sparsity=4, tolerance="0.08")
    assert result.ledger.queries == 40 * 41 // 2
    assert not bound.permits(result.ledger.queries)
    with pytest.raises(QueryRefused):
        run(energy_subspace(problem, rank=4), csq(instance, tolerance=L2(0.08)))


def test_the_energy_is_two_kths_of_the_norm() -> None:
    """f^2 of the ReLU is homogeneous of degree 2: E[f^2 |x_S|^2] = (k + 2) ||f||^2."""
    problem = OrthogonalNetworks(3, 2)
    query = Statistic(Ridge(np.square, power=2))
    mean = Quadrature().means(problem.draw(subset=(0, 2)), [query], [Scale.NONE])[0]
    wanted = np.diag([1.0, 0.0, 1.0]) * problem.squared_norm
    assert np.allclose(np.asarray(mean.value), wanted, atol=1e-10)


@pytest.mark.parametrize(
    ("size", "activation"), [(3, Relu()), (2, Sigmoid()), (4, Sign()), (5, LeakyRelu(0.1))], ids=str
)
def test_vanishing_networks_are_refused(size: int, activation: Any) -> None:
    """The wrong parity makes f_S the zero function, and the message says so."""
    with pytest.raises(BadInput, match="vanishes"):
        OrthogonalNetworks(8, size, activation)


@pytest.mark.parametrize(
    "make",
    [
        lambda: OrthogonalNetworks(8, 0),
        lambda: OrthogonalNetworks(3, 4),
        lambda: OrthogonalNetworks(40, 14),
        lambda: OrthogonalNetworks(8, 2).draw(subset=(1, 1)),
        lambda: OrthogonalNetworks(8, 2).draw(subset=(1, 8)),
        lambda: OrthogonalNetworks(8, 2).draw(noise=-1.0),
        lambda: next(energy_subspace(OrthogonalNetworks(8, 2), rank=9)),
        lambda: next(best_orthogonal_network(OrthogonalNetworks(60, 4))),
    ],
)
def test_bad_input_is_named(make: Any) -> None:
    """What was found and what was wanted, before anything is computed."""
    with pytest.raises(BadInput):
        make()
