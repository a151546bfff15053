"""Non-Gaussian components: the certified chi-squares from answers, and what finds the direction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sqsim import Absolute, MonteCarlo, csq, run, toward_zero
from sqsim.algorithms.hidden_families import best_component
from sqsim.errors import BadInput, QueryRefused
from sqsim.lowerbounds.components import (
    component_chi_squared,
    component_coefficients,
    component_correlation,
)
from sqsim.lowerbounds.mixtures import matched_component
from sqsim.lowrank import dense
from sqsim.oracles.mixture_quadrature import MixtureQuadrature
from sqsim.problems.components import NonGaussianComponent
from sqsim.problems.corruption import at_overlap
from sqsim.queries import Correlation, Opaque, Query, Ridge, Statistic
from sqsim.special import hermite_functions
from sqsim.tolerance import Scale

DESIGNS = [(2, "0.1"), (3, "0.1"), (4, "0.1"), (3, "0.02")]


def number(enclosure: Any) -> float:
    return float(sum(enclosure.bounds)) / 2


def mean(instance: Any, form: Ridge) -> float:
    found = MixtureQuadrature().means(instance, [Correlation(form)], [Scale.NONE])[0]
    return found.number


def hermite(direction: Any, degree: int) -> Ridge:
    return Ridge(lambda t: hermite_functions(t, degree)[degree], direction)


@pytest.mark.parametrize(("nodes", "smoothing"), DESIGNS)
def test_the_density_ratio_is_answered_with_the_certified_chi_square(
    nodes: int, smoothing: str
) -> None:
    """E_P[P / N - 1] = chi^2(A, N): an integral in floats against a closed form in balls."""
    problem = NonGaussianComponent(6, nodes, smoothing=float(smoothing))
    instance = problem.draw(seed=1)
    found = mean(instance, Ridge(lambda t: problem.density_ratio(t) - 1, instance.direction))
    wanted = component_chi_squared(matched_component(nodes, smoothing=smoothing))
    assert found == pytest.approx(number(wanted), rel=1e-9)


@pytest.mark.parametrize("overlap", [0.5, -0.3])
def test_the_ratio_along_another_direction_is_answered_with_their_correlation(
    overlap: float,
) -> None:
    """E_(P_u)[P_v / N - 1] = chi(P_u, P_v)."""
    problem = NonGaussianComponent(6, 2, smoothing=0.1)
    instance = problem.draw(seed=1)
    other = at_overlap(instance.direction, overlap, np.random.default_rng(0))
    found = mean(instance, Ridge(lambda t: problem.density_ratio(t) - 1, other))
    wanted = component_correlation(matched_component(2, smoothing="0.1"), str(overlap))
    assert found == pytest.approx(number(wanted), rel=1e-9)


@pytest.mark.parametrize(("nodes", "smoothing"), DESIGNS)
def test_moments_match_up_to_the_order_and_then_as_certified(nodes: int, smoothing: str) -> None:
    """E_A[h_k] for k = 1, ..., 2m, exactly rational against quadrature."""
    instance = NonGaussianComponent(5, nodes, smoothing=float(smoothing)).draw(seed=2)
    certified = component_coefficients(matched_component(nodes, smoothing=smoothing), 2 * nodes)
    for k in range(1, 2 * nodes + 1):
        found = mean(instance, hermite(instance.direction, k))
        assert found == pytest.approx(number(certified[k]), abs=1e-11)
    s, m = float(smoothing), nodes
    last = -((1 - s) ** m) * math.factorial(m) / math.sqrt(math.factorial(2 * m))
    assert found == pytest.approx(last, rel=1e-9)


U, W = np.array([0.3, -0.7, 0.2, 1.1]), np.array([[1.0, 0.2, 0.0, 0.3], [0.0, 0.5, -1.0, 0.2]]).T
QUERIES: dict[str, Query] = {
    "neuron": Correlation(Ridge(lambda s: np.maximum(s - 0.2, 0), U, kinks=(0.2,))),
    "field": Correlation(Ridge(lambda s: np.maximum(s - 0.2, 0), U, power=1, kinks=(0.2,))),
    "two directions": Statistic(Ridge(lambda s, y: np.cos(s[:, 0] + y) * s[:, 1] ** 2, W)),
    "vector": Statistic(Ridge(lambda s, y: np.cos(s[:, 0] + y) * s[:, 1] ** 2, W, power=1)),
    "label": Statistic(Ridge(lambda y: y + 2.0, power=1)),
    "matrix": Statistic(Ridge(lambda s, y: np.cos(s + y), U, power=2)),
    "bare matrix": Correlation(Ridge(power=2)),
}


@pytest.mark.parametrize("labelled", [False, True], ids=["unlabelled", "labelled"])
def test_quadrature_agrees_with_a_sample(labelled: bool) -> None:
    """Means of every kind and power, and norms, within the sample's stated error."""
    instance = NonGaussianComponent(4, 2, smoothing=0.3, labelled=labelled).draw(seed=4)
    queries = list(QUERIES.values())
    scales = [Scale.NONE if "matrix" in name else Scale.FUNCTION for name in QUERIES]
    exact = MixtureQuadrature().means(instance, queries, scales)
    drawn = MonteCarlo(100_000).means(instance, queries, scales, seed=1, turn=0)
    for one, two in zip(exact, drawn, strict=True):
        assert (np.abs(dense(one.value) - two.value) <= np.asarray(two.error) + 1e-12).all()
        assert np.max(np.asarray(one.error)) < 1e-9
        assert np.allclose(dense(one.scale), np.asarray(two.scale), rtol=0.03)


@pytest.mark.parametrize("labelled", [False, True], ids=["unlabelled", "labelled"])
def test_rounding_does_not_tell_the_direction(labelled: bool) -> None:
    """Matched moments are answered as 0, not as a multiple of v that someone might normalise."""
    instance = NonGaussianComponent(5, 2, labelled=labelled).draw(seed=3)
    queries = [Correlation(Ridge(power=1)), Correlation(Ridge(power=2))]
    for found in MixtureQuadrature().means(instance, queries, [Scale.NONE] * 2):
        assert not np.asarray(dense(found.value)).any()


@pytest.mark.parametrize("labelled", [False, True], ids=["unlabelled", "labelled"])
@pytest.mark.parametrize("nodes", [2, 3])
def test_the_direction_is_found_below_its_moment_and_not_above(nodes: int, labelled: bool) -> None:
    """|c_2m| (halved by labels) is all that the first unmatched moment shows of the direction."""
    problem = NonGaussianComponent(8, nodes, labelled=labelled)
    directions = list(np.eye(8))
    instance = problem.draw(direction=directions[5])
    moment = 0.9**nodes * math.factorial(nodes) / math.sqrt(math.factorial(2 * nodes))
    size = moment / 2 if labelled else moment
    for tau, wanted in ((0.999 * size, 5), (1.001 * size, None)):
        oracle = csq(
            instance, tolerance=Absolute(tau), policy=toward_zero, means=MixtureQuadrature()
        )
        result = run(best_component(problem, directions), oracle)
        assert result.value == wanted
        assert (result.ledger.queries, result.ledger.rounds) == (8, 1)


def test_lower_moments_show_nothing_to_any_direction() -> None:
    """Degree below 2m: 0 along every direction, so no tolerance helps."""
    problem = NonGaussianComponent(5, 3)
    instance = problem.draw(seed=7)
    for degree in range(1, 2 * problem.nodes):
        u = np.random.default_rng(degree).standard_normal(5)
        assert abs(mean(instance, hermite(u / np.linalg.norm(u), degree))) < 1e-12


@pytest.mark.parametrize(
    "make",
    [
        lambda: NonGaussianComponent(5, 0),
        lambda: NonGaussianComponent(5, 41),
        lambda: NonGaussianComponent(5, 2, smoothing=1.0),
        lambda: NonGaussianComponent(5, 2).draw(direction=np.zeros(5)),
        lambda: NonGaussianComponent(5, 2).inputs.expectation(Ridge(power=1)),
        lambda: NonGaussianComponent(5, 2).inputs.sample(np.random.default_rng(0), 3),
        lambda: next(best_component(NonGaussianComponent(5, 2), [np.zeros(5)])),
    ],
)
def test_bad_input_is_named(make: Any) -> None:
    """Rules out of reach, no smoothing left, a secret law asked for as if it were known."""
    with pytest.raises(BadInput):
        make()


def test_what_is_not_integrated_is_refused() -> None:
    """Opaque functions, norms of matrices, other instances."""
    instance = NonGaussianComponent(3, 2).draw()
    for query, scale in (
        (Correlation(Opaque(lambda x: x[:, 0])), Scale.NONE),
        (Correlation(Ridge(power=2)), Scale.FUNCTION),
    ):
        with pytest.raises(QueryRefused, match="MonteCarlo"):
            MixtureQuadrature().means(instance, [query], [scale])
    with pytest.raises(QueryRefused, match="Quadrature"):
        MixtureQuadrature().means(object(), [], [])
